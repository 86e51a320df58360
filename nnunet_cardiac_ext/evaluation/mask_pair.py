"""One structure as reference and prediction have it, with what several metrics share computed once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from nnunet_cardiac_ext.evaluation.surface import SurfaceDistances, distances_between, surface, surface_distances


@dataclass(frozen=True)
class MaskPair:
    """One structure as the reference and as the prediction has it.

    Attributes:
        reference: Boolean mask (slice, row, column).
        prediction: Boolean mask of the same shape.
        spacing: Spacing in mm as (slice, row, column).
        image_voxels: Voxels of the image, where the masks are cut from a larger one; 0: the masks are the image.
        whole_count: Voxels of the reference's structure that a relative volume refers to (EMIDEC: the myocardium);
            0 where there is none.
    """

    reference: np.ndarray
    prediction: np.ndarray
    spacing: tuple[float, float, float]
    image_voxels: int = 0
    whole_count: int = 0

    @cached_property
    def reference_count(self) -> int:
        """Voxels of the reference."""
        return int(np.count_nonzero(self.reference))

    @cached_property
    def predicted_count(self) -> int:
        """Voxels of the prediction."""
        return int(np.count_nonzero(self.prediction))

    @cached_property
    def common_count(self) -> int:
        """Voxels of both."""
        return int(np.count_nonzero(self.reference & self.prediction))

    @property
    def total_count(self) -> int:
        """Voxels of the image (the field of view)."""
        return self.image_voxels or self.reference.size

    @property
    def background_count(self) -> int:
        """Voxels of the image outside both masks."""
        return self.total_count - self.reference_count - self.predicted_count + self.common_count

    @property
    def voxel_volume(self) -> float:
        """Volume of a voxel in mm3."""
        return float(np.prod(self.spacing))

    @cached_property
    def distances(self) -> SurfaceDistances:
        """Surface distances in 3-D in mm."""
        return self.distances_at(self.spacing)

    def distances_at(self, spacing: Sequence[float]) -> SurfaceDistances:
        """Return the surface distances in 3-D with another spacing: 1, 1, 1 gives voxels."""
        return distances_between(*self._surfaces, spacing)

    @cached_property
    def slice_distances(self) -> tuple[SurfaceDistances, ...]:
        """Surface distances in 2-D in mm, slice by slice."""
        return self.slice_distances_at(self.spacing[1:])

    def slice_distances_at(self, spacing: Sequence[float]) -> tuple[SurfaceDistances, ...]:
        """Return the surface distances in 2-D, slice by slice, with another spacing: 1, 1 gives pixels."""
        slices = zip(self.reference, self.prediction, strict=True)
        return tuple(surface_distances(reference, prediction, spacing) for reference, prediction in slices)

    @property
    def reason_undefined(self) -> str:
        """Why a metric of this pair may be NaN; empty where both masks and their outside hold something."""
        counts = {"reference": self.reference_count, "prediction": self.predicted_count}
        absent = [name for name, count in counts.items() if not count]
        if absent:
            return f"absent in {' and '.join(absent)}"
        filled = [name for name, count in counts.items() if count == self.total_count]
        return f"no voxel outside in {' and '.join(filled)}" if filled else ""

    @cached_property
    def _surfaces(self) -> tuple[np.ndarray, np.ndarray]:
        return surface(self.reference), surface(self.prediction)
