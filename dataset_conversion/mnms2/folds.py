"""Folds that a subject shares between the views."""

from __future__ import annotations

from collections.abc import Sequence

from dataset_conversion.splits import Splits, split_by_subject
from nnunet_cardiac_ext.case_table import CaseRow

# Folds are even over the diseases first: they change the hearts' shapes, the vendors only their look.
STRATIFIED_BY = ("group", "vendor")


def same_folds(rows: Sequence[CaseRow], *, roster: Sequence[CaseRow], folds: int, seed: int) -> Splits:
    """Deal the subjects of a roster to folds and return the cases of those that are there.

    A subject that fails in one view thus moves none of the others to another fold.

    Args:
        rows: The training cases.
        roster: One row per training subject of the source, whether or not it could be converted; `case` is unused.
        folds: Number of folds.
        seed: Seed of the deal.

    Returns:
        Per fold the sorted cases of "train" and "val"; a fold that would lack either is left out.
    """
    present = {row.subject for row in rows}
    splits = []
    for fold in split_by_subject([*roster], folds=folds, seed=seed, by=STRATIFIED_BY):
        validating = set(fold["val"])
        parts = {
            "train": sorted(row.case for row in rows if row.subject not in validating),
            "val": sorted(row.case for row in rows if row.subject in validating),
        }
        if present & validating and present - validating:
            splits.append(parts)
    return splits
