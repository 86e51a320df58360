"""Everything that the labels of one subject tell: the lines of all tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from nnunet_cardiac_ext.errors import CardiacError
from nnunet_cardiac_ext.evaluation.heart.body import body_of
from nnunet_cardiac_ext.evaluation.heart.curves import find_phases
from nnunet_cardiac_ext.evaluation.heart.images import Frame, HeartFiles, read_frames
from nnunet_cardiac_ext.evaluation.heart.masks import heart_masks
from nnunet_cardiac_ext.evaluation.heart.numbers import SUBJECT_QUANTITIES, subject_numbers
from nnunet_cardiac_ext.evaluation.heart.orientation import handedness
from nnunet_cardiac_ext.evaluation.heart.segments import (
    CaseName,
    SegmentRow,
    SliceRow,
    segment_rows,
    slice_rows,
    thinnest_slice,
    with_thickening,
)
from nnunet_cardiac_ext.evaluation.heart.volumes import image_numbers, structure_volumes
from nnunet_cardiac_ext.evaluation.heart.wall import measure_wall

NAN = float("nan")
FROM_TABLE, FROM_CURVE = "case table", "volume curve"
# Two images are a pair of phases; a curve needs a frame between them.
LEAST_FRAMES_DRAWN = 3
CURVE_VOLUMES = ("lv_volume_ml", "rv_volume_ml", "myocardium_volume_ml")
CURVE_COLUMNS = ("subject", "case", "frame", *CURVE_VOLUMES, "phase", "remark")
WALL_COLUMNS = ("wall_thickness_mm", "wall_thinning_ratio", "thinnest_slice")
SUBJECT_COLUMNS = (
    "subject", "ed_case", "ed_frame", "es_case", "es_frame", "phases_from",
    *(quantity.header for quantity in SUBJECT_QUANTITIES), "reason",
)  # fmt: skip


@dataclass
class SubjectTables:
    """The lines of one subject in each table.

    Attributes:
        subject: The subject.
        numbers: Its line of `subjects.csv`; None where no phase is known.
        volumes: Lines of `volumes.csv`.
        segments: Lines of `segments.csv`.
        slices: Lines of `slices.csv`.
        curve: Lines of `curves.csv`; none for fewer than three frames.
        failures: Why a file could not be measured, by case.
        remarks: What was odd, one line each.
    """

    subject: str
    numbers: dict[str, Any] | None = None
    volumes: list[dict[str, Any]] = field(default_factory=list)
    segments: list[SegmentRow] = field(default_factory=list)
    slices: list[SliceRow] = field(default_factory=list)
    curve: list[dict[str, Any]] = field(default_factory=list)
    failures: dict[str, str] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)


def measure_subject(files: HeartFiles, labels: Mapping[str, int]) -> SubjectTables:
    """Measure all images of a subject.

    The phases of the case table count; where it has none and there are at least two frames, end-diastole and
    end-systole are found in the LV volumes (`curves.find_phases`). The wall is measured at both, or in every image
    where there are no phases. An image that cannot be read is told in `failures`, the others are measured.

    Args:
        files: Its label images.
        labels: Label value by structure name.
    """
    tables = SubjectTables(files.subject)
    frames = list(_read(files, labels, tables))
    volumes = [structure_volumes(frame.volume.array, frame.volume.spacing, labels) for frame in frames]
    frames, source, remarks = _with_phases(frames, volumes)
    has_phases = any(frame.phase for frame in frames)
    segments: dict[str, list[SegmentRow]] = {}
    for number, (frame, volume) in enumerate(zip(frames, volumes, strict=True)):
        line = _volume_line(files.subject, frame, volume)
        if frame.phase or not has_phases:
            segments[frame.phase or str(number)] = _measure_wall(tables, frame, labels, line)
        tables.volumes.append(line)
    if {"ED", "ES"} <= segments.keys():
        segments["ES"] = with_thickening(segments["ES"], segments["ED"])
    tables.segments = [row for rows in segments.values() for row in rows]
    if has_phases:
        tables.numbers = _numbers_line(files, frames, volumes, source)
    if sum(frame.frame is not None for frame in frames) >= LEAST_FRAMES_DRAWN:
        tables.curve = list(_curve(files.subject, frames, volumes, remarks))
    return tables


def volume_columns(labels: Mapping[str, int]) -> list[str]:
    """Return the header of `volumes.csv`, which follows from the labels."""
    numbers = image_numbers(dict.fromkeys(labels, 0.0))
    return ["subject", "case", "frame", "phase", *numbers, *WALL_COLUMNS, "reason"]


def _read(files: HeartFiles, labels: Mapping[str, int], tables: SubjectTables) -> Iterator[Frame]:
    for image in files.images:
        try:
            frames, remarks = read_frames(image, labels)
        except CardiacError as error:
            tables.failures[image.case] = str(error)
            continue
        tables.remarks += remarks
        yield from frames


def _with_phases(
    frames: Sequence[Frame], volumes: Sequence[Mapping[str, float]]
) -> tuple[list[Frame], str, list[str]]:
    """Return the frames with their phase, where the phases come from, and a remark on each frame of the curve.

    A frame without any label was not segmented (M&Ms labels two of all frames); its LV volume of 0 is no end-systole.
    """
    remarks = ["" if any(volume.values()) else "empty" for volume in volumes]
    timed = [i for i, frame in enumerate(frames) if frame.frame is not None and "LV" in volumes[i] and not remarks[i]]
    found = find_phases(np.array([volumes[i]["LV"] for i in timed]))
    for i in np.flatnonzero(found.outliers):
        remarks[timed[i]] = "outlier"
    if any(frame.phase for frame in frames):
        return list(frames), FROM_TABLE, remarks
    chosen = {timed[i]: phase for i, phase in ((found.diastole, "ED"), (found.systole, "ES")) if i is not None}
    return [replace(frame, phase=chosen.get(i, "")) for i, frame in enumerate(frames)], FROM_CURVE, remarks


def _volume_line(subject: str, frame: Frame, volumes: Mapping[str, float]) -> dict[str, Any]:
    number = "" if frame.frame is None else frame.frame
    return {"subject": subject, "case": frame.case, "frame": number, "phase": frame.phase} | image_numbers(volumes)


def _measure_wall(
    tables: SubjectTables, frame: Frame, labels: Mapping[str, int], line: dict[str, Any]
) -> list[SegmentRow]:
    """Add the lines of an image's slices to the tables and its means to `line`; returns those of its segments."""
    masks = heart_masks(frame.volume.array, frame.volume.spacing, labels, base_first=frame.base_first)
    wall = measure_wall(masks, handedness(frame.volume.axes))
    pixel = masks.spacing[1] * masks.spacing[2]
    name = CaseName(tables.subject, frame.case, frame.phase)
    areas = (mask.sum(axis=(1, 2)) * pixel for mask in (masks.cavity, masks.wall))
    segments, slices = segment_rows(name, wall), slice_rows(name, wall, *areas)
    tables.slices += slices
    thinnest = thinnest_slice(slices)
    thinning = (thinnest.thinning_ratio, thinnest.slice) if thinnest else (NAN, "")
    line |= dict(zip(WALL_COLUMNS, (segments[-1].thickness_mm, *thinning), strict=True))
    why = "no slice with cavity and a closed wall" if masks.wall.any() else "no myocardium"
    line["reason"] = "" if thinnest else why
    return segments


def _numbers_line(
    files: HeartFiles, frames: Sequence[Frame], volumes: Sequence[dict[str, float]], source: str
) -> dict[str, Any]:
    at = {frame.phase: (frame, volume) for frame, volume in zip(frames, volumes, strict=True) if frame.phase}
    body = body_of(image.row for image in files.images if image.row)
    diastole, systole = (at[phase][1] if phase in at else None for phase in ("ED", "ES"))
    found = subject_numbers(diastole, systole, body)
    line: dict[str, Any] = {"subject": files.subject}
    for phase in ("ED", "ES"):
        frame = at[phase][0] if phase in at else None
        line[f"{phase.lower()}_case"] = frame.case if frame else ""
        line[f"{phase.lower()}_frame"] = frame.frame if frame and frame.frame is not None else ""
    line |= {"phases_from": source} | {quantity.header: found.values[quantity.name] for quantity in SUBJECT_QUANTITIES}
    return line | {"reason": found.reason}


def _curve(
    subject: str, frames: Sequence[Frame], volumes: Sequence[dict[str, float]], remarks: Sequence[str]
) -> Iterator[dict[str, Any]]:
    for frame, volume, remark in zip(frames, volumes, remarks, strict=True):
        if frame.frame is not None:
            columns = {name: image_numbers(volume).get(name, NAN) for name in CURVE_VOLUMES}
            yield {
                "subject": subject, "case": frame.case, "frame": frame.frame, **columns, "phase": frame.phase,
                "remark": remark,
            }  # fmt: skip
