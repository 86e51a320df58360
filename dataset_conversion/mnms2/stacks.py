"""Read the files of M&Ms-2: single slices of the long axis, and series whose header is not to be trusted."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from dataset_conversion.cases import SourceCase, SourceSubject, Stacks, VolumeFile
from dataset_conversion.geometry import SLICE_SPACING_RATIO, Geometry, format_spacing, same_spacing
from dataset_conversion.images import SourceError, Stack, find_nifti, read_stack, shown_name

CINE = "cine"
# What a long-axis slice is written as, mm. nnU-Net's 2D planner slices along the axis of the largest spacing, and the
# official headers say 1 mm where pixels are 1.2 to 1.9 mm. One value for all, because resampling slices of several
# thicknesses to their median would give some of them none or two. 10 mm is the distance of most short-axis slices.
SLICE_SPACING = 10.0
# What the headers of a single slice say where they do not know its thickness.
_UNKNOWN_THICKNESS = 1.0


def read_short_axis(path: Path, content: str) -> Stack:
    """Read a short-axis file; a series takes the geometry of the frame of ED beside it.

    The header of a series may contradict those of its frames, which the labels were drawn on.

    Args:
        path: `NNN_SA_ED.nii.gz`, its labels, or the series.
        content: "cine" for the series.

    Raises:
        SourceError: The file is damaged, or a series has other voxels than its frame of ED.
    """
    stack = read_stack(path)
    return stack if content != CINE else _on_grid_of_diastole(stack, "SA")


def read_long_axis(path: Path, content: str) -> Stack:
    """Read a long-axis file, a single slice, with `SLICE_SPACING` as its slice spacing; a series likewise.

    Raises:
        SourceError: The file is damaged, has more than one slice, or its pixels are too large to be those of a slice.
    """
    stack = read_stack(path)
    name, slices = shown_name(path), stack.array.shape[-3]
    if slices != 1:
        raise SourceError(f"{name}: expected a single slice, got {slices}")
    if content == CINE:
        stack = _on_grid_of_diastole(stack, "LA")
    largest = max(stack.geometry.spacing[1:])
    if largest * SLICE_SPACING_RATIO > SLICE_SPACING:
        raise SourceError(f"{name}: expected pixels of some millimetres, got {largest:g} mm")
    return replace(stack, geometry=_thick(stack.geometry))


def mark_phases(subject: SourceSubject, stacks: Stacks) -> SourceSubject:
    """Name the phase of those frames of a series that equal the files of ED and ES."""
    labelled = {
        case.row.phase: stacks[case.image.path, case.image.content].array
        for case in subject.cases
        if case.image.content != CINE
    }
    return replace(subject, cases=tuple(_with_phase(case, stacks, labelled) for case in subject.cases))


def _with_phase(case: SourceCase, stacks: Stacks, labelled: dict[str, np.ndarray]) -> SourceCase:
    if case.image.content != CINE:
        return case
    frame = stacks[case.image.path, case.image.content].volume(case.image.frame)
    phase = next((phase for phase, image in labelled.items() if np.array_equal(image, frame)), "")
    return replace(case, row=replace(case.row, phase=phase))


def series(path: Path, frame: int) -> VolumeFile:
    """Return a frame (from 0) of a series."""
    return VolumeFile(path, frame, CINE)


def _on_grid_of_diastole(stack: Stack, view: str) -> Stack:
    code = stack.path.parent.name
    path = find_nifti(stack.path.parent, f"{code}_{view}_ED")
    if path is None:
        raise SourceError(f"{code}_{view}_ED.nii.gz: expected the frame of ED beside its series, found none")
    diastole = read_stack(path)
    expected, shape = diastole.array.shape[-3:], stack.array.shape[-3:]
    if shape != expected:
        raise SourceError(
            f"{shown_name(stack.path)}: expected frames of the shape of {path.name}, "
            f"{format_spacing(expected[::-1])}, got {format_spacing(shape[::-1])}"
        )
    geometry, own = diastole.geometry, stack.geometry.spacing
    if not same_spacing(own, geometry.spacing):
        note = f"spacing {format_spacing(own[::-1])} mm, that of {path.name} is used"
        geometry = replace(geometry, notes=(note,))
    return replace(stack, geometry=geometry)


def _thick(geometry: Geometry) -> Geometry:
    thickness, rows, columns = geometry.spacing
    notes = geometry.notes
    if not same_spacing(thickness, _UNKNOWN_THICKNESS) and not same_spacing(thickness, SLICE_SPACING):
        notes += (f"single slice of {thickness:g} mm, written as {SLICE_SPACING:g} mm",)
    return replace(geometry, spacing=(SLICE_SPACING, rows, columns), notes=notes)
