"""Regions of the heart along a short-axis stack: which end is the base, the region of each slice, slice weights.

The one owner of these questions: sampler, classifier, converter and evaluation ask here.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from types import MappingProxyType
from typing import NamedTuple

import numpy as np

from nnunet_cardiac_ext.anatomy import CINE, LabelMap

# Share of the segmented slices that belongs to each end; the middle has the rest.
END_SHARES: Mapping[str, float] = MappingProxyType({"20/60/20": 0.2, "thirds": 1 / 3})


class Region(IntEnum):
    """Region of a slice."""

    NON_CARDIAC = 0
    BASE = 1
    MIDDLE = 2
    APEX = 3


# Names of the regions in tables, in the order of `Region`.
REGION_NAMES: Mapping[Region, str] = MappingProxyType(
    {Region.NON_CARDIAC: "non-cardiac", Region.BASE: "base", Region.MIDDLE: "middle", Region.APEX: "apex"}
)


class BaseEndCues(NamedTuple):
    """Three signs of the base end, each in [-1, 1]: positive where slice 0 is at the base, 0 where it cannot tell.

    Attributes:
        area: The cross-section of the left ventricle (cavity and wall) shrinks towards the apex.
        rv_area: So does that of the right ventricle, over the slices that hold both ventricles.
        rv_distance: Over the same slices the centroids of both ventricles come closer towards the apex.
    """

    area: float
    rv_area: float
    rv_distance: float


def assign_regions(
    labels: np.ndarray, scheme: str = "20/60/20", base_first: bool | None = None, *, label_map: LabelMap = CINE
) -> np.ndarray:
    """Return the region of each slice.

    The n segmented slices, in their order, share the length of the heart evenly; a slice belongs to the region that
    holds its centre (k + 1/2) / n. Each end so gets `round(share * n)` slices, and at least one from n = 2 on.
    Two segmented slices are base and apex: both border on unsegmented slices, which is what makes an end hard.
    A single one is middle: nothing tells which end it would be. Slices without any label are non-cardiac, also
    between segmented ones.

    Args:
        labels: Integer labels (slice, row, column); values of 0 and below are background.
        scheme: "20/60/20" (paper 002) or "thirds" (paper 004).
        base_first: Whether slice 0 is at the base; None asks `base_is_first`.
        label_map: What the label values mean, where `base_first` is None.

    Returns:
        Values of `Region` as int64, shape (slice,); all non-cardiac where nothing is segmented.

    Raises:
        ValueError: `scheme` is unknown or `labels` is not three-dimensional.
    """
    if scheme not in END_SHARES:
        raise ValueError(f"expected a scheme of {', '.join(END_SHARES)}, got {scheme!r}")
    segmented = _segmented_slices(labels)
    regions = np.full(len(labels), Region.NON_CARDIAC, dtype=np.int64)
    regions[segmented] = Region.MIDDLE
    if len(segmented) < 2:
        return regions
    if base_first is None:
        base_first = base_is_first(labels, label_map=label_map)
    from_base = segmented if base_first else segmented[::-1]
    regions[from_base] = regions_of_heart(len(segmented), scheme)
    return regions


def regions_of_heart(n_slices: int, scheme: str = "20/60/20") -> np.ndarray:
    """Return the regions of a heart in so many slices, from base to apex; `assign_regions` says by which rule.

    Args:
        n_slices: Number of segmented slices, 0 and more.
        scheme: "20/60/20" or "thirds".

    Returns:
        Values of `Region` as int64, shape (n_slices,).
    """
    regions = np.full(n_slices, Region.MIDDLE, dtype=np.int64)
    if n_slices > 1:
        at_each_end = max(1, round(END_SHARES[scheme] * n_slices))
        regions[:at_each_end], regions[-at_each_end:] = Region.BASE, Region.APEX
    return regions


def base_is_first(labels: np.ndarray, *, label_map: LabelMap = CINE) -> bool:
    """Tell whether slice 0 of a labelled short-axis stack is at the base.

    The cues of `base_end_cues` are added up; where they cancel out exactly the answer is True, the order of most
    stacks. Flipping the stack flips the answer, mirroring or turning it in the plane does not.

    Args:
        labels: Integer labels (slice, row, column); values of 0 and below are background.
        label_map: What the label values mean. Without an RV the cross-section of the left ventricle decides alone.

    Raises:
        ValueError: Fewer than two slices are segmented, so that there are no two ends to compare.
    """
    count = len(_segmented_slices(labels))
    if count < 2:
        raise ValueError(f"expected at least two segmented slices to tell the base from the apex, got {count}")
    return sum(base_end_cues(labels, label_map=label_map)) >= 0


def base_end_cues(labels: np.ndarray, *, label_map: LabelMap = CINE) -> BaseEndCues:
    """Measure what tells the base end from the apical one; arguments as in `base_is_first`.

    Whether a slice has an RV at all is no cue: contours often leave it out above the valve plane as well as at the
    apex. That is why both cues of the RV look only at slices that have one.
    """
    segmented = labels[_segmented_slices(labels)]
    right = segmented == label_map.values["RV"] if "RV" in label_map.values else np.zeros_like(segmented, dtype=bool)
    left = (segmented > 0) & ~right
    both = left.any(axis=(1, 2)) & right.any(axis=(1, 2))
    distances = [np.linalg.norm(_centroid(a) - _centroid(b)) for a, b in zip(left[both], right[both], strict=True)]
    return BaseEndCues(
        area=_asymmetry(left.sum(axis=(1, 2))),
        rv_area=_asymmetry(right[both].sum(axis=(1, 2))),
        rv_distance=_asymmetry(np.array(distances)),
    )


def quadratic_slice_weights(n_slices: int, ratio: float) -> np.ndarray:
    """Return how often each segmented slice is drawn: most often at both ends, least often in the middle (paper 002).

    w(z) = 1 + (ratio - 1) (2z - 1)^2 at z = k / (n - 1), divided by its sum. The paper gives the ratio only; the
    parabola over the slices from base (z = 0) to apex (z = 1) is our reading. It is symmetric, so it does not matter
    which end is the base. `ratio` is that of maximum and minimum over continuous z; with an even number of slices
    none lies at z = 1/2 and the ratio between slices is smaller.

    Args:
        n_slices: Number of segmented slices, at least 1.
        ratio: Largest weight over smallest, at least 1 (1: uniform). The paper tries 4 and 20.

    Returns:
        Weights that sum to 1, float64, shape (n_slices,).

    Raises:
        ValueError: `n_slices` or `ratio` is below 1, or `ratio` is not finite.
    """
    if n_slices < 1:
        raise ValueError(f"expected at least one slice, got {n_slices}")
    if not 1 <= ratio < float("inf"):
        raise ValueError(f"expected a finite ratio of at least 1, got {ratio}")
    weights = 1 + (ratio - 1) * np.linspace(-1, 1, n_slices) ** 2
    return weights / weights.sum()


def _segmented_slices(labels: np.ndarray) -> np.ndarray:
    if labels.ndim != 3:
        raise ValueError(f"expected labels (slice, row, column), got shape {labels.shape}")
    return np.flatnonzero((labels > 0).any(axis=(1, 2)))


def _asymmetry(profile: np.ndarray) -> float:
    """Centre of mass of a profile over the slices, on an axis from +1 at the first to -1 at the last."""
    if len(profile) < 2 or not profile.any():
        return 0.0
    positions = np.linspace(1, -1, len(profile))
    # The difference of mirrored values is exactly 0 for a symmetric stack and changes only its sign when flipped.
    return float((profile - profile[::-1]) @ positions / 2 / profile.sum())


def _centroid(mask: np.ndarray) -> np.ndarray:
    return np.argwhere(mask).mean(axis=0)
