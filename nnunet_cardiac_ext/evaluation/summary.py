"""Means over cases, of all and of each group of the case table."""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from nnunet_cardiac_ext.case_table import COLUMNS, CaseRow
from nnunet_cardiac_ext.errors import UsageError
from nnunet_cardiac_ext.evaluation.scoring import MetricRow

ALL_CASES = "all"


class Statistics(NamedTuple):
    """Mean and spread of the defined values.

    Attributes:
        n: Number of defined values.
        n_undefined: Number of NaN, which are left out of the rest.
        mean: NaN where n = 0.
        sd: Standard deviation of a sample (n - 1); NaN where n < 2.
        median: NaN where n = 0.
        q1: First quartile.
        q3: Third quartile.
    """

    n: int
    n_undefined: int
    mean: float
    sd: float
    median: float
    q1: float
    q3: float


class SummaryRow(NamedTuple):
    """One line of `summary.csv`: the column of the case table and its value, what was measured, the statistics."""

    column: str
    group: str
    structure: str
    region: str
    metric: str
    unit: str
    convention: str
    n: int
    n_undefined: int
    mean: float
    sd: float
    median: float
    q1: float
    q3: float


def statistics(values: Iterable[float]) -> Statistics:
    """Summarise values; NaN are counted and left out."""
    found = np.asarray(list(values), dtype=float)
    known = found[np.isfinite(found)]
    undefined = len(found) - len(known)
    if not len(known):
        return Statistics(0, undefined, *[float("nan")] * 5)
    q1, median, q3 = (float(value) for value in np.percentile(known, (25, 50, 75)))
    spread = float(known.std(ddof=1)) if len(known) > 1 else float("nan")
    return Statistics(len(known), undefined, float(known.mean()), spread, median, q1, q3)


class Values:
    """The numbers of `metrics.csv` without their words: what is kept of each case until all are summarised."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self._values: dict[tuple[str, ...], array[float]] = defaultdict(lambda: array("d"))
        self._cases: dict[tuple[str, ...], array[int]] = defaultdict(lambda: array("q"))

    def add(self, row: MetricRow) -> None:
        """Take in one row."""
        key = row.structure, row.region, row.metric, row.unit, row.convention
        self._values[key].append(row.value)
        self._cases[key].append(self._numbers.setdefault(row.case, len(self._numbers)))

    def summarise(self, cases: Sequence[CaseRow], by: Sequence[str]) -> list[SummaryRow]:
        """Summarise over all cases, then over the groups of each column; as the function `summarise`."""
        check_columns(cases, by)
        summary = list(self._group("", ALL_CASES, None))
        for column in by:
            groups = _group_by_case(cases, column)
            group_of = np.array([groups.get(case, "") for case in self._numbers])
            for group in sorted(set(group_of.tolist()) - {""}):
                summary += self._group(column, group, group_of == group)
        return summary

    def _group(self, column: str, group: str, members: np.ndarray | None) -> Iterator[SummaryRow]:
        for key, values in self._values.items():
            found = np.asarray(values)
            if members is not None:
                found = found[members[np.asarray(self._cases[key])]]
            if len(found):
                structure, region, metric, unit, convention = key
                yield SummaryRow(column, group, structure, region, metric, unit, convention, *statistics(found))


def summarise(rows: Iterable[MetricRow], cases: Sequence[CaseRow], by: Sequence[str]) -> list[SummaryRow]:
    """Summarise over all cases, then over the groups of each column.

    Args:
        rows: The rows of `metrics.csv`.
        cases: The case table.
        by: Columns of the case table; cases without a value there are left out of its groups.

    Returns:
        Rows in the order of the columns, groups (sorted), conventions, structures, regions and metrics.

    Raises:
        UsageError: A column is not in the case table.
    """
    check_columns(cases, by)
    values = Values()
    for row in rows:
        values.add(row)
    return values.summarise(cases, by)


def check_columns(cases: Sequence[CaseRow], by: Sequence[str]) -> None:
    """Raise UsageError unless all columns are in the case table."""
    known = [name for name in COLUMNS if name != "case"] + sorted({key for row in cases for key in row.extra})
    for column in by:
        if not cases:
            raise UsageError(f"--by {column}: expected a case table (cases.csv), found none; name it with --cases")
        if column not in known:
            raise UsageError(f"--by {column}: expected a column of cases.csv ({', '.join(known)})")


def _group_by_case(cases: Sequence[CaseRow], column: str) -> Mapping[str, str]:
    groups = {row.case: row.extra.get(column, getattr(row, column, "")) for row in cases}
    return {case: "" if value is None else str(value) for case, value in groups.items()}
