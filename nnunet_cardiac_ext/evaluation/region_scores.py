"""How well regions of slices are found: confusion matrix, precision, recall, accuracy, anatomical order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from nnunet_cardiac_ext.region_chain import in_order
from nnunet_cardiac_ext.regions import REGION_NAMES, Region


@dataclass(frozen=True)
class Confusion:
    """How often each region was taken for each.

    Attributes:
        names: The regions, in the order of rows and columns.
        counts: Number of slices by (region of the reference, predicted region).
    """

    names: tuple[str, ...]
    counts: Counter[tuple[str, str]]

    @property
    def total(self) -> int:
        """Number of slices."""
        return sum(self.counts.values())

    @property
    def accuracy(self) -> float:
        """Share of slices whose region was found; NaN without slices."""
        return _ratio(sum(self.counts[name, name] for name in self.names), self.total)

    @property
    def weighted_precision(self) -> float:
        """Mean precision of the regions, weighted by their support; NaN without slices.

        A region that was never predicted has no precision and counts as 0 here: it has support and none of it was
        found. scikit-learn does the same unless told otherwise, and paper 002 gives averages of this kind (Table 2).
        """
        defined = {name: self.precision(name) for name in self.names if self.predicted(name)}
        return _ratio(sum(self.support(name) * value for name, value in defined.items()), self.total)

    @property
    def weighted_recall(self) -> float:
        """Mean recall of the regions, weighted by their support, which is the accuracy; NaN without slices."""
        return self.accuracy

    def support(self, name: str) -> int:
        """Number of slices of a region in the reference."""
        return sum(self.counts[name, other] for other in self.names)

    def predicted(self, name: str) -> int:
        """Number of slices taken for a region."""
        return sum(self.counts[other, name] for other in self.names)

    def share(self, name: str, predicted: str) -> float:
        """Share of a region's slices that were taken for `predicted`; NaN where it has none."""
        return _ratio(self.counts[name, predicted], self.support(name))

    def recall(self, name: str) -> float:
        """Share of a region's slices that were taken for it; NaN where it has none."""
        return self.share(name, name)

    def precision(self, name: str) -> float:
        """Share of the slices taken for a region that are of it; NaN where none was."""
        return _ratio(self.counts[name, name], self.predicted(name))


def confusion_of(pairs: Iterable[tuple[Region | None, Region | None]]) -> Confusion:
    """Count pairs of reference and prediction, one per slice, over all four regions; pairs with None are left out."""
    known = ((region, predicted) for region, predicted in pairs if region is not None and predicted is not None)
    names = ((REGION_NAMES[region], REGION_NAMES[predicted]) for region, predicted in known)
    return Confusion(tuple(REGION_NAMES.values()), Counter(names))


def region_scores(pairs: Iterable[tuple[Region | None, Region | None]]) -> dict[str, Any]:
    """Return all numbers of a classification of slices as plain data.

    Args:
        pairs: Region of the reference and predicted region of each slice; pairs with None are left out.

    Returns:
        `slices`, `accuracy`; `precision` and `recall` by region and as `weighted` average; `support` by region;
        `confusion`, number of slices by region of the reference, then by predicted region. NaN is undefined.
    """
    found = confusion_of(pairs)
    return {
        "slices": found.total,
        "accuracy": found.accuracy,
        "precision": {"weighted": found.weighted_precision} | {name: found.precision(name) for name in found.names},
        "recall": {"weighted": found.weighted_recall} | {name: found.recall(name) for name in found.names},
        "support": {name: found.support(name) for name in found.names},
        "confusion": {name: {other: found.counts[name, other] for other in found.names} for name in found.names},
    }


def share_in_order(stacks: Iterable[Sequence[Region] | np.ndarray]) -> float:
    """Return the share of stacks whose regions follow each other as in a heart (`region_chain.in_order`).

    Args:
        stacks: Regions of the slices of each stack, one after the other.

    Returns:
        The share; NaN without stacks.
    """
    orderly = [in_order(np.asarray(stack, dtype=np.int64)) for stack in stacks]
    return _ratio(sum(orderly), len(orderly))


def _ratio(part: float, whole: int) -> float:
    return part / whole if whole else float("nan")
