"""The table of `nnunet-cardiac compare`, by what was measured."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby, islice
from pathlib import Path

from nnunet_cardiac_ext.evaluation.comparison.folder import COMPARISON_FILE
from nnunet_cardiac_ext.evaluation.comparison.hypothesis_tests import TESTS
from nnunet_cardiac_ext.evaluation.comparison.models import ComparisonRow
from nnunet_cardiac_ext.evaluation.comparison.page import CORRECTION_WORDS
from nnunet_cardiac_ext.evaluation.metrics import METRICS
from nnunet_cardiac_ext.evaluation.typed_rows import read_typed_rows

# Structures, regions and metrics multiply; the rest stands in comparison.csv.
MOST_TABLES = 24


@dataclass(frozen=True)
class Comparison:
    """What is shown.

    Attributes:
        tables: Title, digits and rows of each table.
        left_out: Number of tables that only the csv holds.
        test: Name of the test, its correction and effect size, in words.
    """

    tables: list[tuple[str, int, list[ComparisonRow]]]
    left_out: int
    test: str


def read_comparison(folder: Path) -> Comparison:
    """Read `comparison.csv`.

    Raises:
        UsageError: It is absent or no table of `nnunet-cardiac compare`.
    """
    rows: list[ComparisonRow] = read_typed_rows(ComparisonRow, folder / COMPARISON_FILE)
    groups = [list(group) for _, group in groupby(rows, key=lambda row: row[:5])]
    shown = [(_title(group[0]), 3 if group[0].unit == "1" else 2, group) for group in islice(groups, MOST_TABLES)]
    return Comparison(shown, len(groups) - len(shown), _test(rows))


def _title(row: ComparisonRow) -> str:
    metric = METRICS[row.metric].title if row.metric in METRICS else row.metric
    unit = "" if row.unit in ("", "1") else f", {row.unit}"
    where = "" if row.region in ("", "all") else f", {row.region}"
    return f"{row.structure}{where}: {metric}{unit}"


def _test(rows: list[ComparisonRow]) -> str:
    row = next((row for row in rows if row.test), None)
    if row is None:
        return ""
    title = TESTS[row.test].title if row.test in TESTS else row.test
    return f"{title}, {CORRECTION_WORDS.get(row.correction, row.correction)}. Effect: {row.effect_name}."
