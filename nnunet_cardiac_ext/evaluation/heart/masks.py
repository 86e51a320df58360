"""The parts of a labelled heart by what they are, whatever the label map."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from nnunet_cardiac_ext.anatomy import INFARCT, MYOCARDIUM, LabelMap
from nnunet_cardiac_ext.regions import assign_regions, base_is_first


@dataclass(frozen=True)
class HeartMasks:
    """Masks of one labelled short-axis stack.

    Attributes:
        spacing: Spacing in mm as (slice, row, column).
        wall: Left ventricular myocardium, infarct and no-reflow included, bool (slice, row, column).
        cavity: Left ventricular cavity; where no label says it, what the wall encloses in each slice.
        right: Right ventricular cavity; None where there is no such label.
        infarct: Infarct, no-reflow included; None where there is no such label.
        regions: Region of each slice of the left ventricle in thirds (`regions.Region`), shape (slice,).
    """

    spacing: tuple[float, float, float]
    wall: np.ndarray
    cavity: np.ndarray
    right: np.ndarray | None
    infarct: np.ndarray | None
    regions: np.ndarray


def heart_masks(
    array: np.ndarray,
    spacing: tuple[float, float, float],
    labels: Mapping[str, int],
    *,
    base_first: bool | None = None,
) -> HeartMasks:
    """Take a labelled stack apart.

    Args:
        array: Integer labels (slice, row, column).
        spacing: Spacing in mm as (slice, row, column).
        labels: Label value by structure name, without the background; LV, RV, MYO, INFARCT, NOREFLOW are known.
        base_first: Whether slice 0 is at the base; None asks `regions.base_is_first`.
    """
    wall = _union(array, labels, MYOCARDIUM)
    wall = np.zeros(array.shape, dtype=bool) if wall is None else wall
    cavity = _union(array, labels, ("LV",))
    cavity = _enclosed(wall) if cavity is None else cavity
    regions = assign_regions((wall | cavity).astype(np.uint8), "thirds", _base_first(array, labels, base_first))
    return HeartMasks(spacing, wall, cavity, _union(array, labels, ("RV",)), _union(array, labels, INFARCT), regions)


def _union(array: np.ndarray, labels: Mapping[str, int], names: tuple[str, ...]) -> np.ndarray | None:
    values = [labels[name] for name in names if name in labels]
    return np.isin(array, values) if values else None


def _enclosed(wall: np.ndarray) -> np.ndarray:
    return np.stack([ndimage.binary_fill_holes(plane) & ~plane for plane in wall])


def _base_first(array: np.ndarray, labels: Mapping[str, int], known: bool | None) -> bool:
    """Ask the whole heart: the RV is a sign as well. A single slice has no ends."""
    if known is not None:
        return known
    segmented = np.where(np.isin(array, list(labels.values())), array, 0)
    if (segmented > 0).any(axis=(1, 2)).sum() < 2:
        return True
    return base_is_first(segmented, label_map=LabelMap("measured", {"background": 0} | dict(labels), {}, ""))
