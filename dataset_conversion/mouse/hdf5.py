"""The public mouse data set of UCL (mrphys/Open-Source_Pre-Clinical_Segmentation): one HDF5 file per mouse.

`Images` and `Masks` are (row, column, slice, frame): 256 x 256, 8 to 11 slices from the base on, 17 to 36 frames.
Masks hold 1 for the myocardium, papillary muscles included, and 2 for the blood pool; `Frames_with_ROI` lists the
annotated frames, counted from 0, all others are empty. Files that MATLAB has written show their axes the other way
round, and count frames from 1: both are recognised. No public file tells its spacing; one that has the attribute
`spacing_mm` (slice, row, column), as phantoms do, is believed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import h5py
import numpy as np

from dataset_conversion.cases import VolumeFile
from dataset_conversion.geometry import Geometry
from dataset_conversion.images import SourceError, Stack
from dataset_conversion.mouse.labels import POOL, without_pool
from dataset_conversion.mouse.scans import UPRIGHT, Frame
from nnunet_cardiac_ext.errors import first_line

SUFFIXES = (".h5", ".hdf5")
# The publication of the data set (doi:10.1016/j.jocmr.2026.102706): contiguous slices of 1 mm, pixels interpolated to
# 0.1 mm.
DEFAULT_SPACING = (1.0, 0.1, 0.1)
Spacing = tuple[float, float, float]
_CONTENT = re.compile(r"(Images|Masks), frame (\d+), (\S+)x(\S+)x(\S+) mm")
SPACING_ATTRIBUTE = "spacing_mm"
_POINTER = b"version https://git-lfs"


def survey(path: Path, spacing: Spacing | None) -> list[Frame]:
    """Return the annotated frames: those whose masks are not empty, as `Frames_with_ROI` counts them.

    ED is the earliest of them and ES the one with the smallest blood pool of the others, which is how the data set
    was annotated; further ones (inflow artefacts) have no phase.

    Args:
        path: The file.
        spacing: Spacing in mm as (slice, row, column); None takes that of the file, or else `DEFAULT_SPACING`.

    Raises:
        SourceError: The file is damaged, lacks a part, or annotates no frame.
    """
    with _opened(path) as file:
        images, masks = (_dataset(path, file, name) for name in ("Images", "Masks"))
        if images.shape != masks.shape:
            expected, got = _describe(images.shape), _describe(masks.shape)
            raise SourceError(f"{path.name}: expected Masks of the shape of Images, {expected}, got {got}")
        labels = _upright(path, masks, masks[()])
        spacing = spacing or _own_spacing(path, file) or DEFAULT_SPACING
        listed = file["Frames_with_ROI"][()].ravel() if "Frames_with_ROI" in file else None
    annotated = np.flatnonzero(labels.any(axis=(1, 2, 3))).tolist()
    if not annotated:
        raise SourceError(f"{path.name}: expected labels in a frame of Masks, got 0 in every voxel")
    numbers = _numbers(path, annotated, listed)
    pools = [int((labels[index] == POOL).sum()) for index in annotated]
    return [
        Frame(number, phase, _volume(path, "Images", index, spacing), _volume(path, "Masks", index, spacing))
        for index, number, phase in zip(annotated, numbers, _phases(pools), strict=True)
    ]


def read(path: Path, content: str) -> Stack:
    """Read one frame of the images or the masks: what the contents of `survey` name.

    Returns:
        The volume (slice, row, column); of the masks the myocardium (1) without the blood pool.

    Raises:
        SourceError: The file is damaged, or a mask holds a value that has no meaning.
    """
    match = _CONTENT.fullmatch(content)
    if match is None:
        raise ValueError(f"expected a content of HDF5 files, got {content!r}")
    name, index = match[1], int(match[2])
    with _opened(path) as file:
        dataset = _dataset(path, file, name)
        frame = dataset[index : index + 1] if _is_reversed(path, dataset.shape) else dataset[:, :, :, index : index + 1]
        array = _upright(path, dataset, frame)[0]
    if name == "Masks":
        array = without_pool(path.name, array)
    spacing = (float(match[3]), float(match[4]), float(match[5]))
    return Stack(path, array, Geometry(spacing, UPRIGHT, np.zeros(3)))


def has_default_spacing(volume: VolumeFile) -> bool:
    """Tell whether the spacing of a volume of `survey` is the one that is assumed where nothing tells it."""
    return volume.content.endswith(f", {_as_text(DEFAULT_SPACING)}")


def _volume(path: Path, name: str, index: int, spacing: Spacing) -> VolumeFile:
    return VolumeFile(path, None, f"{name}, frame {index}, {_as_text(spacing)}")


def _as_text(spacing: Spacing) -> str:
    return f"{'x'.join(f'{value:.6g}' for value in spacing)} mm"


def _own_spacing(path: Path, file: h5py.File) -> Spacing | None:
    stored = file.attrs.get(SPACING_ATTRIBUTE)
    if stored is None:
        return None
    values = tuple(float(value) for value in np.ravel(stored))
    if len(values) != 3 or not all(0 < value < np.inf for value in values):
        raise SourceError(f"{path.name}: expected three positive numbers in {SPACING_ATTRIBUTE}, got {stored}")
    return values[0], values[1], values[2]


@contextmanager
def _opened(path: Path) -> Iterator[h5py.File]:
    if not path.is_file():
        raise SourceError(f"{path.name}: expected a file, found none")
    with path.open("rb") as stream:
        start = stream.read(len(_POINTER))
    if not start:
        raise SourceError(f"{path.name}: expected an HDF5 file, got 0 bytes")
    if start == _POINTER:
        raise SourceError(f"{path.name}: expected an HDF5 file, got a pointer of Git LFS; git lfs pull fetches it")
    try:
        with h5py.File(path, "r") as file:
            yield file
    except SourceError:
        raise
    except (OSError, RuntimeError, KeyError, ValueError) as error:  # h5py's for damaged files
        reason = first_line(error)
        raise SourceError(f"{path.name}: expected a complete HDF5 file, got a damaged one ({reason})") from error


def _dataset(path: Path, file: h5py.File, name: str) -> h5py.Dataset:
    dataset = file.get(name)
    if not isinstance(dataset, h5py.Dataset):
        raise SourceError(f"{path.name}: expected the dataset {name}, got {', '.join(file) or 'none'}")
    if dataset.ndim != 4 or not dataset.size:
        raise SourceError(f"{path.name}: expected 4 dimensions in {name}, got {_describe(dataset.shape)}")
    if dataset.dtype.kind not in "iuf":
        raise SourceError(f"{path.name}: expected one number per voxel in {name}, got the type {dataset.dtype}")
    return dataset


def _is_reversed(path: Path, shape: tuple[int, ...]) -> bool:
    """Tell whether MATLAB has written the file: (frame, slice, column, row). A plane is larger than a stack is long."""
    first, last = shape[:2], shape[2:]
    if min(first) <= max(last) and min(last) <= max(first):
        raise SourceError(
            f"{path.name}: expected two axes of rows and columns, larger than those of slices and frames, first or "
            f"last, got {_describe(shape)}"
        )
    return min(last) > max(first)


def _upright(path: Path, dataset: h5py.Dataset, array: np.ndarray) -> np.ndarray:
    """Return an array with the axes of the file as (frame, slice, row, column)."""
    order = (0, 1, 3, 2) if _is_reversed(path, dataset.shape) else (3, 2, 0, 1)
    small_integer = array.dtype.kind in "iu" and array.dtype.itemsize <= 2
    return np.ascontiguousarray(array.transpose(order), dtype=None if small_integer else np.float32)


def _numbers(path: Path, annotated: list[int], listed: np.ndarray | None) -> list[int]:
    """Return the annotated frames as the file counts them: from 0, or from 1 as MATLAB does."""
    if listed is None:
        return annotated
    numbers = {int(number) for number in listed}
    # A listed frame may be empty, but none that is annotated is missing in the list. An exact match goes first.
    fitting = [first for first in (0, 1) if {index + first for index in annotated} <= numbers]
    if not fitting:
        raise SourceError(
            f"{path.name}: expected Frames_with_ROI to list the frames with masks, {_listed(annotated)} counted from "
            f"0, got {_listed(sorted(numbers))}"
        )
    exact = [first for first in fitting if {index + first for index in annotated} == numbers]
    first = (exact or fitting)[0]
    return [index + first for index in annotated]


def _listed(numbers: list[int]) -> str:
    return ", ".join(map(str, numbers)) or "none"


def _phases(pools: list[int]) -> list[str]:
    phases = [""] * len(pools)
    phases[0] = "ED"
    if len(pools) > 1:
        phases[1 + int(np.argmin(pools[1:]))] = "ES"
    return phases


def _describe(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape)) or "a single number"
