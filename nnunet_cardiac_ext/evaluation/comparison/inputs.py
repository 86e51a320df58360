"""What a comparison reads of each evaluation, and whether evaluations can be compared at all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from nnunet_cardiac_ext.case_table import read_case_table
from nnunet_cardiac_ext.errors import UsageError
from nnunet_cardiac_ext.evaluation.folder import FACTS_FILE, METRICS_FILE
from nnunet_cardiac_ext.evaluation.scoring import WHOLE, MetricRow
from nnunet_cardiac_ext.evaluation.typed_rows import read_typed_rows
from nnunet_cardiac_ext.files import read_json

# Volumes are written with all digits; the same mask gives the same number.
VOLUME_TOLERANCE = 1e-6
# Choices of an evaluation without which its numbers are others, as `evaluation.json` names them.
CHOICES = ("scheme", "nsd_tolerance_mm")


@dataclass(frozen=True)
class ScoredModel:
    """The evaluation of one model.

    Attributes:
        name: How tables call it.
        facts: `evaluation.json`.
        rows: The rows of `metrics.csv` by the chosen convention.
        subjects: Subject by case, as far as its case table is there.
    """

    name: str
    facts: Mapping[str, Any]
    rows: Sequence[MetricRow]
    subjects: Mapping[str, str]

    @cached_property
    def cases(self) -> frozenset[str]:
        """The scored cases."""
        return frozenset(row.case for row in self.rows)

    @cached_property
    def reference_volumes(self) -> Mapping[tuple[str, str], float]:
        """Volume in ml by case and structure of the reference; empty where it was not computed."""
        chosen = (row for row in self.rows if row.metric == "reference_volume" and row.region == WHOLE)
        return {(row.case, row.structure): row.value for row in chosen}


def read_models(folders: Sequence[Path], names: Sequence[str], convention: str) -> list[ScoredModel]:
    """Read the evaluations.

    Args:
        folders: Folders that `evaluate` wrote.
        names: A name for each; none: the names of the folders.
        convention: The definition of the metrics.

    Raises:
        UsageError: A folder is no evaluation or lacks the convention, or the names do not fit.
    """
    names = names or [folder.resolve().name for folder in folders]
    if len(names) != len(folders):
        raise UsageError(f"--names: expected {len(folders)} names, one per evaluation, got {len(names)}")
    if len(set(names)) < len(names):
        raise UsageError(f"--names: expected a name of its own for each evaluation, got {', '.join(names)}")
    return [_read(folder, name, convention) for folder, name in zip(folders, names, strict=True)]


def check_comparable(models: Sequence[ScoredModel]) -> None:
    """Check that all models were scored against the reference of the first, and in the same way.

    The same reference is one whose structures have the same volumes in the cases of both; where volumes were not
    computed, one in the same folder.

    Raises:
        UsageError: They were not, or a model shares no case with the first.
    """
    first = models[0]
    for model in models[1:]:
        if not first.cases & model.cases:
            raise UsageError(f"{model.name}: expected cases of {first.name}, got none of them")
        for key in CHOICES:
            expected, found = first.facts.get(key), model.facts.get(key)
            if expected != found:
                raise UsageError(f"{model.name}: expected {key} {expected} as in {first.name}, got {found}")
        _check_reference(first, model)


def _check_reference(first: ScoredModel, model: ScoredModel) -> None:
    shared = sorted(first.reference_volumes.keys() & model.reference_volumes.keys())
    for case, structure in shared:
        a, b = (each.reference_volumes[case, structure] for each in (first, model))
        if not np.isclose(a, b, rtol=VOLUME_TOLERANCE, atol=0, equal_nan=True):
            raise UsageError(
                f"{model.name}: expected the reference of {first.name}, got another one: {structure} of {case} has "
                f"{b:g} ml instead of {a:g} ml"
            )
    folders = first.facts.get("reference"), model.facts.get("reference")
    if not shared and folders[0] != folders[1]:
        raise UsageError(f"{model.name}: expected the reference of {first.name}, {folders[0]}, got {folders[1]}")


def _read(folder: Path, name: str, convention: str) -> ScoredModel:
    facts = read_json(folder / FACTS_FILE)
    if not isinstance(facts, dict):
        raise UsageError(f"{folder / FACTS_FILE}: expected the facts of an evaluation; evaluate again")
    metrics: list[MetricRow] = read_typed_rows(MetricRow, folder / METRICS_FILE)
    rows = [row for row in metrics if row.convention == convention]
    if not rows:
        found = ", ".join(dict.fromkeys(row.convention for row in metrics)) or "no row"
        raise UsageError(f"{folder / METRICS_FILE}: expected the convention {convention}, got {found}")
    table = Path(facts["case_table"]) if facts.get("case_table") else None
    cases = read_case_table(table) if table and table.is_file() else []
    return ScoredModel(name, facts, rows, {row.case: row.subject for row in cases})
