"""Scores slice by slice, for `slices.csv`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from nnunet_cardiac_ext.evaluation.mask_pair import MaskPair
from nnunet_cardiac_ext.evaluation.profiles import slice_dice
from nnunet_cardiac_ext.regions import REGION_NAMES, Region


class SliceRow(NamedTuple):
    """One line of `slices.csv`: a structure in one slice.

    Attributes:
        case: Name of the case.
        slice: Number of the slice in the file, from 0.
        region: base, middle or apex by the 20/60/20 rule; non-cardiac where the reference holds nothing.
        third: The same by thirds.
        structure: Name of the structure.
        dice: 2-D Dice: 0 where one mask lacks the structure in this slice, NaN where both do.
        hd_mm: Maximum Hausdorff distance in 2-D in mm; NaN where a mask lacks the structure.
        reference_area_mm2: Area of the reference in mm2.
        predicted_area_mm2: Area of the prediction in mm2.
        reason: Why a number is NaN.
    """

    case: str
    slice: int
    region: str
    third: str
    structure: str
    dice: float
    hd_mm: float
    reference_area_mm2: float
    predicted_area_mm2: float
    reason: str


def slice_rows(
    case: str, structure: str, pair: MaskPair, regions: np.ndarray, thirds: np.ndarray
) -> Iterator[SliceRow]:
    """Yield the row of each slice of a stack, also of those without a heart.

    Args:
        case: Name of the case.
        structure: Name of the structure.
        pair: Its masks.
        regions: Region of each slice by 20/60/20, shape (slice,).
        thirds: Region of each slice by thirds, shape (slice,).
    """
    area = pair.spacing[1] * pair.spacing[2]
    dices = slice_dice(pair.reference, pair.prediction)
    for k, distances in enumerate(pair.slice_distances):
        areas = {
            name: float(np.count_nonzero(mask[k]) * area)
            for name, mask in (("reference", pair.reference), ("prediction", pair.prediction))
        }
        absent = [name for name, size in areas.items() if not size]
        yield SliceRow(
            case, k, REGION_NAMES[Region(regions[k])], REGION_NAMES[Region(thirds[k])], structure, float(dices[k]),
            distances.maximum(), areas["reference"], areas["prediction"],
            f"absent in {' and '.join(absent)}" if absent else "",
        )  # fmt: skip
