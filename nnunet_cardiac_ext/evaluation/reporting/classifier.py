"""The region classifier's answers against the regions of the labels: a confusion matrix.

The table has one line per slice with the columns `case`, `slice` (counted from 0), `region` (from the labels) and
`predicted`; both are names, usually those of `REGION_ORDER`.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from nnunet_cardiac_ext.errors import UsageError
from nnunet_cardiac_ext.files import iterate_csv

COLUMNS = ("case", "slice", "region", "predicted")
REGION_ORDER = ("non-cardiac", "base", "middle", "apex")
# Regions are four; a table of many more names is some other table.
MOST_CLASSES = 12


@dataclass(frozen=True)
class Confusion:
    """How often each region was taken for each.

    Attributes:
        names: The regions, in the order of rows and columns.
        counts: Number of slices by (region, predicted).
        cases: Number of cases.
    """

    names: tuple[str, ...]
    counts: Counter[tuple[str, str]]
    cases: int

    @property
    def total(self) -> int:
        """Number of slices."""
        return sum(self.counts.values())

    @property
    def accuracy(self) -> float:
        """Share of slices whose region was found."""
        return sum(self.counts[name, name] for name in self.names) / self.total

    def row_total(self, name: str) -> int:
        """Number of slices of a region."""
        return sum(self.counts[name, other] for other in self.names)

    def share(self, name: str, predicted: str) -> float:
        """Share of a region's slices that were taken for `predicted`; NaN where it has none."""
        total = self.row_total(name)
        return self.counts[name, predicted] / total if total else float("nan")

    def precision(self, name: str) -> float:
        """Share of the slices taken for a region that are of it; NaN where none was."""
        total = sum(self.counts[other, name] for other in self.names)
        return self.counts[name, name] / total if total else float("nan")


def read_confusion(path: Path) -> Confusion:
    """Read the table of a region classifier.

    Raises:
        UsageError: The file is absent or empty, lacks a column, or holds no regions.
    """
    counts: Counter[tuple[str, str]] = Counter()
    cases = set()
    for cells in iterate_csv(path):
        if not cells.keys() >= set(COLUMNS):
            raise UsageError(f"{path}: expected the columns {', '.join(COLUMNS)}, got {', '.join(cells)}")
        counts[cells["region"], cells["predicted"]] += 1
        cases.add(cells["case"])
    names = {name for pair in counts for name in pair}
    if not 1 <= len(names) <= MOST_CLASSES:
        raise UsageError(f"{path}: expected 1 to {MOST_CLASSES} regions ({', '.join(REGION_ORDER)}), got {len(names)}")
    known = tuple(name for name in REGION_ORDER if name in names)
    return Confusion((*known, *sorted(names - set(known))), counts, len(cases))
