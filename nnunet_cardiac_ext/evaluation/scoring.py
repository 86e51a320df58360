"""All numbers of one case: every convention, structure, region and metric."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import NamedTuple

import numpy as np

from nnunet_cardiac_ext.anatomy import LabelMap
from nnunet_cardiac_ext.evaluation.conventions import Structure
from nnunet_cardiac_ext.evaluation.mask_pair import MaskPair
from nnunet_cardiac_ext.evaluation.metrics import CONVENTION, METRICS, NAN, Metric
from nnunet_cardiac_ext.evaluation.profiles import base_to_apex, slice_dice
from nnunet_cardiac_ext.evaluation.scoring_settings import DEFAULT_SCHEME, ScoringSettings
from nnunet_cardiac_ext.evaluation.slices import SliceRow, slice_rows
from nnunet_cardiac_ext.regions import REGION_NAMES, Region, assign_regions

WHOLE = "all"
CARDIAC_REGIONS: Mapping[str, Region] = {name: region for region, name in REGION_NAMES.items() if region}
REGIONS = (WHOLE, *CARDIAC_REGIONS)
VOLUMES = ("reference_volume", "predicted_volume")


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
        volumes: Volumes of each label, whatever was asked for: what the clinical numbers are made of.
        slices: Its lines of `slices.csv`, where slices are scored.
        other_labels: Label values of the files that were taken for background.
    """

    case: str
    rows: list[MetricRow]
    profiles: dict[str, np.ndarray]
    remarks: list[str] = field(default_factory=list)
    volumes: list[MetricRow] = field(default_factory=list)
    slices: list[SliceRow] = field(default_factory=list)
    other_labels: tuple[int, ...] = ()


def score_case(
    case: str,
    reference: np.ndarray,
    prediction: np.ndarray,
    *,
    spacing: tuple[float, float, float],
    labels: Mapping[str, int],
    settings: ScoringSettings | None = None,
) -> CaseScore:
    """Score one labelled stack against its reference.

    The regions are those of the reference. Predicted voxels in slices without any reference label belong to no region;
    they count in the region "all".

    Args:
        case: Name of the case.
        reference: Integer labels (slice, row, column).
        prediction: Integer labels of the same shape.
        spacing: Spacing in mm as (slice, row, column).
        labels: Label value by structure name, without the background.
        settings: What to compute; by default our metrics for `labels`.

    Returns:
        One row per convention, structure, region and metric, in this order, and the profiles.
    """
    settings = settings or ScoringSettings(labels)
    masks = _Masks(reference, prediction, spacing, labels)
    regions = reference_regions(masks.reference, labels, settings.scheme)
    rows = [
        row
        for convention, structure, metrics in settings.tasks()
        for row in _rows(partial(MetricRow, case, structure.name), convention, masks.of(structure), regions, metrics)
    ]
    single = {name: masks.of(Structure(name, (name,))) for name in labels}
    return CaseScore(
        case, rows,
        {name: base_to_apex(slice_dice(pair.reference, pair.prediction), regions) for name, pair in single.items()},
        volumes=[row for name, pair in single.items() for row in _volumes(case, name, pair)],
        slices=list(_slices(case, single, masks.reference, labels)) if settings.slices else [],
    )  # fmt: skip


def reference_regions(reference: np.ndarray, labels: Mapping[str, int], scheme: str = DEFAULT_SCHEME) -> np.ndarray:
    """Return the region of each slice of reference labels whose values `labels` names."""
    label_map = LabelMap("evaluated", {"background": 0} | dict(labels), {}, "")
    # Only what is scored tells where the heart is.
    known = np.where(np.isin(reference, list(labels.values())), reference, 0)
    return assign_regions(known, scheme, label_map=label_map)


class _Masks:
    """The masks of a case by structure, cut to the rows and columns that hold something."""

    def __init__(
        self,
        reference: np.ndarray,
        prediction: np.ndarray,
        spacing: tuple[float, float, float],
        labels: Mapping[str, int],
    ) -> None:
        box = _box(reference, prediction)
        self.reference, self.prediction = reference[box], prediction[box]
        self._voxels = reference.size
        self._spacing, self._labels = spacing, labels
        self._pairs: dict[tuple[tuple[str, ...], tuple[str, ...]], MaskPair] = {}

    def of(self, structure: Structure) -> MaskPair:
        """Return the masks of a structure; the same object for all conventions, so that distances are shared."""
        key = structure.parts, structure.whole
        if key not in self._pairs:
            whole = int(np.count_nonzero(self._mask(self.reference, structure.whole))) if structure.whole else 0
            reference, prediction = (self._mask(side, structure.parts) for side in (self.reference, self.prediction))
            self._pairs[key] = MaskPair(reference, prediction, self._spacing, self._voxels, whole)
        return self._pairs[key]

    def _mask(self, labels: np.ndarray, parts: Sequence[str]) -> np.ndarray:
        mask = labels == self._labels[parts[0]]
        for part in parts[1:]:
            mask |= labels == self._labels[part]
        return mask


def _box(reference: np.ndarray, prediction: np.ndarray) -> tuple[slice, slice, slice]:
    """Rows and columns with a label in either array; to a surface the background outside is as the image's border."""
    plane = ((reference != 0) | (prediction != 0)).any(axis=0)
    rows, columns = (np.flatnonzero(plane.any(axis=axis)) for axis in (1, 0))
    if not len(rows):
        return slice(None), slice(0), slice(0)
    return slice(None), slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)


def _rows(
    row: partial[MetricRow], convention: str, pair: MaskPair, regions: np.ndarray, metrics: Sequence[Metric]
) -> Iterator[MetricRow]:
    for metric in metrics:
        yield _row(row, convention, WHOLE, metric, pair)
    regional = [metric for metric in metrics if metric.regional]
    for name, region in CARDIAC_REGIONS.items() if regional else ():
        slices = regions == region
        voxels = pair.total_count * int(slices.sum()) // max(1, len(slices))
        part = MaskPair(pair.reference[slices], pair.prediction[slices], pair.spacing, voxels)
        for metric in regional:
            if slices.any():
                yield _row(row, convention, name, metric, part)
            else:
                yield row(name, metric.name, NAN, metric.unit, convention, "no slice in this region")


def _row(row: partial[MetricRow], convention: str, region: str, metric: Metric, pair: MaskPair) -> MetricRow:
    value = float(metric.compute(pair))
    reason = (pair.reason_undefined or metric.reason) if np.isnan(value) else ""
    return row(region, metric.name, value, metric.unit, convention, reason)


def _volumes(case: str, structure: str, pair: MaskPair) -> Iterator[MetricRow]:
    for metric in (METRICS[name] for name in VOLUMES):
        yield _row(partial(MetricRow, case, structure), CONVENTION, WHOLE, metric, pair)


def _slices(
    case: str, pairs: Mapping[str, MaskPair], reference: np.ndarray, labels: Mapping[str, int]
) -> Iterator[SliceRow]:
    regions, thirds = (reference_regions(reference, labels, scheme) for scheme in (DEFAULT_SCHEME, "thirds"))
    for structure, pair in pairs.items():
        yield from slice_rows(case, structure, pair, regions, thirds)
