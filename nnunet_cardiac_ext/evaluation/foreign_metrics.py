"""Metrics as challenges and other programs define them: the same geometry with other rules, or another geometry.

Each set stands behind one entry of `conventions.CONVENTIONS`; what differs from ours is in the definition.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType

import numpy as np

from nnunet_cardiac_ext.anatomy import CUBIC_MM_PER_ML
from nnunet_cardiac_ext.evaluation.mask_pair import MaskPair
from nnunet_cardiac_ext.evaluation.metrics import METRICS, NAN, Metric
from nnunet_cardiac_ext.evaluation.surface import SurfaceDistances


def _set(*metrics: Metric) -> Mapping[str, Metric]:
    return MappingProxyType({metric.name: metric for metric in metrics})


def _with_rule(name: str, *, one_empty: float, both_empty: float) -> Metric:
    """Our metric with values of its own where a mask is empty."""
    metric = METRICS[name]

    def compute(pair: MaskPair) -> float:
        if pair.reference_count and pair.predicted_count:
            return metric.compute(pair)
        return one_empty if pair.reference_count or pair.predicted_count else both_empty

    both = "undefined" if np.isnan(both_empty) else f"{both_empty:g}"
    formula = metric.definition.split(". ")[0].removesuffix(", or of the slices of a region")
    definition = f"{formula}. {one_empty:g} where one mask is empty, {both} where both are."
    return replace(metric, definition=definition, compute=compute, regional=False)


def _count(name: str, title: str, compute: Callable[[MaskPair], int]) -> Metric:
    return Metric(name, title, "voxels", f"{title[0].upper()}{title[1:]}, voxels.", compute)


def _volume_error(pair: MaskPair) -> float:
    return (pair.predicted_count - pair.reference_count) * pair.voxel_volume / CUBIC_MM_PER_ML


def _volume_difference(pair: MaskPair) -> float:
    return abs(pair.predicted_count - pair.reference_count) * pair.voxel_volume


def _relative_volume_difference(pair: MaskPair) -> float:
    return abs(pair.predicted_count - pair.reference_count) / pair.whole_count if pair.whole_count else NAN


def _hausdorff_with_axis_slip(pair: MaskPair) -> float:
    return pair.distances_at(pair.spacing[::-1]).maximum()


def _mean_defined(values: list[float]) -> float:
    defined = [value for value in values if not np.isnan(value)]
    return sum(defined) / len(defined) if defined else NAN


def _mean_slice_dice(pair: MaskPair) -> float:
    slices = zip(pair.reference, pair.prediction, strict=True)
    return _mean_defined([METRICS["dice"].compute(MaskPair(a[None], b[None], pair.spacing)) for a, b in slices])


def _percentile95(distances: SurfaceDistances) -> float:
    return distances.pooled_percentile(95)


# As the ACDC platform and the script that is meant to equal it (baumgach/acdc_segmenter, metrics_acdc.py).
ACDC_METRICS = _set(
    _with_rule("dice", one_empty=0, both_empty=1),
    _with_rule("hd", one_empty=1, both_empty=0),
    _with_rule("assd", one_empty=1, both_empty=0),
    replace(METRICS["reference_volume"], regional=False),
    replace(METRICS["predicted_volume"], regional=False),
    Metric("volume_error", "volume error", "ml", "Predicted minus reference volume.", _volume_error),
)

# As the result files of the M&Ms organisers. Two empty masks occur in none of them.
MNMS_METRICS = _set(
    _with_rule("dice", one_empty=0, both_empty=NAN),
    _with_rule("jaccard", one_empty=0, both_empty=NAN),
    _with_rule("hd", one_empty=-1, both_empty=NAN),
    _with_rule("assd", one_empty=-1, both_empty=NAN),
)

# As the EMIDEC challenge's script (EMIDEC-Challenge/Evaluation-metrics at 8265bf6; volumes there rounded to 0.01 mm3).
EMIDEC_METRICS = _set(
    _with_rule("dice", one_empty=0, both_empty=1),
    Metric(
        "volume_difference", "volume difference", "mm3",
        "Absolute difference of predicted and reference volume.", _volume_difference,
    ),
    Metric(
        "relative_volume_difference", "volume difference / myocardium", "1",
        "The same over the volume of the reference's myocardium (2+3+4). Undefined where that is empty.",
        _relative_volume_difference, reason="the reference has no myocardium",
    ),
    Metric(
        "hd", "Hausdorff distance", "mm",
        "Largest surface distance (3-D), with the spacing of columns along the slices and that of slices along the "
        "columns, as the challenge's script has it: no true length. Undefined where a mask is empty.",
        _hausdorff_with_axis_slip,
    ),
)  # fmt: skip

# As `summary.json` of nnUNetv2_evaluate_folder.
NNUNET_METRICS = _set(
    replace(METRICS["dice"], regional=False),
    replace(METRICS["jaccard"], title="IoU", regional=False),
    _count("tp", "true positives", lambda pair: pair.common_count),
    _count("fp", "false positives", lambda pair: pair.predicted_count - pair.common_count),
    _count("fn", "false negatives", lambda pair: pair.reference_count - pair.common_count),
    _count("tn", "true negatives", lambda pair: pair.background_count),
    _count("n_ref", "voxels of the reference", lambda pair: pair.reference_count),
    _count("n_pred", "voxels of the prediction", lambda pair: pair.predicted_count),
)

_NO_SLICE = "no slice holds both"
_MEAN = "2-D, mean over the slices that both masks hold (one slice in the paper's long-axis images)."

# As CroCNet's val.py (medpy's hd95 without spacing: both directions pooled), and the readings of its "HD (mm)".
CROCNET_METRICS = _set(
    Metric(
        "dice", "Dice", "1",
        "2-D, mean over the slices that either mask holds; a slice that one of them lacks counts 0. Undefined where "
        "both masks are empty.", _mean_slice_dice,
    ),
    Metric(
        "hd95_2d_pixels", "2-D HD95", "px",
        f"95th percentile of the distances of both directions pooled, in pixels: the script's number; {_MEAN}",
        lambda pair: _mean_defined([_percentile95(found) for found in pair.slice_distances_at((1.0, 1.0))]),
        reason=_NO_SLICE,
    ),
    Metric(
        "hd_2d", "2-D Hausdorff distance", "mm",
        f"Largest surface distance in mm: what the table's heading says; {_MEAN}",
        lambda pair: _mean_defined([found.maximum() for found in pair.slice_distances]), reason=_NO_SLICE,
    ),
    Metric(
        "hd95_2d", "2-D HD95", "mm",
        f"95th percentile of the distances of both directions pooled, in mm; {_MEAN}",
        lambda pair: _mean_defined([_percentile95(found) for found in pair.slice_distances]), reason=_NO_SLICE,
    ),
)  # fmt: skip
