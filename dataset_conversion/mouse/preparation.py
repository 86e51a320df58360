"""What paper 000 does to a volume before training: slices 0.16 mm apart, 96 x 96 pixels around the heart."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from dataset_conversion.cases import Volume
from dataset_conversion.geometry import Geometry
from dataset_conversion.images import SourceError
from dataset_conversion.mouse.interpolation import interpolate_image, interpolate_mask, slice_positions
from nnunet_cardiac_ext.errors import UsageError

PAPER_SLICE_SPACING = 0.16
PAPER_CROP = 96
NAMES = ("none", "paper")


@dataclass(frozen=True)
class MousePreparation:
    """Interpolates slices, then crops around the heart.

    Attributes:
        slice_spacing: Distance of the slices in mm; None leaves them alone.
        crop: Rows and columns of the crop; None crops nothing. A volume without labels is never cropped: nothing
            tells where its heart is.
    """

    slice_spacing: float | None = None
    crop: int | None = None

    def __call__(self, volume: Volume) -> Volume:
        """Return the prepared volume; its voxels stay where they were in patient coordinates.

        Raises:
            SourceError: The heart is larger than the crop.
        """
        if self.slice_spacing is not None:
            volume = with_slice_spacing(volume, self.slice_spacing)
        return cropped(volume, self.crop) if self.crop is not None and volume.labels is not None else volume

    def __str__(self) -> str:
        steps = [f"slices every {self.slice_spacing:g} mm"] if self.slice_spacing is not None else []
        steps += [f"training cases cropped to {self.crop}x{self.crop} around the heart"] if self.crop else []
        return ", ".join(steps)


def chosen_preparation(name: str, *, slice_spacing: float | None, crop: int | None) -> MousePreparation | None:
    """Return the preparation that the options ask for; a single option goes before the named preparation.

    Raises:
        UsageError: The name is unknown or a number is not positive.
    """
    if name not in NAMES:
        raise UsageError(f"--prepare: expected {' or '.join(NAMES)}, got {name!r}")
    if slice_spacing is not None and not 0 < slice_spacing < np.inf:
        raise UsageError(f"--slice-spacing: expected a positive number of mm, got {slice_spacing:g}")
    if crop is not None and crop < 1:
        raise UsageError(f"--crop: expected a positive number of pixels, got {crop}")
    if name == "paper":
        slice_spacing = PAPER_SLICE_SPACING if slice_spacing is None else slice_spacing
        crop = PAPER_CROP if crop is None else crop
    return None if slice_spacing is None and crop is None else MousePreparation(slice_spacing, crop)


def with_slice_spacing(volume: Volume, spacing: float) -> Volume:
    """Interpolate slices `spacing` mm apart, from the first one on; a single slice stays alone."""
    depth, *in_plane = volume.geometry.spacing
    positions = slice_positions(len(volume.image), depth, spacing)
    labels = volume.labels
    if labels is not None:
        labels = interpolate_mask(labels > 0, positions, (in_plane[0], in_plane[1])).astype(labels.dtype)
    geometry = replace(volume.geometry, spacing=(spacing, in_plane[0], in_plane[1]))
    return replace(volume, image=interpolate_image(volume.image, positions), labels=labels, geometry=geometry)


def cropped(volume: Volume, size: int) -> Volume:
    """Cut `size` rows and columns around the middle of the labels' bounding box.

    Where the crop reaches beyond the image it is filled with the smallest grey value and with background.

    Args:
        volume: A volume with labels.
        size: Rows and columns of the result.

    Raises:
        SourceError: The labels reach beyond the crop.
    """
    assert volume.labels is not None
    _, rows, columns = np.nonzero(volume.labels)
    starts = []
    for found in (rows, columns):
        first, last = int(found.min()), int(found.max())
        if last - first + 1 > size:
            raise SourceError(f"expected a heart within {size} pixels for --crop, got one of {last - first + 1}")
        starts.append((first + last + 1) // 2 - size // 2)
    image = _window(volume.image, starts, size, fill=volume.image.min())
    labels = _window(volume.labels, starts, size, fill=0)
    return replace(volume, image=image, labels=labels, geometry=_shifted(volume.geometry, starts))


def _window(array: np.ndarray, starts: list[int], size: int, *, fill: float) -> np.ndarray:
    result = np.full((len(array), size, size), fill, dtype=array.dtype)
    source, target = [slice(None)], [slice(None)]
    for start, length in zip(starts, array.shape[1:], strict=True):
        first, last = max(start, 0), min(start + size, length)
        source.append(slice(first, last))
        target.append(slice(first - start, last - start))
    result[tuple(target)] = array[tuple(source)]
    return result


def _shifted(geometry: Geometry, starts: list[int]) -> Geometry:
    _, row, column = geometry.spacing
    shift = geometry.axes @ np.array([starts[1] * column, starts[0] * row, 0.0])
    return replace(geometry, origin=geometry.origin + shift)
