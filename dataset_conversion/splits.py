"""Folds for cross-validation: by subject, stratified by group, in nnU-Net's format."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

from nnunet_cardiac_ext.case_table import CaseRow
from nnunet_cardiac_ext.errors import WorkError
from nnunet_cardiac_ext.files import read_json, write_json

FILE_NAME = "splits_final.json"
Splits = list[dict[str, list[str]]]


def split_by_subject(rows: Sequence[CaseRow], *, folds: int, seed: int, by: Sequence[str] = ("group",)) -> Splits:
    """Deal the subjects of each group, shuffled, to the folds in turn.

    The deal goes on from group to group, so that the folds differ by at most one subject in all and in each group. Of
    several columns the folds are even in the first, and in each combination.

    Args:
        rows: The training cases.
        folds: Number of folds; fewer subjects than that give as many folds as there are subjects.
        seed: Seed of the shuffle.
        by: Columns whose values make the groups: fields of `CaseRow` or extra columns.

    Returns:
        Per fold the sorted cases of "train" and "val". None if there are fewer than two subjects: nothing to split.

    Raises:
        ValueError: A subject is in two groups.
    """
    groups = _subjects_by_group(rows, by)
    count = min(folds, sum(len(subjects) for subjects in groups.values()))
    if count < 2:
        return []
    shuffled: list[str] = []
    generator = random.Random(seed)
    for _, subjects in sorted(groups.items()):
        shuffled += generator.sample(subjects, len(subjects))
    fold_of = {subject: index % count for index, subject in enumerate(shuffled)}
    return [
        {
            "train": sorted(row.case for row in rows if fold_of[row.subject] != fold),
            "val": sorted(row.case for row in rows if fold_of[row.subject] == fold),
        }
        for fold in range(count)
    ]


def leave_one_out(rows: Sequence[CaseRow], column: str) -> Splits:
    """Make one fold per value of a column: its subjects are the validation part, all others train.

    Args:
        rows: The training cases.
        column: Name of a field of `CaseRow` or of one of its extra columns ("vendor", "centre").

    Returns:
        Per fold the sorted cases of "train" and "val", folds in the order of the values.

    Raises:
        ValueError: A case has no value there, a subject has two, or all have the same: there is nothing to leave out.
    """
    value_of: dict[str, str] = {}
    for row in rows:
        value = _value(row, column)
        if not value:
            raise ValueError(f"{row.case}: expected a {column} to leave out, found none")
        if value_of.setdefault(row.subject, value) != value:
            raise ValueError(f"{row.subject}: expected one {column}, got {value_of[row.subject]} and {value}")
    values = sorted(set(value_of.values()))
    if len(values) < 2:
        raise ValueError(f"expected two values of {column} or more to leave one out, got {', '.join(values) or 'none'}")
    return [
        {
            "train": sorted(row.case for row in rows if value_of[row.subject] != left_out),
            "val": sorted(row.case for row in rows if value_of[row.subject] == left_out),
        }
        for left_out in values
    ]


def leaks(splits: Splits, subject_of: Mapping[str, str]) -> int:
    """Return how many subjects have cases on both sides of a fold, summed over the folds; it must be 0."""
    subjects = [{part: {subject_of[case] for case in cases} for part, cases in fold.items()} for fold in splits]
    return sum(len(fold["train"] & fold["val"]) for fold in subjects)


def write_splits(splits: Splits, folders: Sequence[Path], *, overwrite: bool) -> None:
    """Write splits_final.json into each folder.

    nnU-Net trains by the file in its folder of preprocessed data. Preprocessing leaves that file alone, and planning
    stops if the one in the raw folder differs from it; so both are written, or neither.

    Args:
        splits: The folds; where there are none, nothing is written.
        folders: The data set's raw folder and, where it is known, its preprocessed one. They are made if need be.
        overwrite: Whether to replace a file that says something else.

    Raises:
        WorkError: A folder holds a different file and `overwrite` is not set; nothing is written.
    """
    paths = [folder / FILE_NAME for folder in folders]
    for path in paths if not overwrite else ():
        if path.exists() and not _same(read_json(path), splits):
            raise WorkError(
                f"{path}: expected the folds of this conversion, found others, which are kept; models trained on them "
                "stay comparable. --overwrite-splits replaces them"
            )
    for path in paths if splits else ():
        if overwrite or not path.exists() or read_json(path) != splits:
            write_json(path, splits)


def _subjects_by_group(rows: Sequence[CaseRow], by: Sequence[str]) -> dict[tuple[str, ...], list[str]]:
    group_of: dict[str, tuple[str, ...]] = {}
    for row in rows:
        group = tuple(_value(row, column) for column in by)
        if group_of.setdefault(row.subject, group) != group:
            first, second = (" ".join(values) for values in (group_of[row.subject], group))
            raise ValueError(f"{row.subject}: expected one group, got {first} and {second}")
    groups: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for subject, group in sorted(group_of.items()):
        groups[group].append(subject)
    return groups


def _value(row: CaseRow, column: str) -> str:
    return str(row.extra.get(column) or getattr(row, column, ""))


def _same(found: object, splits: Splits) -> bool:
    """Compare as nnU-Net does, whatever the order of the cases."""
    try:
        return [{part: sorted(fold[part]) for part in ("train", "val")} for fold in found] == splits  # type: ignore[attr-defined]
    except (TypeError, KeyError):
        return False
