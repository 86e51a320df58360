"""`segments.csv` and `slices.csv`: wall thickness and transmurality by segment, ring, heart and slice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from nnunet_cardiac_ext.evaluation.heart.aha import RINGS, SEGMENTS
from nnunet_cardiac_ext.evaluation.heart.wall import Wall
from nnunet_cardiac_ext.regions import Region

NAN = float("nan")
TRANSMURALITY = ("transmurality_mean_percent", "transmurality_max_percent", "infarct_extent_percent")
SECTOR_REASON = "a sector of the image, not of the heart, has no thickening"
# Sectors of 30 degrees: the thinnest of a slice tells a thinned wall from one noisy ray.
SECTORS = 12


class SegmentRow(NamedTuple):
    """One line of `segments.csv`.

    Attributes:
        subject: The subject.
        case: The image.
        phase: "ED", "ES", or "" where it is unknown.
        part: "segment", "ring" or "heart".
        segment: AHA number 1 to 16 as text; empty for rings, the heart, and sectors of the image.
        name: The segment, ring or sector in words.
        thickness_mm: Mean wall thickness.
        thickening_percent: 100 (ES - ED) / ED of the same segment, in the lines of ES; None elsewhere.
        transmurality_mean_percent: Mean share of the wall's extent that is infarct, over all rays.
        transmurality_max_percent: The largest of them.
        infarct_extent_percent: Share of the rays that meet any infarct.
        rays: Number of rays that met wall, over all slices.
        septum_from: Where the middle of the septum comes from.
        handedness_from: Who says which way round the image turns.
        reason: Why a number is undefined.
    """

    subject: str
    case: str
    phase: str
    part: str
    segment: str
    name: str
    thickness_mm: float
    thickening_percent: float | None
    transmurality_mean_percent: float
    transmurality_max_percent: float
    infarct_extent_percent: float
    rays: int
    septum_from: str
    handedness_from: str
    reason: str


class SliceRow(NamedTuple):
    """One line of `slices.csv`.

    Attributes:
        subject: The subject.
        case: The image.
        phase: "ED", "ES", or "".
        slice: Index from 0, as stored.
        ring: basal, mid or apical.
        cavity_area_mm2: Area of the LV cavity.
        wall_area_mm2: Area of the myocardium.
        thickness_mm: Mean wall thickness over all rays.
        thinnest_sector_mm: Mean thickness of the thinnest of 12 sectors of 30 degrees.
        thinning_ratio: Thinnest sector over mean: 1 for an even wall, small where a part is thinned.
        reason: Why a number is undefined.
    """

    subject: str
    case: str
    phase: str
    slice: int
    ring: str
    cavity_area_mm2: float
    wall_area_mm2: float
    thickness_mm: float
    thinnest_sector_mm: float
    thinning_ratio: float
    reason: str


@dataclass(frozen=True)
class CaseName:
    """Whose wall it is: subject, case and phase."""

    subject: str
    case: str
    phase: str = ""


def segment_rows(name: CaseName, wall: Wall) -> list[SegmentRow]:
    """Return the lines of one image: 16 segments, three rings, the heart.

    Every ray counts alike. Without an RV the segments are sectors of the image, without a number.
    """
    of_image = wall.septum_from == "image"
    segments = sorted(SEGMENTS, key=lambda s: (s.ring, s.start % 360)) if of_image else SEGMENTS
    rows = [
        _row(
            name, wall, "segment", "" if of_image else str(segment.number),
            segment.image_name if of_image else segment.name,
            _in_ring(wall, segment.ring) & segment.contains(wall.angles),
        )
        for segment in segments
    ]  # fmt: skip
    rows += [_row(name, wall, "ring", "", ring, _in_ring(wall, region)) for region, ring in RINGS.items()]
    everything = np.repeat(wall.used[:, None], wall.thickness.shape[1], axis=1)
    return [*rows, _row(name, wall, "heart", "", "whole wall", everything)]


def slice_rows(name: CaseName, wall: Wall, cavity_areas: np.ndarray, wall_areas: np.ndarray) -> list[SliceRow]:
    """Return one line per slice of the left ventricle; areas in mm2, shape (slice,)."""
    return [
        SliceRow(
            name.subject, name.case, name.phase, index, RINGS[Region(wall.regions[index])],
            float(cavity_areas[index]), float(wall_areas[index]), *_thinning(wall, index), wall.reasons[index],
        )
        for index in map(int, np.flatnonzero(wall.regions != Region.NON_CARDIAC))
    ]  # fmt: skip


def with_thickening(systole: Sequence[SegmentRow], diastole: Sequence[SegmentRow]) -> list[SegmentRow]:
    """Fill in the thickening of the lines of ES from those of ED, which are in the same order.

    Sectors of the image have none: the heart turns between the two.
    """
    return [_thickened(row, before) for row, before in zip(systole, diastole, strict=True)]


def thinnest_slice(rows: Sequence[SliceRow]) -> SliceRow | None:
    """Return the line of the slice with the smallest thinning ratio; None where none is defined."""
    defined = [row for row in rows if np.isfinite(row.thinning_ratio)]
    return min(defined, key=lambda row: row.thinning_ratio, default=None)


def sector_means(angles: np.ndarray, values: np.ndarray, sectors: int) -> np.ndarray:
    """Mean of the defined values in each of equal sectors from angle 0 on; NaN where a sector has none.

    Args:
        angles: Radians in [0, 2 pi), shape (ray,).
        values: Shape (ray,).
        sectors: Their number.
    """
    known = np.isfinite(values)
    index = np.minimum((angles[known] * sectors / (2 * np.pi)).astype(int), sectors - 1)
    total = np.bincount(index, weights=values[known], minlength=sectors)
    count = np.bincount(index, minlength=sectors)
    return np.divide(total, count, out=np.full(sectors, NAN), where=count > 0)


def _thickened(row: SegmentRow, before: SegmentRow) -> SegmentRow:
    if row.part == "segment" and not row.segment:
        return row._replace(thickening_percent=NAN, reason=row.reason or SECTOR_REASON)
    reason = row.reason or (f"at ED: {before.reason}" if before.reason else "")
    thickening = 100 * (row.thickness_mm - before.thickness_mm) / before.thickness_mm
    return row._replace(thickening_percent=thickening, reason=reason)


def _in_ring(wall: Wall, region: Region) -> np.ndarray:
    used = wall.used & (wall.regions == region)
    return np.repeat(used[:, None], wall.thickness.shape[1], axis=1)


def _row(name: CaseName, wall: Wall, part: str, number: str, title: str, chosen: np.ndarray) -> SegmentRow:
    thickness, share = (values[chosen][np.isfinite(values[chosen])] for values in (wall.thickness, wall.infarcted))
    reason = "no wall in this sector" if chosen.any() else "no slice with cavity and wall in this ring"
    return SegmentRow(
        name.subject, name.case, name.phase, part, number, title,
        thickness_mm=float(thickness.mean()) if len(thickness) else NAN,
        thickening_percent=None,
        transmurality_mean_percent=100 * float(share.mean()) if len(share) else NAN,
        transmurality_max_percent=100 * float(share.max()) if len(share) else NAN,
        infarct_extent_percent=100 * float((share > 0).mean()) if len(share) else NAN,
        rays=len(thickness), septum_from=wall.septum_from, handedness_from=wall.handedness.source,
        reason="" if len(thickness) else reason,
    )  # fmt: skip


def _thinning(wall: Wall, index: int) -> tuple[float, float, float]:
    if not wall.used[index]:
        return NAN, NAN, NAN
    values = wall.thickness[index]
    mean = float(np.nanmean(values))
    thinnest = float(np.nanmin(sector_means(wall.angles[index], values, SECTORS)))
    return mean, thinnest, thinnest / mean
