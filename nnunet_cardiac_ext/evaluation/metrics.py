"""The metrics by name: unit, definition, and a function of one pair of masks. A new metric is one more entry here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from nnunet_cardiac_ext.anatomy import CUBIC_MM_PER_ML
from nnunet_cardiac_ext.evaluation import fragments
from nnunet_cardiac_ext.evaluation.mask_pair import MaskPair

__all__ = ["CONVENTION", "METRICS", "NAN", "NSD_TOLERANCE_MM", "MaskPair", "Metric", "nsd_metric"]

# Name of these definitions in the column `convention`: correct geometry, and NaN where a number is undefined.
CONVENTION = "nnunet-cardiac"
NAN = float("nan")
# One to two pixels of clinical cine MR: what a contour can be off without being called wrong.
NSD_TOLERANCE_MM = 2.0
# Distances such as 20 x 0.1 mm come out a rounding above 2 mm.
ROUNDING_MM = 1e-6


@dataclass(frozen=True)
class Metric:
    """A number that is computed from a pair of masks.

    Attributes:
        name: What stands in the column `metric`.
        title: The name in captions and tables.
        unit: "1" (a ratio), "mm", "mm3", "ml", "px" (voxels or pixels as a length), or what is counted ("voxels",
            "slices", "pieces", "holes").
        definition: One sentence or two: formula, 2-D or 3-D, what empty masks give.
        compute: The function.
        regional: Whether it is also given for base, middle and apex. Surface distances are not: a cut through the
            mask would count as surface.
        on_request: Whether it is computed only where it is asked for by name.
        reason: Why it may be NaN where both masks hold something.
    """

    name: str
    title: str
    unit: str
    definition: str
    compute: Callable[[MaskPair], float]
    regional: bool = False
    on_request: bool = False
    reason: str = ""


def dice(pair: MaskPair) -> float:
    """Dice coefficient in 3-D, 2 |A ∩ B| / (|A| + |B|): 0 where one mask is empty, NaN where both are."""
    return _ratio(2 * pair.common_count, pair.reference_count + pair.predicted_count)


def jaccard(pair: MaskPair) -> float:
    """Jaccard index in 3-D, |A ∩ B| / |A ∪ B|: 0 where one mask is empty, NaN where both are."""
    return _ratio(pair.common_count, pair.reference_count + pair.predicted_count - pair.common_count)


def sensitivity(pair: MaskPair) -> float:
    """Share of the reference that was found (recall), |A ∩ B| / |A|: NaN where the reference is empty."""
    return _ratio(pair.common_count, pair.reference_count)


def specificity(pair: MaskPair) -> float:
    """Share of the voxels outside the reference that were left out: NaN where the reference fills the image."""
    return _ratio(pair.background_count, pair.total_count - pair.reference_count)


def positive_predictive_value(pair: MaskPair) -> float:
    """Share of the prediction that is right (precision), |A ∩ B| / |B|: NaN where the prediction is empty."""
    return _ratio(pair.common_count, pair.predicted_count)


def negative_predictive_value(pair: MaskPair) -> float:
    """Share of the voxels outside the prediction that are rightly so: NaN where the prediction fills the image."""
    return _ratio(pair.background_count, pair.total_count - pair.predicted_count)


def hausdorff(pair: MaskPair) -> float:
    """Hausdorff distance in mm, the maximum over the 3-D surfaces: NaN where a mask is empty."""
    return pair.distances.maximum()


def hausdorff_pixels(pair: MaskPair) -> float:
    """Hausdorff distance in 3-D with every voxel a unit cube, in voxels: NaN where a mask is empty."""
    return pair.distances_at((1.0, 1.0, 1.0)).maximum()


def hausdorff95(pair: MaskPair) -> float:
    """The larger of the two directed 95th percentiles in mm, in 3-D: NaN where a mask is empty."""
    return pair.distances.percentile(95)


def average_symmetric_surface_distance(pair: MaskPair) -> float:
    """Mean of the two directed mean surface distances in mm, in 3-D: NaN where a mask is empty."""
    return pair.distances.mean_of_means()


def normalised_surface_dice(pair: MaskPair, tolerance: float = NSD_TOLERANCE_MM) -> float:
    """Share of both surfaces within `tolerance` mm of the other, in 3-D: 0 where one mask is empty, NaN where both are.

    Surface voxels are counted, not weighted by their area (as MONAI's `compute_surface_dice` by default; DeepMind's
    surface-distance weights them).
    """
    if bool(pair.reference_count) != bool(pair.predicted_count):
        return 0.0
    return pair.distances.share_within(tolerance + ROUNDING_MM)


def reference_volume(pair: MaskPair) -> float:
    """Volume of the reference in ml: 0 where it is empty."""
    return pair.reference_count * pair.voxel_volume / CUBIC_MM_PER_ML


def predicted_volume(pair: MaskPair) -> float:
    """Volume of the prediction in ml: 0 where it is empty."""
    return pair.predicted_count * pair.voxel_volume / CUBIC_MM_PER_ML


def nsd_metric(tolerance: float = NSD_TOLERANCE_MM) -> Metric:
    """Return the normalised surface Dice at a tolerance in mm; any but the default stands in the name (`nsd_3mm`)."""
    return Metric(
        "nsd" if tolerance == NSD_TOLERANCE_MM else f"nsd_{tolerance:g}mm",
        f"NSD at {tolerance:g} mm", "1",
        f"Normalised surface Dice: share of the surface voxels of both masks, pooled and each counted once, at most "
        f"{tolerance:g} mm from the other surface (3-D). 0 where one mask is empty, undefined where both are.",
        lambda pair: normalised_surface_dice(pair, tolerance),
    )  # fmt: skip


def _ratio(part: int, whole: int) -> float:
    return part / whole if whole else NAN


def _by_name(*metrics: Metric) -> Mapping[str, Metric]:
    return MappingProxyType({metric.name: metric for metric in metrics})


_SURFACE = "A surface voxel has a face (6-neighbourhood) towards the outside of its mask or on the border of the image."
_FIELD_OF_VIEW = (
    "Depends on the field of view: a wider image adds background that nobody gets wrong and brings it nearer to 1."
)

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
        "sensitivity", "sensitivity", "1",
        "|A ∩ B| / |A| over the same voxels: the share of the reference that was found (recall). Undefined where the "
        "reference is empty.",
        sensitivity, regional=True,
    ),
    Metric(
        "specificity", "specificity", "1",
        "Voxels of the image outside both masks over those outside the reference (3-D). "
        f"{_FIELD_OF_VIEW} Undefined where the reference fills the image.",
        specificity,
    ),
    Metric(
        "ppv", "PPV", "1",
        "|A ∩ B| / |B| over the voxels of the stack (3-D), or of the slices of a region: the share of the prediction "
        "that is right (precision). Undefined where the prediction is empty.",
        positive_predictive_value, regional=True,
    ),
    Metric(
        "npv", "NPV", "1",
        "Voxels of the image outside both masks over those outside the prediction (3-D). "
        f"{_FIELD_OF_VIEW} Undefined where the prediction fills the image.",
        negative_predictive_value,
    ),
    Metric(
        "hd", "Hausdorff distance", "mm",
        "Largest distance from a surface voxel of one mask to the nearest surface voxel of the other (3-D). "
        f"{_SURFACE} Undefined where a mask is empty.",
        hausdorff,
    ),
    Metric(
        "hd_pixels", "Hausdorff distance", "px",
        "The same with every voxel taken as a unit cube, whatever its spacing (3-D): a slice further counts as one. "
        "Undefined where a mask is empty.",
        hausdorff_pixels, on_request=True,
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
    nsd_metric(),
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
    Metric(
        "extra_pieces", "fragments", "pieces",
        "Pieces of the prediction in a slice (2-D, connected through corners) beyond the number of pieces of the "
        "reference, one at least; the sum over the slices. 0 where the prediction is empty.",
        fragments.extra_pieces, regional=True, on_request=True,
    ),
    Metric(
        "extra_holes", "holes", "holes",
        "Holes of the prediction in a slice (2-D) beyond the number of holes of the reference; the sum over the "
        "slices. The cavity is a hole of the myocardium in both. 0 where the prediction is empty.",
        fragments.extra_holes, regional=True, on_request=True,
    ),
    Metric(
        "false_slices", "false slices", "slices",
        "Slices with the structure in the prediction only. 0 where the prediction is empty. Of a region only slices "
        "that hold some structure of the reference count.",
        fragments.false_slices, regional=True, on_request=True,
    ),
    Metric(
        "missed_slices", "missed slices", "slices",
        "Slices with the structure in the reference only. 0 where the reference is empty.",
        fragments.missed_slices, regional=True, on_request=True,
    ),
)  # fmt: skip
