"""Each slice a case of its own, and the split of paper 001 that deals slices, not patients, to training and validation.

It is offered to repeat the paper. Neighbouring slices of one heart look alike, so a score on such a validation part is
higher than on patients that a network has never seen.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from dataset_conversion.cases import SourceCase, SourceSubject, Volume
from dataset_conversion.images import SourceError, count_slices
from dataset_conversion.layout import failed
from dataset_conversion.splits import Splits
from nnunet_cardiac_ext.case_table import CaseRow

VALIDATION_SHARE = 0.1
SLICE_SPLIT_REMARK = (
    "--split slices: slices of the same patients are in training and validation, as in paper 001; "
    "scores on this validation part say nothing about new patients"
)


@dataclass(frozen=True)
class SingleSlice:
    """Take one slice of a stack.

    Attributes:
        index: Its number from 0 in the order of the file.
    """

    index: int

    def __call__(self, volume: Volume) -> Volume:
        """Return the slice, which lies where it did. What was wrong with the header is told with the first one."""
        geometry, part = volume.geometry, slice(self.index, self.index + 1)
        origin = geometry.origin + geometry.axes[:, 2] * geometry.spacing[0] * self.index
        return Volume(
            image=np.ascontiguousarray(volume.image[part]),
            labels=None if volume.labels is None else np.ascontiguousarray(volume.labels[part]),
            geometry=replace(geometry, origin=origin),
            notes=volume.notes if self.index == 0 else (),
        )


def slices_as_cases(subject: SourceSubject) -> SourceSubject:
    """Split the training cases of a subject into one case per slice, with or without labels in it.

    Cases for testing stay whole: a prediction is scored per patient. A subject whose images cannot be read carries that
    as its problem.
    """
    try:
        cases = tuple(single for case in subject.cases for single in _split_case(case))
    except SourceError as error:
        return failed(replace(subject, cases=()), str(error), {path.parent for path in subject.files})
    return replace(subject, cases=cases)


def split_slices(rows: Sequence[CaseRow], *, seed: int) -> Splits:
    """Deal the cases at random, whoever they belong to: 10 % (rounded) validate, the others train.

    Args:
        rows: The training cases, one per slice.
        seed: Seed of the choice.

    Returns:
        One fold; none if there are fewer than two cases.
    """
    names = sorted(row.case for row in rows)
    if len(names) < 2:
        return []
    chosen = set(random.Random(seed).sample(names, max(1, round(VALIDATION_SHARE * len(names)))))
    return [{"train": [name for name in names if name not in chosen], "val": sorted(chosen)}]


def _split_case(case: SourceCase) -> list[SourceCase]:
    if case.row.part != "train":
        return [case]
    # A file that claims no slices is refused when it is read.
    return [_single(case, index) for index in range(max(1, count_slices(case.image.path)))]


def _single(case: SourceCase, index: int) -> SourceCase:
    row = replace(case.row, case=f"{case.row.case}_z{index:02d}", extra=case.row.extra | {"slice": str(index)})
    return replace(case, row=row, prepare=SingleSlice(index))
