"""Scores a folder of segmentations against a folder of references and writes the tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from nnunet_cardiac_ext import case_table
from nnunet_cardiac_ext.case_table import CaseRow
from nnunet_cardiac_ext.errors import WorkError
from nnunet_cardiac_ext.evaluation.clinical import check_phases
from nnunet_cardiac_ext.evaluation.facts import Request, facts
from nnunet_cardiac_ext.evaluation.folder_tables import (
    CLINICAL_FILE,
    FACTS_FILE,
    METRICS_FILE,
    PROFILES_FILE,
    SLICES_FILE,
    SUMMARY_FILE,
    write_tables,
)
from nnunet_cardiac_ext.evaluation.inputs import Pairing, find_labels, pair_cases, remark_on_labels
from nnunet_cardiac_ext.evaluation.journal import Journal
from nnunet_cardiac_ext.evaluation.metrics import CONVENTION, NSD_TOLERANCE_MM
from nnunet_cardiac_ext.evaluation.scoring import WHOLE, MetricRow
from nnunet_cardiac_ext.evaluation.scoring_pool import score_pairs
from nnunet_cardiac_ext.evaluation.scoring_settings import DEFAULT_SCHEME, ScoringSettings
from nnunet_cardiac_ext.evaluation.summary import SummaryRow, check_columns
from nnunet_cardiac_ext.evaluation.typed_rows import read_typed_rows
from nnunet_cardiac_ext.files import write_json
from nnunet_cardiac_ext.processes import number_of_workers
from nnunet_cardiac_ext.progress import progress

__all__ = [
    "CLINICAL_FILE", "FACTS_FILE", "METRICS_FILE", "PROFILES_FILE", "SLICES_FILE", "SUMMARY_FILE",
    "EvaluationResult", "evaluate",
]  # fmt: skip

# A worker process takes a second or two to start, a case a sixtieth of one: below this number of cases it does not pay.
CASES_WORTH_A_WORKER = 100


@dataclass(frozen=True)
class EvaluationResult:
    """What was scored, and what was not.

    Attributes:
        output: The folder with the tables.
        summary: The rows of `summary.csv`.
        cases: Names of the scored cases.
        failures: One line by case that could not be scored.
        remarks: One line each: odd cases, predictions without a reference, cases that the case table does not have.
        unpredicted: Cases of the reference without a prediction; they are not scored.
    """

    output: Path
    summary: list[SummaryRow]
    cases: tuple[str, ...]
    failures: Mapping[str, str]
    remarks: Sequence[str]
    unpredicted: tuple[str, ...]

    @cached_property
    def metrics(self) -> list[MetricRow]:
        """The rows of `metrics.csv`, read when they are first asked for."""
        rows: list[MetricRow] = read_typed_rows(MetricRow, self.output / METRICS_FILE)
        return rows

    def mean(self, metric: str, structure: str, region: str = WHOLE, convention: str = CONVENTION) -> float:
        """Return the mean over all cases; NaN where nothing is defined."""
        wanted = ("", structure, region, metric, convention)
        found = [r.mean for r in self.summary if (r.column, r.structure, r.region, r.metric, r.convention) == wanted]
        return found[0] if found else float("nan")


def evaluate(
    reference: Path,
    prediction: Path,
    output: Path,
    *,
    labels: Mapping[str, int] | None = None,
    cases: Path | None = None,
    by: Sequence[str] = (),
    conventions: Sequence[str] = (CONVENTION,),
    metrics: Sequence[str] | None = None,
    scheme: str = DEFAULT_SCHEME,
    nsd_tolerance: float = NSD_TOLERANCE_MM,
    slices: bool = False,
    workers: int | None = None,
    quiet: bool = False,
) -> EvaluationResult:
    """Score segmentations and write `metrics.csv`, `summary.csv`, `clinical.csv`, `profiles.csv`, `evaluation.json`.

    Files are matched by name without ending. The reference may hold more cases than were predicted. Interrupted and
    called again, it goes on where it stopped; files that changed meanwhile are scored again.

    Args:
        reference: Folder of reference labels.
        prediction: Folder of predicted labels.
        output: Folder for the tables.
        labels: Label value by structure in both folders; other values in the files are then background. By default
            the labels are those of the data set's `dataset.json`, or cine's, and another value is an error.
        cases: Case table; by default `cases.csv` beside the reference folder, where it exists.
        by: Columns of the case table to summarise by.
        conventions: Names of `conventions.CONVENTIONS` or aliases.
        metrics: Names of metrics; by default all of each convention but those on request (`hd_pixels`).
        scheme: Regions of `metrics.csv`: "20/60/20" or "thirds".
        nsd_tolerance: Tolerance of the normalised surface Dice in mm.
        slices: Whether `slices.csv` is written too.
        workers: Number of processes; by default one per core, fewer where there are few cases. A script that calls
            this with more than one guards its own start by `if __name__ == "__main__"`.
        quiet: No progress bar.

    Returns:
        The rows, and what failed. Failed cases are not in the tables.

    Raises:
        UsageError: Folders, labels, case table, columns or choices do not fit together.
        WorkError: No case could be scored, or a worker process died.
    """
    pairing = pair_cases(reference, prediction)
    settings = ScoringSettings(
        labels or find_labels(reference, prediction), tuple(conventions), tuple(metrics) if metrics else None,
        scheme, nsd_tolerance, slices, others_as_background=bool(labels),
    )  # fmt: skip
    request = Request(reference, prediction, output, settings, cases or _cases_beside(reference), by)
    table = case_table.read_case_table(request.cases) if request.cases else []
    check_columns(table, by)
    check_phases(table, pairing.pairs)
    return _evaluate(request, pairing, table, workers=workers, quiet=quiet)


def _cases_beside(reference: Path) -> Path | None:
    path = reference.resolve().parent / case_table.FILE_NAME
    return path if path.is_file() else None


def _evaluate(
    request: Request, pairing: Pairing, table: Sequence[CaseRow], *, workers: int | None, quiet: bool
) -> EvaluationResult:
    journal = Journal(request.output, request.settings.digest())
    failures = _score(pairing, request.settings, journal, workers=workers, quiet=quiet)
    scored = tuple(sorted(pairing.pairs.keys() - failures.keys()))
    if not scored:
        raise WorkError(f"no case could be scored; the first: {next(iter(failures.values()))}")
    result = _write(request, pairing, table, journal, scored, failures)
    if not failures:
        # With failures it stays, so that repaired files alone are scored by the next call.
        journal.remove()
    return result


def _score(
    pairing: Pairing, settings: ScoringSettings, journal: Journal, *, workers: int | None, quiet: bool
) -> dict[str, str]:
    """Score what the journal does not hold yet; return one line by case that failed."""
    left = {case: files for case, files in pairing.pairs.items() if not journal.holds(case, files)}
    count = number_of_workers(workers, len(left), jobs_per_worker=CASES_WORTH_A_WORKER)
    outcomes = score_pairs(left, settings, workers=count)
    failures: dict[str, str] = {}
    for outcome in progress(outcomes, label="evaluating", total=len(left), quiet=quiet):
        if outcome.score:
            journal.add(outcome.score, left[outcome.case])
        else:
            failures[outcome.case] = outcome.failure
    return dict(sorted(failures.items()))  # as if scored one after the other, whatever worker was faster


def _write(
    request: Request,
    pairing: Pairing,
    table: Sequence[CaseRow],
    journal: Journal,
    scored: tuple[str, ...],
    failures: Mapping[str, str],
) -> EvaluationResult:
    written = write_tables(
        request.output, journal.scores(scored), table, request.by, slices=request.settings.slices
    )
    remarks = [*written.remarks, *_other_labels(written.other_labels)]
    remarks += [f"{case}: predicted, but there is no reference; left out" for case in pairing.unreferenced]
    remarks += _not_in_table(scored, table)
    if not request.settings.others_as_background:
        remarks += remark_on_labels(request.reference, request.prediction)
    content = facts(
        request, cases=len(scored), failures=failures, remarks=remarks, unpredicted=pairing.unpredicted
    )
    write_json(request.output / FACTS_FILE, content)
    return EvaluationResult(request.output, written.summary, scored, failures, remarks, pairing.unpredicted)


def _other_labels(values: Sequence[int]) -> list[str]:
    if not values:
        return []
    return [f"label values {', '.join(map(str, values))} are not named by --labels; they were taken for background"]


def _not_in_table(cases: Sequence[str], table: Sequence[CaseRow]) -> list[str]:
    unknown = sorted(set(cases) - {row.case for row in table}) if table else []
    if not unknown:
        return []
    others = f" and {len(unknown) - 1} more" if len(unknown) > 1 else ""
    return [f"{unknown[0]}{others}: no line in the case table, so in no group and without a phase"]
