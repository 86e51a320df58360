"""Distances between the surfaces of two masks in mm.

The surface voxels come from MONAI, which crops both masks to what they hold and pads by one voxel, so that a mask at
the border of the image has a surface there. MONAI's own distances are rounded to float32 (2e-6 mm at 35 mm); the same
search for the nearest neighbour is done here in float64.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
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

    def mean_of_means(self) -> float:
        """Mean of the two directed means in mm (not the mean over both sets pooled); NaN where a mask is empty."""
        if not self.from_reference.size:
            return float("nan")
        return float(self.from_reference.mean() + self.from_prediction.mean()) / 2


def surface_distances(
    reference: np.ndarray, prediction: np.ndarray, spacing: tuple[float, float, float]
) -> SurfaceDistances:
    """Measure the surfaces of two masks against each other in 3-D.

    A voxel is on the surface if one of its six face neighbours is outside the mask; beyond the image is outside.
    Distances are Euclidean between voxel centres.

    Args:
        reference: Boolean mask (slice, row, column).
        prediction: Boolean mask of the same shape.
        spacing: Spacing in mm as (slice, row, column).

    Returns:
        The distances in mm; both arrays are empty if either mask is.
    """
    if not reference.any() or not prediction.any():
        return SurfaceDistances(np.empty(0), np.empty(0))
    # Loads torch, which takes seconds: only where distances are computed.
    from monai.metrics.utils import get_mask_edges

    predicted_edge, reference_edge = get_mask_edges(np.asarray(prediction, bool), np.asarray(reference, bool))
    reference_points = np.argwhere(reference_edge) * np.asarray(spacing)
    predicted_points = np.argwhere(predicted_edge) * np.asarray(spacing)
    return SurfaceDistances(
        from_reference=np.asarray(KDTree(predicted_points).query(reference_points)[0]),
        from_prediction=np.asarray(KDTree(reference_points).query(predicted_points)[0]),
    )
