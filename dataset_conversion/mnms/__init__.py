"""M&Ms 2020 (Multi-Centre, Multi-Vendor & Multi-Disease): short-axis cine of four vendors and five centres."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Literal

from dataset_conversion.cases import DataSetFacts, SourceSubject
from dataset_conversion.conversion import DEFAULT_FOLDS, DEFAULT_SEED, Splitter, convert_subjects
from dataset_conversion.mnms.frames import settle_frames
from dataset_conversion.mnms.reader import find_subjects
from dataset_conversion.report import ConversionReport
from dataset_conversion.splits import leave_one_out, split_by_subject
from nnunet_cardiac_ext.errors import UsageError
from nnunet_cardiac_ext.registry import DATA_SETS

FACTS = DataSetFacts(
    name=DATA_SETS["mnms"].dataset_name,
    label_map=DATA_SETS["mnms"].label_map,
    source_labels={"LV": 1, "MYO": 2, "RV": 3},
    description="Short-axis cine MR of 345 subjects, ED and ES: four vendors, five centres, normal and eight diseases",
    reference="Campello et al., IEEE Transactions on Medical Imaging 40(12), 2021, doi:10.1109/TMI.2021.3090082",
    licence="research use, see https://www.ub.edu/mnms/",
    settle=settle_frames,
)
# Folds are even over the vendors first, which differ more than the diseases do.
STRATIFIED_BY = ("vendor", "group")


def convert(
    source: Path,
    dataset_id: int,
    *,
    frames: Literal["labelled", "all"] = "labelled",
    train_on: Literal["training", "labelled"] | None = None,
    leave_out: Literal["vendor", "centre"] | None = None,
    folds: int = DEFAULT_FOLDS,
    seed: int = DEFAULT_SEED,
    overwrite_splits: bool = False,
    workers: int | None = None,
    quiet: bool = False,
) -> ConversionReport:
    """Turn a downloaded M&Ms folder into an nnU-Net raw data set.

    Args:
        source: The official `OpenDataset`, the folder above it, any folder in it, or a folder of subjects.
        dataset_id: nnU-Net's number of the data set (114 by custom).
        frames: "labelled": ED and ES. "all": also every frame of each cycle, into `imagesCine`.
        train_on: "training": the labelled training subjects; those of Validation and Testing are for testing.
            "labelled": all labelled subjects. By default the first, and the second with `leave_out`, because the
            training part has two vendors only.
        leave_out: Make one fold per "vendor" or "centre", which is its validation part, instead of `folds` even ones.
        folds: See `conversion.convert_subjects`, as for all below.
        seed: Seed of the folds.
        overwrite_splits: Replace different folds that lie there already.
        workers: Worker processes.
        quiet: Show no progress.

    Returns:
        The report, which is written as well.

    Raises:
        UsageError: There are no subjects in `source`, the id is not free, or there is nothing to leave out.
        WorkError: The output cannot be written.
    """
    if leave_out not in (None, "vendor", "centre"):
        raise UsageError(f"--leave-out: expected vendor or centre, got {leave_out!r}")
    train_on = train_on or ("labelled" if leave_out else "training")
    subjects = find_subjects(source, frames=frames, train_on=train_on)
    splitter: Splitter = partial(split_by_subject, folds=folds, seed=seed, by=STRATIFIED_BY)
    if leave_out is not None:
        subjects = [_with_value(subject, leave_out) for subject in subjects]
        _require_several(subjects, leave_out)
        splitter = partial(leave_one_out, column=leave_out)
    return convert_subjects(
        FACTS,
        subjects,
        source,
        dataset_id,
        folds=folds,
        seed=seed,
        splitter=splitter,
        overwrite_splits=overwrite_splits,
        workers=workers,
        quiet=quiet,
    )


def _with_value(subject: SourceSubject, column: str) -> SourceSubject:
    """A training subject whose value nobody knows can be on neither side of a fold."""
    unknown = [case for case in subject.cases if case.row.part == "train" and not getattr(case.row, column)]
    if not unknown:
        return subject
    return replace(subject, problem=f"expected a {column} in the csv for --leave-out {column}, found none")


def _require_several(subjects: Sequence[SourceSubject], column: str) -> None:
    rows = [case.row for subject in subjects if not subject.problem for case in subject.cases]
    try:
        leave_one_out([row for row in rows if row.part == "train"], column)
    except ValueError as error:
        raise UsageError(f"--leave-out {column}: {error}") from error
