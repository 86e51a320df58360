"""The metrics by name: unit, definition, and a function of one pair of masks. A new metric is one more entry here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType

import numpy as np

from nnunet_cardiac_ext.evaluation.surface import SurfaceDistances, surface_distances

# Name of these definitions in the column `convention`: correct geometry, and NaN where a number is undefined.
CONVENTION = "nnunet-cardiac"
CUBIC_MM_PER_ML = 1000.0
NAN = float("nan")


@dataclass(frozen=True)
class MaskPair:
    """One structure as the reference and as the prediction has it.

    Attributes:
        reference: Boolean mask (slice, row, column).
        prediction: Boolean mask of the same shape.
        spacing: Spacing in mm as (slice, row, column).
    """

    reference: np.ndarray
    prediction: np.ndarray
    spacing: tuple[float, float, float]

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

    @cached_property
    def distances(self) -> SurfaceDistances:
        """Surface distances in mm, computed once for all metrics that need them."""
        return surface_distances(self.reference, self.prediction, self.spacing)

    @property
    def reason_undefined(self) -> str:
        """Why a metric of this pair may be NaN; empty where both masks hold something."""
        absent = [
            name
            for name, count in (("reference", self.reference_count), ("prediction", self.predicted_count))
            if not count
        ]
        return f"absent in {' and '.join(absent)}" if absent else ""


@dataclass(frozen=True)
class Metric:
    """A number that is computed from a pair of masks.

    Attributes:
        name: What stands in the column `metric`.
        title: The name in captions and tables.
        unit: "1" (a ratio), "mm" or "ml".
        definition: One sentence or two: formula, 2-D or 3-D, what empty masks give.
        compute: The function.
        regional: Whether it is also given for base, middle and apex. Surface distances are not: a cut through the
            mask would count as surface.
    """

    name: str
    title: str
    unit: str
    definition: str
    compute: Callable[[MaskPair], float]
    regional: bool = False


def dice(pair: MaskPair) -> float:
    """Dice coefficient in 3-D, 2 |A ∩ B| / (|A| + |B|): 0 where one mask is empty, NaN where both are."""
    total = pair.reference_count + pair.predicted_count
    return 2 * pair.common_count / total if total else NAN


def jaccard(pair: MaskPair) -> float:
    """Jaccard index in 3-D, |A ∩ B| / |A ∪ B|: 0 where one mask is empty, NaN where both are."""
    union = pair.reference_count + pair.predicted_count - pair.common_count
    return pair.common_count / union if union else NAN


def hausdorff(pair: MaskPair) -> float:
    """Hausdorff distance in mm, the maximum over the 3-D surfaces: NaN where a mask is empty."""
    return pair.distances.maximum()


def hausdorff95(pair: MaskPair) -> float:
    """The larger of the two directed 95th percentiles in mm, in 3-D: NaN where a mask is empty."""
    return pair.distances.percentile(95)


def average_symmetric_surface_distance(pair: MaskPair) -> float:
    """Mean of the two directed mean surface distances in mm, in 3-D: NaN where a mask is empty."""
    return pair.distances.mean_of_means()


def reference_volume(pair: MaskPair) -> float:
    """Volume of the reference in ml: 0 where it is empty."""
    return pair.reference_count * float(np.prod(pair.spacing)) / CUBIC_MM_PER_ML


def predicted_volume(pair: MaskPair) -> float:
    """Volume of the prediction in ml: 0 where it is empty."""
    return pair.predicted_count * float(np.prod(pair.spacing)) / CUBIC_MM_PER_ML


def _by_name(*metrics: Metric) -> Mapping[str, Metric]:
    return MappingProxyType({metric.name: metric for metric in metrics})


_SURFACE = "A surface voxel has a face (6-neighbourhood) towards the outside of its mask or on the border of the image."

METRICS: Mapping[str, Metric] = _by_name(
    Metric(
        "dice", "Dice", "1",
        "2 |A ∩ B| / (|A| + |B|) over the voxels of the stack (3-D), or of the slices of a region. "
        "0 where one mask is empty, undefined where both are.",
        dice, regional=True,
    ),
    Metric(
        "jaccard", "Jaccard", "1",
        "|A ∩ B| / |A ∪ B| over the same voxels. 0 where one mask is empty, undefined where both are.",
        jaccard, regional=True,
    ),
    Metric(
        "hd", "Hausdorff distance", "mm",
        "Largest distance from a surface voxel of one mask to the nearest surface voxel of the other (3-D). "
        f"{_SURFACE} Undefined where a mask is empty.",
        hausdorff,
    ),
    Metric(
        "hd95", "HD95", "mm",
        "95th percentile of the surface distances from A to B and from B to A, the larger of the two (3-D, linear "
        "interpolation between ranks). Undefined where a mask is empty.",
        hausdorff95,
    ),
    Metric(
        "assd", "ASSD", "mm",
        "Average symmetric surface distance: the mean from A to B and the mean from B to A, averaged (3-D). "
        "Undefined where a mask is empty.",
        average_symmetric_surface_distance,
    ),
    Metric(
        "reference_volume", "reference volume", "ml",
        "Number of reference voxels times the volume of a voxel.",
        reference_volume, regional=True,
    ),
    Metric(
        "predicted_volume", "predicted volume", "ml",
        "Number of predicted voxels times the volume of a voxel.",
        predicted_volume, regional=True,
    ),
)  # fmt: skip
