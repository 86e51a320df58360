"""Read NIfTI files that may be damaged, and write ones that are consistent."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BufferedIOBase
from pathlib import Path

import nibabel as nib
import numpy as np
from nibabel.imageglobals import logger as nibabel_logger

from dataset_conversion.geometry import Geometry, format_spacing, geometry_of, same_spacing, slice_axis
from nnunet_cardiac_ext.errors import WorkError, first_line
from nnunet_cardiac_ext.files import written_whole

SUFFIXES = (".nii.gz", ".nii")
# Labels that went through a scale factor come back with rounding; 0.999 is no such thing.
LABEL_TOLERANCE = 1e-4
_HEADER_BYTES = 540  # of NIfTI-2; NIfTI-1 has 348
# EMIDEC names an image and its labels alike: only these folders tell them apart.
_TELLING_FOLDERS = ("images", "contours")


class SourceError(WorkError):
    """A source file is damaged or not what it should be. It stops its subject, not the conversion."""


@dataclass(frozen=True)
class Stack:
    """A file with one volume or a series of them.

    Attributes:
        path: The file.
        array: Grey values or labels (slice, row, column), or (frame, slice, row, column).
        geometry: Spacing, axes and origin of each volume.
    """

    path: Path
    array: np.ndarray
    geometry: Geometry

    @property
    def series(self) -> np.ndarray:
        """The volumes (frame, slice, row, column); one frame for a single volume."""
        return self.array if self.array.ndim == 4 else self.array[None]

    def volume(self, frame: int | None = None) -> np.ndarray:
        """Return one volume (slice, row, column).

        Args:
            frame: Index from 0 into a series; None for a file that holds one volume.

        Raises:
            SourceError: The file has no such frame, or is a series although a single volume was expected.
        """
        if frame is None:
            if self.array.ndim != 3:
                raise SourceError(f"{shown_name(self.path)}: expected 3 dimensions, got {_describe(self.array.shape)}")
            return self.array
        if frame >= len(self.series):
            raise SourceError(f"{shown_name(self.path)}: expected at least {frame + 1} frames, got {len(self.series)}")
        return self.series[frame]


def shown_name(path: Path) -> str:
    """Return how messages name a file: its name, with its folder where only that tells what the file is."""
    return f"{path.parent.name}/{path.name}" if path.parent.name.casefold() in _TELLING_FOLDERS else path.name


def find_nifti(folder: Path, stem: str) -> Path | None:
    """Return the file `stem` + ".nii.gz" or ".nii" in a folder, the compressed one first, or None."""
    return next((path for suffix in SUFFIXES if (path := folder / (stem + suffix)).is_file()), None)


def read_stack(path: Path) -> Stack:
    """Read a NIfTI file of three or four dimensions; more dimensions of size 1 are dropped.

    Returns:
        Numbers as stored where they are integers of up to 16 bits, float32 otherwise. The slice axis is the first one
        of each volume, wherever the file has it (`geometry.slice_axis`).

    Raises:
        SourceError: The file is absent, empty, truncated, no NIfTI, or its header makes no sense.
    """
    try:
        with _opened(path) as stream, _silent_nibabel():
            # All of it: nibabel stops at the last voxel and so never sees the checksum at the end of a gzip file.
            content = stream.read()
            image = _nifti_class(content).from_bytes(content)
            array = np.asanyarray(image.dataobj).T
    except SourceError:
        raise
    except Exception as error:  # nibabel, gzip and zlib raise a dozen types for damaged files
        raise SourceError(f"{shown_name(path)}: {_reason(error)}") from error
    while array.ndim > 3 and len(array) == 1:
        array = array[0]
    if array.ndim not in (3, 4) or not array.size:
        raise SourceError(f"{shown_name(path)}: expected 3 dimensions, got {_describe(array.shape)}")
    try:
        geometry = geometry_of(_raw_header(content)["pixdim"][1:4], image.affine)
    except ValueError as error:
        raise SourceError(f"{shown_name(path)}: {error}") from error
    axis = slice_axis(array.shape[:-4:-1], geometry.spacing[::-1])
    array = np.moveaxis(array, -1 - axis, -3)
    return Stack(path, _as_stored(path, array), geometry.with_slices_along(axis))


def count_frames(path: Path) -> int:
    """Return how many volumes a file says it holds, without reading them; raises like `read_stack`."""
    dimensions = _read_header(path)["dim"]
    return int(dimensions[4]) if dimensions[0] > 3 else 1


def count_slices(path: Path) -> int:
    """Return how many slices each volume of a file has, by its header alone; raises like `read_stack`."""
    header = _read_header(path)
    shape = tuple(int(size) for size in header["dim"][1:4])
    return shape[slice_axis(shape, tuple(float(value) for value in header["pixdim"][1:4]))]


def check_image(name: str, volume: np.ndarray) -> np.ndarray:
    """Return the grey values if they can be those of an image.

    Raises:
        SourceError: A value is NaN or infinite, or all are equal.
    """
    broken = volume.size - int(np.isfinite(volume).sum())
    if broken:
        raise SourceError(f"{name}: expected finite grey values, got NaN or infinity in {broken} voxels")
    if volume.min() == volume.max():
        raise SourceError(f"{name}: expected an image, got {volume.flat[0]:g} in every voxel")
    return volume


def check_labels(name: str, volume: np.ndarray) -> np.ndarray:
    """Return labels as integers.

    Raises:
        SourceError: A value is no whole number, or all are 0.
    """
    if not np.isfinite(volume).all():
        raise SourceError(f"{name}: expected whole numbers as labels, got NaN or infinity")
    rounded = np.rint(volume)
    off = np.abs(volume - rounded) > LABEL_TOLERANCE
    if off.any():
        raise SourceError(
            f"{name}: expected whole numbers as labels, got {volume[off][0]:g} and others in {int(off.sum())} voxels"
        )
    if not rounded.any():
        raise SourceError(f"{name}: expected labels, got 0 in every voxel")
    return rounded.astype(np.int64)


def check_same_grid(image: Stack, labels: Stack) -> tuple[str, ...]:
    """Check that labels lie on the grid of their image.

    Returns:
        Notes on differences that do no harm, because the image's geometry is written for both.

    Raises:
        SourceError: Shape or spacing differ, or an axis points elsewhere.
    """
    name, shape, own = shown_name(labels.path), labels.array.shape[-3:], labels.geometry
    if shape != image.array.shape[-3:]:
        raise SourceError(
            f"{name}: expected the shape of its image, {_describe(image.array.shape[-3:])}, got {_describe(shape)}"
        )
    if not same_spacing(own.spacing, image.geometry.spacing):
        raise SourceError(
            f"{name}: expected the spacing of its image, {format_spacing(image.geometry.spacing[::-1])} mm, "
            f"got {format_spacing(own.spacing[::-1])} mm"
        )
    turned = np.degrees(np.arccos((own.axes * image.geometry.axes).sum(axis=0).clip(-1, 1))).max()
    if turned > 45:
        raise SourceError(f"{name}: expected the orientation of its image, got an axis turned by {turned:.0f} degrees")
    shift = float(np.linalg.norm(own.origin - image.geometry.origin))
    if turned > 0.1 or shift > 0.1:
        return (f"{name}: header {turned:.1f} degrees and {shift:.1f} mm off its image's, which is used for both",)
    return ()


def write_volume(path: Path, volume: np.ndarray, geometry: Geometry) -> None:
    """Write a volume (slice, row, column) as NIfTI with qform and sform alike, whole or not at all.

    Raises:
        WorkError: The file cannot be written.
    """
    image = nib.Nifti1Image(volume.T, geometry.affine)
    image.set_qform(geometry.affine, code="scanner")
    image.set_sform(geometry.affine, code="scanner")
    image.header.set_xyzt_units("mm", "sec")
    with written_whole(path) as partial:
        nib.save(image, partial)


@contextmanager
def _opened(path: Path) -> Iterator[BufferedIOBase]:
    """Open a file for reading, decompressed; by its first bytes, because browsers decompress without renaming."""
    if not path.is_file():
        raise SourceError(f"{shown_name(path)}: expected a file, found none")
    if not path.stat().st_size:
        raise SourceError(f"{shown_name(path)}: expected a NIfTI file, got 0 bytes")
    with path.open("rb") as raw:
        compressed = raw.read(2) == b"\x1f\x8b"
        raw.seek(0)
        with gzip.GzipFile(fileobj=raw) if compressed else raw as stream:
            yield stream


def _nifti_class(content: bytes) -> type[nib.Nifti1Image]:
    if nib.Nifti1Header.may_contain_header(content):
        return nib.Nifti1Image
    if nib.Nifti2Header.may_contain_header(content):
        return nib.Nifti2Image
    raise ValueError("expected a NIfTI file, got something else")


def _raw_header(content: bytes) -> nib.Nifti1Header:
    """Return the header as it stands: nibabel's own reading turns a spacing of 0 or -1 into 1."""
    header = _nifti_class(content).header_class
    return header(content[: header.sizeof_hdr], check=False)


def _read_header(path: Path) -> nib.Nifti1Header:
    try:
        with _opened(path) as stream:
            return _raw_header(stream.read(_HEADER_BYTES))
    except SourceError:
        raise
    except Exception as error:  # as in read_stack
        raise SourceError(f"{shown_name(path)}: {_reason(error)}") from error


@contextmanager
def _silent_nibabel() -> Iterator[None]:
    before = nibabel_logger.disabled
    nibabel_logger.disabled = True
    try:
        yield
    finally:
        nibabel_logger.disabled = before


def _as_stored(path: Path, array: np.ndarray) -> np.ndarray:
    if array.dtype.kind not in "iuf":
        raise SourceError(f"{shown_name(path)}: expected one number per voxel, got the type {array.dtype}")
    small_integer = array.dtype.kind in "iu" and array.dtype.itemsize <= 2
    return np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("=") if small_integer else np.float32)


def _reason(error: Exception) -> str:
    if isinstance(error, ValueError):
        return first_line(error)
    return f"expected a complete NIfTI file, got a damaged one ({first_line(error)})"


def _describe(shape: tuple[int, ...]) -> str:
    return "x".join(str(size) for size in reversed(shape))
