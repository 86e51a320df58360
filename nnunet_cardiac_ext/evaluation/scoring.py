"""All numbers of one case: every structure, region and metric."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from nnunet_cardiac_ext.anatomy import LabelMap
from nnunet_cardiac_ext.evaluation.metrics import CONVENTION, METRICS, NAN, MaskPair
from nnunet_cardiac_ext.evaluation.profiles import base_to_apex, slice_dice
from nnunet_cardiac_ext.regions import Region, assign_regions

WHOLE = "all"
REGION_NAMES: Mapping[str, Region] = {"base": Region.BASE, "middle": Region.MIDDLE, "apex": Region.APEX}
REGIONS = (WHOLE, *REGION_NAMES)


class MetricRow(NamedTuple):
    """One line of `metrics.csv`: a number with its unit and definition, or NaN with the reason."""

    case: str
    structure: str
    region: str
    metric: str
    value: float
    unit: str
    convention: str
    reason: str


@dataclass(frozen=True)
class CaseScore:
    """What is known of one case after scoring.

    Attributes:
        case: Name of the case.
        rows: Its lines of `metrics.csv`.
        profiles: Dice from base to apex by structure, shape (101,).
        remarks: What was odd, one line each.
    """

    case: str
    rows: list[MetricRow]
    profiles: dict[str, np.ndarray]
    remarks: list[str] = field(default_factory=list)


def score_case(
    case: str,
    reference: np.ndarray,
    prediction: np.ndarray,
    *,
    spacing: tuple[float, float, float],
    labels: Mapping[str, int],
) -> CaseScore:
    """Score one labelled stack against its reference.

    The regions are those of the reference (20/60/20). Predicted voxels in slices without any reference label belong to
    no region; they count in the region "all".

    Args:
        case: Name of the case.
        reference: Integer labels (slice, row, column).
        prediction: Integer labels of the same shape.
        spacing: Spacing in mm as (slice, row, column).
        labels: Label value by structure name, without the background.

    Returns:
        One row per structure, region and metric, in this order, and the profiles.
    """
    regions = reference_regions(reference, labels)
    rows: list[MetricRow] = []
    profiles: dict[str, np.ndarray] = {}
    for structure, value in labels.items():
        pair = MaskPair(reference == value, prediction == value, spacing)
        rows += _rows(case, structure, pair, regions)
        profiles[structure] = base_to_apex(slice_dice(pair.reference, pair.prediction), regions)
    return CaseScore(case, rows, profiles)


def reference_regions(reference: np.ndarray, labels: Mapping[str, int]) -> np.ndarray:
    """Return the region of each slice of reference labels whose values `labels` names."""
    label_map = LabelMap("evaluated", {"background": 0} | dict(labels), {}, "")
    # Only what is scored tells where the heart is.
    known = np.where(np.isin(reference, list(labels.values())), reference, 0)
    return assign_regions(known, label_map=label_map)


def _rows(case: str, structure: str, pair: MaskPair, regions: np.ndarray) -> Iterator[MetricRow]:
    for metric in METRICS.values():
        yield _row(case, structure, WHOLE, metric.name, metric.compute(pair), metric.unit, pair.reason_undefined)
    for name, region in REGION_NAMES.items():
        slices = regions == region
        part = MaskPair(pair.reference[slices], pair.prediction[slices], pair.spacing)
        reason = part.reason_undefined if slices.any() else "no slice in this region"
        for metric in METRICS.values():
            if metric.regional:
                value = metric.compute(part) if slices.any() else NAN
                yield _row(case, structure, name, metric.name, value, metric.unit, reason)


def _row(case: str, structure: str, region: str, metric: str, value: float, unit: str, reason: str) -> MetricRow:
    return MetricRow(case, structure, region, metric, value, unit, CONVENTION, reason if np.isnan(value) else "")
