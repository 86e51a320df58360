"""The volume of the left ventricle over the cycle, and its end-diastole and end-systole."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

# With fewer frames smoothing would move the phases, and no frame can be told to be an outlier.
LEAST_FRAMES_OF_A_CURVE = 8
# A frame that sticks out from both of its neighbours by more than this share of the curve's range is an outlier. The
# sharpest true peak, end-systole at 12 frames a cycle, sticks out by less than a sixth.
OUTLIER_SHARE = 0.25
# A curve with more of them than one frame in five is not worth cleaning.
MOST_OUTLIERS = 0.2
# The range that one wild frame cannot stretch.
RANGE_PERCENTILES = (10, 90)


@dataclass(frozen=True)
class Phases:
    """End-diastole and end-systole of a curve.

    Attributes:
        diastole: Index of the frame; None where it cannot be told.
        systole: The same.
        outliers: Frames that were passed over, bool, shape (frame,).
        reason: Why there are none.
    """

    diastole: int | None
    systole: int | None
    outliers: np.ndarray
    reason: str = ""


def find_phases(volumes: np.ndarray) -> Phases:
    """Find end-diastole and end-systole: the largest and smallest volume of the lightly smoothed curve.

    From eight frames on, single outliers are replaced by the mean of their neighbours and the curve is smoothed with
    the weights 1/4, 1/2, 1/4; the cycle is closed, the last frame is a neighbour of the first. An outlier is never
    chosen. Of equal values the earliest frame is taken. The volumes at the chosen frames are used as they are.

    Args:
        volumes: LV volume of each frame in the order of time, shape (frame,).

    Returns:
        No phases where there are fewer than two frames or the volume does not change.
    """
    values = np.asarray(volumes, dtype=np.float64)
    cleaned, outliers = _without_outliers(values)
    if len(values) < 2:
        return Phases(None, None, outliers, "fewer than two frames")
    if np.ptp(values) == 0:
        return Phases(None, None, outliers, "the LV volume is the same in every frame")
    smooth = _smoothed(cleaned)
    diastole = np.argmax(np.where(outliers, -np.inf, smooth))
    systole = np.argmin(np.where(outliers, np.inf, smooth))
    return Phases(int(diastole), int(systole), outliers)


def _without_outliers(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the curve with each outlier replaced by the mean of its neighbours, and which frames they are.

    The worst goes first: a wild frame makes its neighbours look wild too.
    """
    cleaned, outliers = values.copy(), np.zeros(len(values), dtype=bool)
    if len(values) < LEAST_FRAMES_OF_A_CURVE:
        return cleaned, outliers
    low, high = np.percentile(values, RANGE_PERCENTILES)
    while outliers.sum() < MOST_OUTLIERS * len(values):
        height = _height_of_spikes(cleaned)
        worst = int(np.argmax(height))
        if height[worst] <= OUTLIER_SHARE * (high - low):
            break
        outliers[worst] = True
        cleaned[worst] = (cleaned[worst - 1] + cleaned[(worst + 1) % len(values)]) / 2
    return cleaned, outliers


def _height_of_spikes(values: np.ndarray) -> np.ndarray:
    """How far each frame lies above or below both of its neighbours; 0 where it lies between them."""
    before, after = values - np.roll(values, 1), values - np.roll(values, -1)
    return np.where(before * after > 0, np.minimum(np.abs(before), np.abs(after)), 0)


def _smoothed(values: np.ndarray) -> np.ndarray:
    if len(values) < LEAST_FRAMES_OF_A_CURVE:
        return values
    return np.roll(values, 1) / 4 + values / 2 + np.roll(values, -1) / 4
