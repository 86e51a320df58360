"""Label images on disk: which belong to one heart, and their frames."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import nibabel as nib
import numpy as np

from nnunet_cardiac_ext.case_table import CaseRow
from nnunet_cardiac_ext.errors import WorkError
from nnunet_cardiac_ext.evaluation.inputs import Volume, as_labels, format_numbers, read_labels, read_volume

# How converters name the frames of a cine.
FRAME_NAME = re.compile(r"(?P<subject>.+)_frame(?P<frame>\d+)")
# Headers and tables are rounded; a real difference of voxel size is far larger.
SPACING_TOLERANCE = 1e-3
# From NIfTI's patient coordinates (right, anterior, superior) to ITK's (left, posterior, superior).
TO_ITK = np.diag([-1.0, -1.0, 1.0])


@dataclass(frozen=True)
class LabelImage:
    """One file.

    Attributes:
        case: Its name without ending.
        path: The file.
        row: Its line of the case table, if there is one.
        image: The image that it labels, for its voxel size; None to take that of the table, else its own.
    """

    case: str
    path: Path
    row: CaseRow | None = None
    image: Path | None = None


@dataclass(frozen=True)
class HeartFiles:
    """The images of one subject, in the order of time where that is known."""

    subject: str
    images: tuple[LabelImage, ...]


@dataclass(frozen=True)
class Frame:
    """One labelled stack.

    Attributes:
        case: Name of its file without ending.
        frame: Its frame, as the name or the table counts it, or its index from 0 in a 4-D file; None without time.
        phase: "ED" or "ES" where the case table says so, else "".
        volume: Labels and geometry.
        base_first: Whether slice 0 is at the base, where the table says so.
    """

    case: str
    frame: int | None
    phase: str
    volume: Volume
    base_first: bool | None


def group_by_heart(
    files: Mapping[str, Path], table: Sequence[CaseRow], images: Mapping[str, Path] | None = None
) -> list[HeartFiles]:
    """Group label images by subject: that of the case table, else the part of the name before `_frameXX`.

    Args:
        files: Label image by case.
        table: The case table, or nothing.
        images: Image by case, or None.
    """
    rows = {row.case: row for row in table}
    subjects: dict[str, list[LabelImage]] = defaultdict(list)
    for case, path in files.items():
        row, name = rows.get(case), FRAME_NAME.fullmatch(case)
        subject = row.visit if row else name["subject"] if name else case
        subjects[subject].append(LabelImage(case, path, row, (images or {}).get(case)))
    return [HeartFiles(subject, tuple(sorted(found, key=_time))) for subject, found in sorted(subjects.items())]


def read_frames(image: LabelImage, labels: Mapping[str, int]) -> tuple[list[Frame], list[str]]:
    """Read a label image, 3-D or 4-D NIfTI.

    Returns:
        Its frames, and remarks, one line each: a voxel size that is not the file's own.

    Raises:
        WorkError: A file cannot be read, has another number of axes, or holds an unknown label.
    """
    row = image.row
    volumes = list(_volumes(image.path, labels))
    repaired, remarks = _with_true_spacing(image, volumes)
    phase = row.phase if row and row.phase in ("ED", "ES") else ""
    base_first = row.base_first if row else None
    frames: list[int | None] = [_frame_number(image)] if len(volumes) == 1 else list(range(len(volumes)))
    return [
        Frame(image.case, number, phase if len(volumes) == 1 else "", volume, base_first)
        for number, volume in zip(frames, repaired, strict=True)
    ], remarks


def _time(image: LabelImage) -> tuple[float, str]:
    frame = _frame_number(image)
    return (float("inf") if frame is None else frame), image.case


def _frame_number(image: LabelImage) -> int | None:
    if image.row and image.row.frame is not None:
        return image.row.frame
    name = FRAME_NAME.fullmatch(image.case)
    return int(name["frame"]) if name else None


def _volumes(path: Path, labels: Mapping[str, int]) -> Iterator[Volume]:
    series = _series(path) if ".nii" in path.suffixes else None
    if series is None:
        yield read_labels(path, labels)
        return
    axes = TO_ITK @ series.affine[:3, :3]
    axes = axes / np.linalg.norm(axes, axis=0)
    slice_mm, row_mm, column_mm = (float(value) for value in series.header.get_zooms()[2::-1])
    if not slice_mm * row_mm * column_mm > 0:
        raise WorkError(f"{path}: expected a positive spacing, got {slice_mm:g} x {row_mm:g} x {column_mm:g} mm")
    try:
        array = np.asanyarray(series.dataobj).T
    except Exception as error:  # nibabel, gzip and zlib raise a dozen types for damaged files
        raise WorkError(f"{path}: cannot be read as an image") from error
    for stack in array:
        yield Volume(as_labels(path, stack, labels)[0], (slice_mm, row_mm, column_mm), axes)


def _series(path: Path) -> nib.Nifti1Image | None:
    """Open a NIfTI file if it is 4-D; anything else is left to the reader of 3-D images and its messages."""
    try:
        image = nib.load(path)
    except Exception:  # as above; SimpleITK says what is wrong with it
        return None
    return image if image.ndim == 4 else None


def _with_true_spacing(image: LabelImage, volumes: list[Volume]) -> tuple[list[Volume], list[str]]:
    """Take the voxel size of the image or the table where the label file says otherwise: some writers lose it."""
    own = volumes[0].spacing
    known = read_volume(image.image) if image.image else None
    spacing, source = own, ""
    if known:
        spacing, source = known.spacing, str(image.image)
    elif image.row and np.isfinite(image.row.spacing).all():
        spacing, source = image.row.spacing, "the case table"
    if np.allclose(own, spacing, rtol=SPACING_TOLERANCE, atol=0):
        return volumes, []
    remark = (
        f"{image.path}: spacing {format_numbers(own)} mm differs from {format_numbers(spacing)} mm of {source}, "
        "which was used"
    )
    return [replace(volume, spacing=spacing) for volume in volumes], [remark]
