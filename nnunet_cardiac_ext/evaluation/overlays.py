"""One heart, slice by slice: the image with the contours of reference and prediction."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from contourpy import contour_generator
from matplotlib.image import imsave

from nnunet_cardiac_ext.evaluation.figures import structure_colour
from nnunet_cardiac_ext.evaluation.inputs import Volume
from nnunet_cardiac_ext.evaluation.profiles import slice_dice
from nnunet_cardiac_ext.evaluation.scoring import reference_regions
from nnunet_cardiac_ext.regions import Region

# Around the heart, so that one sees what it lies in, mm.
CROP_MARGIN_MM = 25.0
# Longest side of a thumbnail in pixels; with at most 40 slices a heart's pictures stay below a megabyte.
LONGEST_SIDE = 160
MOST_SLICES = 40


@dataclass(frozen=True)
class Contour:
    """One outline in a slice: the `d` of an SVG path in pixels of the crop, the structure's colour, whose it is."""

    path: str
    colour: str
    is_reference: bool


@dataclass(frozen=True)
class SliceView:
    """One slice as the page shows it.

    Attributes:
        number: Number of the slice, counted from 1 in the order of the file.
        region: "base", "middle", "apex" or "no reference".
        dice: Dice of the slice by structure, NaN where both masks are empty.
        picture: The image as a data URI.
        width: Width of the crop in pixels of the image.
        height: Height of the crop in pixels of the image.
        aspect: Width over height in mm.
        contours: Outlines, those of the prediction first.
    """

    number: int
    region: str
    dice: Mapping[str, float]
    picture: str
    width: int
    height: int
    aspect: float
    contours: list[Contour]


def slice_views(
    image: Volume | None,
    reference: np.ndarray,
    prediction: np.ndarray,
    *,
    spacing: tuple[float, float, float],
    labels: Mapping[str, int],
) -> list[SliceView]:
    """Return the views of the slices from base to apex (in the order of the file where that cannot be told).

    Of more than `MOST_SLICES` slices as many are shown, evenly spread, the first and the last among them.

    Args:
        image: The image, or nothing: outlines on an even ground then.
        reference: Integer labels (slice, row, column).
        prediction: Integer labels of the same shape.
        spacing: Spacing in mm as (slice, row, column).
        labels: Label value by structure name.
    """
    rows, columns = _crop((reference > 0) | (prediction > 0), spacing)
    grey = _window(image.array[:, rows, columns]) if image else np.full(reference[:, rows, columns].shape, 0.35)
    reference, prediction = reference[:, rows, columns], prediction[:, rows, columns]
    regions = reference_regions(reference, labels)
    dice = {name: slice_dice(reference == value, prediction == value) for name, value in labels.items()}
    height, width = grey.shape[1:]
    return [
        SliceView(
            number=k + 1, region=_region_name(int(regions[k])), dice={name: float(d[k]) for name, d in dice.items()},
            picture=_picture(grey[k]), width=width, height=height,
            aspect=width * spacing[2] / (height * spacing[1]),
            contours=_contours(prediction[k], labels, False) + _contours(reference[k], labels, True),
        )
        for k in _order(regions)
    ]  # fmt: skip


def _order(regions: np.ndarray) -> list[int]:
    found = regions[regions != Region.NON_CARDIAC]
    order = list(range(len(regions)))
    if len(found) and found[0] == Region.APEX:
        order.reverse()
    if len(order) <= MOST_SLICES:
        return order
    return [order[k] for k in np.linspace(0, len(order) - 1, MOST_SLICES).round().astype(int)]


def _region_name(region: int) -> str:
    return "no reference" if region == Region.NON_CARDIAC else Region(region).name.lower()


def _crop(mask: np.ndarray, spacing: tuple[float, float, float]) -> tuple[slice, slice]:
    flat = np.asarray(mask.any(axis=0))
    if not flat.any():
        return slice(None), slice(None)
    bounds = []
    for axis, step in ((1, spacing[1]), (0, spacing[2])):
        along = np.flatnonzero(np.any(flat, axis=axis))
        margin = round(CROP_MARGIN_MM / step)
        bounds.append(slice(max(0, int(along[0]) - margin), int(along[-1]) + margin + 1))
    return bounds[0], bounds[1]


def _window(values: np.ndarray) -> np.ndarray:
    """Map the grey values between the 1st and 99th percentile onto 0..1."""
    low, high = np.percentile(values, (1, 99))
    return np.clip((values - low) / (high - low), 0, 1) if high > low else np.zeros(values.shape)


def _picture(grey: np.ndarray) -> str:
    step = -(-max(grey.shape) // LONGEST_SIDE)
    stream = io.BytesIO()
    imsave(stream, grey[::step, ::step], cmap="gray", vmin=0, vmax=1, format="png")
    return "data:image/png;base64," + base64.b64encode(stream.getvalue()).decode("ascii")


def _contours(labels: np.ndarray, structures: Mapping[str, int], is_reference: bool) -> list[Contour]:
    found = []
    for number, (name, value) in enumerate(structures.items()):
        path = _outline(labels == value)
        if path:
            found.append(Contour(path, structure_colour(name, number), is_reference))
    return found


def _outline(mask: np.ndarray) -> str:
    """Return the outline halfway between the voxels inside and outside, as an SVG path."""
    if not mask.any():
        return ""
    # One voxel of rim closes outlines that touch the border of the crop.
    lines = contour_generator(z=np.pad(mask, 1).astype(float)).lines(0.5)
    parts = []
    for line in lines:
        points = [f"{x:.1f} {y:.1f}" for x, y in np.asarray(line) - 0.5]
        parts.append("M" + "L".join(points) + "Z")
    return "".join(parts)
