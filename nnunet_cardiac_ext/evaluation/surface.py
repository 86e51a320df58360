"""Distances between the surfaces of two masks, in float64.

The edge is what one binary erosion takes away (scipy), the distances are to the nearest voxel of the other edge
(scipy's k-d tree). MONAI searches the same edges, but rounds to float32 (2e-6 mm at 35 mm) and takes seconds to import.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.ndimage import binary_erosion
from scipy.spatial import KDTree


@dataclass(frozen=True)
class SurfaceDistances:
    """Distance from each surface voxel of one mask to the nearest one of the other, in mm, both ways.

    Attributes:
        from_reference: One distance per surface voxel of the reference; empty where a mask is empty.
        from_prediction: One distance per surface voxel of the prediction; empty where a mask is empty.
    """

    from_reference: np.ndarray
    from_prediction: np.ndarray

    def maximum(self) -> float:
        """Hausdorff distance in mm; NaN where a mask is empty."""
        return self.percentile(100)

    def percentile(self, q: float) -> float:
        """The larger of the two directed percentiles in mm; NaN where a mask is empty."""
        if not self.from_reference.size:
            return float("nan")
        return float(max(np.percentile(self.from_reference, q), np.percentile(self.from_prediction, q)))

    def pooled_percentile(self, q: float) -> float:
        """The percentile of both directions taken together in mm; NaN where a mask is empty."""
        pooled = np.concatenate([self.from_reference, self.from_prediction])
        return float(np.percentile(pooled, q)) if pooled.size else float("nan")

    def mean_of_means(self) -> float:
        """Mean of the two directed means in mm (not the mean over both sets pooled); NaN where a mask is empty."""
        if not self.from_reference.size:
            return float("nan")
        return float(self.from_reference.mean() + self.from_prediction.mean()) / 2

    def share_within(self, tolerance: float) -> float:
        """Share of the surface voxels of both masks, pooled, at most `tolerance` mm away; NaN where a mask is empty."""
        pooled = np.concatenate([self.from_reference, self.from_prediction])
        return float(np.count_nonzero(pooled <= tolerance)) / pooled.size if pooled.size else float("nan")


def surface(mask: np.ndarray) -> np.ndarray:
    """Return the voxels of a mask with a face neighbour outside; beyond the image is outside.

    Args:
        mask: Boolean mask of two (row, column) or three (slice, row, column) dimensions.

    Returns:
        Boolean mask of the same shape; empty where `mask` is.
    """
    mask = np.asarray(mask, dtype=bool)
    return mask & ~binary_erosion(mask)


def surface_distances(reference: np.ndarray, prediction: np.ndarray, spacing: Sequence[float]) -> SurfaceDistances:
    """Measure the surfaces of two masks against each other.

    A voxel is on the surface if one of its face neighbours (six in 3-D, four in 2-D) is outside the mask; beyond the
    image is outside. Distances are Euclidean between voxel centres.

    Args:
        reference: Boolean mask (slice, row, column), or (row, column).
        prediction: Boolean mask of the same shape.
        spacing: Spacing in mm in the order of the axes.

    Returns:
        The distances in mm; both arrays are empty if either mask is.
    """
    return distances_between(surface(reference), surface(prediction), spacing)


def distances_between(reference: np.ndarray, prediction: np.ndarray, spacing: Sequence[float]) -> SurfaceDistances:
    """Measure two surfaces (as `surface` returns them) against each other; the rest as in `surface_distances`."""
    points = np.argwhere(reference), np.argwhere(prediction)
    if not len(points[0]) or not len(points[1]):
        return SurfaceDistances(np.empty(0), np.empty(0))
    return SurfaceDistances(
        from_reference=_to_nearest(*points, on_other=prediction, spacing=spacing),
        from_prediction=_to_nearest(*points[::-1], on_other=reference, spacing=spacing),
    )


def _to_nearest(
    points: np.ndarray, others: np.ndarray, *, on_other: np.ndarray, spacing: Sequence[float]
) -> np.ndarray:
    """Distances from points to the nearest of the others; what lies on both surfaces needs no search."""
    scale = np.asarray(spacing, dtype=float)
    apart = ~on_other[tuple(points.T)]
    distances = np.zeros(len(points))
    if apart.any():
        # An unbalanced tree is built faster and finds the same neighbours.
        tree = KDTree(others * scale, balanced_tree=False, compact_nodes=False)
        distances[apart] = tree.query(points[apart] * scale)[0]
    return distances
