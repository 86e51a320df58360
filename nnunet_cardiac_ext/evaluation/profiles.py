"""Dice along the heart: slice by slice from base to apex, on a common axis for hearts of any number of slices."""

from __future__ import annotations

import numpy as np

from nnunet_cardiac_ext.regions import Region

# Paper 002 shows its curves on an axis of 101 points, 0 % (base) to 100 % (apex).
PROFILE_POINTS = 101


def slice_dice(reference: np.ndarray, prediction: np.ndarray) -> np.ndarray:
    """Return the 2-D Dice coefficient of each slice.

    Args:
        reference: Boolean mask (slice, row, column).
        prediction: Boolean mask of the same shape.

    Returns:
        float64, shape (slice,): 0 where one mask is empty in the slice, NaN where both are.
    """
    common = (reference & prediction).sum(axis=(1, 2))
    total = reference.sum(axis=(1, 2)) + prediction.sum(axis=(1, 2))
    return np.divide(2.0 * common, total, out=np.full(len(total), np.nan), where=total > 0)


def base_to_apex(values: np.ndarray, regions: np.ndarray) -> np.ndarray:
    """Interpolate values per slice linearly onto 101 points from base (first) to apex (last).

    The n segmented slices of the reference lie at k / (n - 1). Slices without a value are bridged; beyond the first
    and the last value (the RV often ends before the apex) the profile is NaN.

    Args:
        values: One value per slice, NaN where undefined, shape (slice,).
        regions: Region of each slice, shape (slice,).

    Returns:
        float64, shape (101,); all NaN unless both a basal and an apical slice exist.
    """
    segmented = np.flatnonzero(regions != Region.NON_CARDIAC)
    profile = np.full(PROFILE_POINTS, np.nan)
    if not {Region.BASE, Region.APEX} <= set(regions[segmented].tolist()):
        return profile
    if regions[segmented[0]] == Region.APEX:
        segmented = segmented[::-1]
    positions, along = np.linspace(0, 1, len(segmented)), values[segmented]
    known = np.isfinite(along)
    if not known.any():
        return profile
    axis = np.linspace(0, 1, PROFILE_POINTS)
    # Rounding must not drop the end points.
    inside = (axis >= positions[known][0] - 1e-9) & (axis <= positions[known][-1] + 1e-9)
    profile[inside] = np.interp(axis[inside], positions[known], along[known])
    return profile
