"""Compares the evaluations of several models and writes the table as csv and as markdown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from nnunet_cardiac_ext.errors import UsageError
from nnunet_cardiac_ext.evaluation.comparison.inputs import ScoredModel, check_comparable, read_models
from nnunet_cardiac_ext.evaluation.comparison.models import (
    ComparisonRow,
    ComparisonSettings,
    Measured,
    Sample,
    compare_samples,
    corrected,
)
from nnunet_cardiac_ext.evaluation.comparison.page import markdown
from nnunet_cardiac_ext.evaluation.metrics import CONVENTION
from nnunet_cardiac_ext.evaluation.scoring import CARDIAC_REGIONS, WHOLE, MetricRow
from nnunet_cardiac_ext.files import remove, write_csv, write_text
from nnunet_cardiac_ext.progress import progress

COMPARISON_FILE = "comparison.csv"
COMPARISON_PAGE = "comparison.md"
BETWEEN = ("models", "regions")
DEFAULT_METRICS = ("dice", "hd95")


@dataclass(frozen=True)
class Choice:
    """Which rows of the evaluations are compared.

    Attributes:
        metrics: Names of metrics.
        structures: Names of structures; none: all.
        regions: Names of regions; none: "all", or the three parts where regions are compared.
        convention: The definition of the metrics.
        between: "models", each with the baseline model; or "regions", within each model with the baseline region.
    """

    metrics: Sequence[str] = DEFAULT_METRICS
    structures: Sequence[str] = ()
    regions: Sequence[str] = ()
    convention: str = CONVENTION
    between: str = "models"


@dataclass(frozen=True)
class ComparisonResult:
    """What was compared.

    Attributes:
        output: The folder with the tables.
        rows: The rows of `comparison.csv`.
        remarks: One line each: what a reader has to know before believing a p-value.
    """

    output: Path
    rows: list[ComparisonRow]
    remarks: list[str]


def compare(
    evaluations: Sequence[Path],
    output: Path,
    *,
    names: Sequence[str] = (),
    baseline: str | None = None,
    choice: Choice | None = None,
    settings: ComparisonSettings | None = None,
    quiet: bool = False,
) -> ComparisonResult:
    """Compare evaluations of the same reference; write `comparison.csv` and `comparison.md`.

    Args:
        evaluations: Folders that `evaluate` wrote, one per model.
        output: Folder for the tables.
        names: Name of each model; by default those of the folders.
        baseline: What the others are compared with: a model, by default the first; or a region, by default "middle".
        choice: Which rows to compare.
        settings: How to compare.
        quiet: No progress bar.

    Returns:
        The rows, and what to know about them.

    Raises:
        UsageError: A folder is no evaluation, names or choices do not fit, or the evaluations are of other references
            or lack the convention.
    """
    choice, settings = choice or Choice(), settings or ComparisonSettings()
    if choice.between not in BETWEEN:
        raise UsageError(f"--between: expected one of {', '.join(BETWEEN)}, got {choice.between!r}")
    least = 2 if choice.between == "models" else 1
    if len(evaluations) < least:
        raise UsageError(f"-i: expected at least {least} evaluations, got {len(evaluations)}")
    models = read_models(evaluations, names, choice.convention)
    check_comparable(models)
    rows = {model.name: model.rows for model in models}
    subjects = {case: subject for model in models for case, subject in model.subjects.items()}
    _check_choice(choice, rows)
    groups = list(_groups(rows, choice, baseline))
    if not groups:
        raise UsageError("nothing to compare: no metric is there for the chosen regions in all evaluations")
    compared = [
        row
        for measured, samples, first in progress(groups, label="comparing", quiet=quiet)
        for row in compare_samples(measured, samples, first, subjects, settings)
    ]
    result = corrected(compared, settings.correction)
    remarks = list(_remarks(models, subjects, settings))
    remove(output / COMPARISON_FILE)
    write_text(output / COMPARISON_PAGE, markdown(result, settings, remarks))
    write_csv(output / COMPARISON_FILE, (row._asdict() for row in result), ComparisonRow._fields)
    return ComparisonResult(output, result, remarks)


def _groups(
    rows: Mapping[str, Sequence[MetricRow]], choice: Choice, baseline: str | None
) -> Iterator[tuple[Measured, dict[str, Sample], str]]:
    """Yield what is compared: what was measured, the samples by name, the name of the baseline."""
    samples = _samples(rows, choice)
    if choice.between == "regions":
        yield from _groups_of_regions(samples, choice, baseline)
        return
    regions = choice.regions or (WHOLE,)
    first = _one_of("--baseline", baseline or next(iter(rows)), list(rows))
    for key in dict.fromkeys(key for model in samples.values() for key in model):
        if key.region in regions and all(key in model for model in samples.values()):
            yield key, {name: model[key] for name, model in samples.items()}, first


def _groups_of_regions(
    samples: Mapping[str, Mapping[Measured, Sample]], choice: Choice, baseline: str | None
) -> Iterator[tuple[Measured, dict[str, Sample], str]]:
    regions = choice.regions or tuple(CARDIAC_REGIONS)
    first = _one_of("--baseline", baseline or "middle", regions)
    for name, model in samples.items():
        for key in dict.fromkeys(key._replace(region="") for key in model):
            found = {f"{name}, {region}": model.get(key._replace(region=region), {}) for region in regions}
            known = {region: sample for region, sample in found.items() if sample}
            if len(known) > 1 and f"{name}, {first}" in known:
                yield key, known, f"{name}, {first}"


def _samples(rows: Mapping[str, Sequence[MetricRow]], choice: Choice) -> dict[str, dict[Measured, dict[str, float]]]:
    """Value by case, by what was measured, by model."""
    samples: dict[str, dict[Measured, dict[str, float]]] = {}
    for name, metrics in rows.items():
        model = samples.setdefault(name, {})
        for row in metrics:
            if row.metric in choice.metrics and (not choice.structures or row.structure in choice.structures):
                key = Measured(row.metric, row.structure, row.region, row.unit, row.convention)
                model.setdefault(key, {})[row.case] = row.value
    return samples


def _one_of(option: str, value: str, known: Sequence[str]) -> str:
    if value not in known:
        raise UsageError(f"{option}: expected one of {', '.join(known)}, got {value!r}")
    return value


def _check_choice(choice: Choice, rows: Mapping[str, Sequence[MetricRow]]) -> None:
    """Refuse a metric, structure or region that some evaluation lacks."""
    options = (("--metric", "metric", choice.metrics), ("--structures", "structure", choice.structures),
               ("--regions", "region", choice.regions))  # fmt: skip
    for name, metrics in rows.items():
        for option, field, wanted in options:
            known = dict.fromkeys(getattr(row, field) for row in metrics)
            for value in wanted:
                if value not in known:
                    raise UsageError(f"{option}: expected one of {', '.join(known)} ({name}), got {value!r}")


def _remarks(
    models: Sequence[ScoredModel], subjects: Mapping[str, str], settings: ComparisonSettings
) -> Iterator[str]:
    every = frozenset[str]().union(*(model.cases for model in models))
    owners = {subjects.get(case, case) for case in every}
    for model in models:
        absent = len(every) - len(model.cases)
        if absent:
            yield f"{model.name}: {absent} of {len(every)} cases are missing; paired comparisons use the cases of both"
    if settings.unit == "case" and len(owners) < len(every):
        yield (
            f"{len(every)} cases of {len(owners)} subjects: the test takes the cases as independent, which makes p too "
            "small; --unit subject averages them first (intervals are drawn by subject in either case)"
        )
