"""The region classifier's answers against the regions of the labels, read for the report.

The table has one line per slice with the columns `case`, `slice` (counted from 0), `region` (from the labels; empty
where they tell none), `predicted` and, if there, `ordered` (the answers in anatomical order). Regions are names,
usually those of `regions.REGION_NAMES`. `regions.csv` of `RegionClassifierTrainer` and of `predict region-cascade` is
such a table.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from nnunet_cardiac_ext.errors import UsageError
from nnunet_cardiac_ext.evaluation.region_scores import Confusion
from nnunet_cardiac_ext.files import iterate_csv
from nnunet_cardiac_ext.regions import REGION_NAMES

COLUMNS = ("case", "slice", "region", "predicted")
ORDERED = "ordered"
# Regions are four; a table of many more names is some other table.
MOST_CLASSES = 12


@dataclass(frozen=True)
class Classification:
    """What a classifier answered.

    Attributes:
        cases: Number of cases with a slice whose region is known.
        unknown: Number of slices without a region from the labels; they count nowhere else.
        predicted: The answers slice by slice.
        ordered: The answers in anatomical order, over the slices that have one; None where there are none.
    """

    cases: int
    unknown: int
    predicted: Confusion
    ordered: Confusion | None


def read_classification(path: Path) -> Classification:
    """Read the table of a region classifier.

    Raises:
        UsageError: The file is absent, lacks a column or an answer, or holds no regions.
    """
    predicted: Counter[tuple[str, str]] = Counter()
    ordered: Counter[tuple[str, str]] = Counter()
    cases, unknown = set(), 0
    for cells in _lines(path):
        if not cells["region"]:
            unknown += 1
            continue
        cases.add(cells["case"])
        predicted[cells["region"], cells["predicted"]] += 1
        if cells.get(ORDERED):
            ordered[cells["region"], cells[ORDERED]] += 1
    if unknown and not predicted:
        raise UsageError(f"{path}: expected slices with a region from the labels, got none ({unknown} without)")
    names = _names(path, {name for pair in (*predicted, *ordered) for name in pair})
    return Classification(
        len(cases), unknown, Confusion(names, predicted), Confusion(names, ordered) if ordered else None
    )


def _lines(path: Path) -> Iterator[dict[str, str]]:
    for number, cells in enumerate(iterate_csv(path), start=2):
        if not cells.keys() >= set(COLUMNS):
            raise UsageError(f"{path}: expected the columns {', '.join(COLUMNS)}, got {', '.join(cells)}")
        if not cells["predicted"]:
            raise UsageError(f"{path}, line {number}: expected a region as predicted, got an empty cell")
        yield cells


def _names(path: Path, found: set[str]) -> tuple[str, ...]:
    """The known names in their order, then the others; UsageError where they are too few or too many."""
    known = tuple(REGION_NAMES.values())
    if not 1 <= len(found) <= MOST_CLASSES:
        raise UsageError(f"{path}: expected 1 to {MOST_CLASSES} regions ({', '.join(known)}), got {len(found)}")
    return (*(name for name in known if name in found), *sorted(found.difference(known)))
