"""The tables of an evaluation, read back."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from nnunet_cardiac_ext.case_table import CaseRow, read_case_table
from nnunet_cardiac_ext.errors import UsageError
from nnunet_cardiac_ext.evaluation.clinical import CLINICAL_NAMES, SIDES
from nnunet_cardiac_ext.evaluation.folder import CLINICAL_FILE, FACTS_FILE, METRICS_FILE, PROFILES_FILE, SUMMARY_FILE
from nnunet_cardiac_ext.evaluation.metrics import CONVENTION
from nnunet_cardiac_ext.evaluation.profiles import PROFILE_POINTS
from nnunet_cardiac_ext.evaluation.scoring import WHOLE, MetricRow
from nnunet_cardiac_ext.evaluation.summary import SummaryRow
from nnunet_cardiac_ext.evaluation.typed_rows import read_typed_rows
from nnunet_cardiac_ext.files import iterate_csv, read_csv, read_json

# What the report asks of evaluation.json.
FACTS = frozenset(
    ("by", "command", "created", "failures", "labels", "prediction", "reference", "remarks", "unpredicted", "versions")
)
# What the report shows of each case, by our convention.
NEEDED = frozenset(("dice", "hd95", "assd"))
# What is kept of `metrics.csv` by our convention; of 5,000 cases the whole table would take gigabytes.
KEPT = NEEDED | {"hd", "nsd", *SIDES.values()}


@dataclass(frozen=True)
class Evaluation:
    """What `evaluate` wrote.

    Attributes:
        facts: `evaluation.json`.
        metrics: The rows of `metrics.csv` by our convention that hold one of `KEPT`.
        summary: The rows of `summary.csv` by our convention.
        clinical: The numbers of `clinical.csv` by column, one mapping per line.
        profiles: Dice from base to apex by structure, shape (case, 101).
        case_rows: Rows of the case table by case; empty without one.
    """

    facts: Mapping[str, Any]
    metrics: list[MetricRow]
    summary: list[SummaryRow]
    clinical: list[dict[str, float]]
    profiles: Mapping[str, np.ndarray]
    case_rows: Mapping[str, CaseRow]

    @cached_property
    def values(self) -> Mapping[str, Mapping[tuple[str, str, str], MetricRow]]:
        """Row by case and (structure, region, metric)."""
        table: dict[str, dict[tuple[str, str, str], MetricRow]] = defaultdict(dict)
        for row in self.metrics:
            table[row.case][row.structure, row.region, row.metric] = row
        return table

    @cached_property
    def cases(self) -> tuple[str, ...]:
        """Names of the scored cases."""
        return tuple(self.values)

    def value(self, case: str, structure: str, metric: str, region: str = WHOLE) -> float:
        """Return a number of `metrics.csv`; NaN where there is none."""
        row = self.values[case].get((structure, region, metric))
        return row.value if row else float("nan")


def read_evaluation(folder: Path) -> Evaluation:
    """Read the tables that `evaluate` wrote.

    Raises:
        UsageError: A file is absent or not what `evaluate` writes.
    """
    facts = read_json(folder / FACTS_FILE)
    if not isinstance(facts, dict) or not facts.keys() >= FACTS:
        raise UsageError(f"{folder / FACTS_FILE}: expected the keys {', '.join(sorted(FACTS))}; evaluate again")
    table = Path(facts["case_table"]) if facts.get("case_table") else None
    rows = read_case_table(table) if table and table.is_file() else []
    metrics = read_typed_rows(MetricRow, folder / METRICS_FILE, _is_kept)
    if next(iterate_csv(folder / METRICS_FILE), None) is None:
        raise UsageError(f"{folder / METRICS_FILE}: expected at least one row, found none")
    missing = NEEDED - {row.metric for row in metrics}
    if missing:
        raise UsageError(
            f"{folder / METRICS_FILE}: expected {', '.join(sorted(NEEDED))} by the convention {CONVENTION}, "
            f"found no {', '.join(sorted(missing))}; evaluate again"
        )
    return Evaluation(
        facts=facts,
        metrics=metrics,
        summary=read_typed_rows(SummaryRow, folder / SUMMARY_FILE, _is_ours),
        clinical=_numbers(folder / CLINICAL_FILE),
        profiles=_profiles(folder / PROFILES_FILE),
        case_rows={row.case: row for row in rows},
    )


def _is_ours(cells: Mapping[str, str]) -> bool:
    # A line without the column goes through, so that its absence is told.
    return cells.get("convention", CONVENTION) == CONVENTION


def _is_kept(cells: Mapping[str, str]) -> bool:
    return _is_ours(cells) and ("metric" not in cells or cells["metric"] in KEPT)


def _numbers(path: Path) -> list[dict[str, float]]:
    try:
        return [{name: float(row[name]) for name in row if name not in CLINICAL_NAMES} for row in read_csv(path)]
    except ValueError as error:
        raise UsageError(f"{path}: expected numbers, stopped at {error}") from error


def _profiles(path: Path) -> dict[str, np.ndarray]:
    found: dict[str, list[list[float]]] = defaultdict(list)
    try:
        for row in iterate_csv(path):
            found[row["structure"]].append([float(row[str(i)]) for i in range(PROFILE_POINTS)])
    except (KeyError, ValueError) as error:
        raise UsageError(f"{path}: expected structure and the points 0 to 100, stopped at {error}") from error
    return {structure: np.array(values) for structure, values in found.items()}
