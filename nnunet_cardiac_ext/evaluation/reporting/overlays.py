"""One heart, slice by slice: the image with the contours of the prediction, and of the reference where there is one."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from contourpy import contour_generator
from matplotlib.image import imsave

from nnunet_cardiac_ext.evaluation.inputs import Volume
from nnunet_cardiac_ext.evaluation.profiles import slice_dice
from nnunet_cardiac_ext.evaluation.reporting.svg import structure_colour
from nnunet_cardiac_ext.evaluation.scoring import reference_regions
from nnunet_cardiac_ext.evaluation.scoring_settings import DEFAULT_SCHEME
from nnunet_cardiac_ext.regions import Region

# Around the heart, so that one sees what it lies in, mm.
CROP_MARGIN_MM = 25.0
# Longest side of a thumbnail in pixels. Of 40 slices that are nothing but noise the pictures take 0.8 MB.
LONGEST_SIDE = 160
MOST_SLICES = 40
# Of a structure in one slice; the smallest beyond are specks of noise.
MOST_RINGS = 24
WEBP = {"quality": 78, "method": 4}  # a thumbnail of some 3 kB; a fifth of PNG, no difference to the eye


@dataclass(frozen=True)
class Contour:
    """One outline in a slice.

    Attributes:
        path: The `d` of an SVG path, in halves of a pixel of the thumbnail.
        colour: The structure's colour.
        is_reference: Whether it is the reference's.
    """

    path: str
    colour: str
    is_reference: bool


@dataclass(frozen=True)
class SliceView:
    """One slice as the page shows it.

    Attributes:
        number: Number of the slice, counted from 0 in the order of the file, as the tables do.
        region: "base", "middle", "apex", or "outside" where the reference (or else the prediction) has no label.
        dice: Dice of the slice by structure, NaN where both masks are empty; empty without a reference.
        picture: The image as a data URI.
        width: Width of the thumbnail in pixels.
        height: Height of the thumbnail in pixels.
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
    reference: np.ndarray | None,
    prediction: np.ndarray,
    *,
    spacing: tuple[float, float, float],
    labels: Mapping[str, int],
    scheme: str = DEFAULT_SCHEME,
) -> list[SliceView]:
    """Return the views of the slices from base to apex (in the order of the file where that cannot be told).

    Of more than `MOST_SLICES` slices as many are shown, evenly spread, the first and the last among them.

    Args:
        image: The image, or nothing: outlines on an even ground then.
        reference: Integer labels (slice, row, column), or nothing.
        prediction: Integer labels of the same shape.
        spacing: Spacing in mm as (slice, row, column).
        labels: Label value by structure name.
        scheme: Regions, "20/60/20" or "thirds".
    """
    both = [prediction] if reference is None else [prediction, reference]
    crop = _crop(np.any([stack > 0 for stack in both], axis=0), spacing)
    shape = prediction[crop].shape
    thinned = (..., *(slice(None, None, -(-max(shape[1:]) // LONGEST_SIDE)),) * 2)
    grey = (_window(image.array[crop]) if image else np.full(shape, 0.35))[thinned]
    regions = reference_regions(both[-1], labels, scheme)
    dice = _dice(reference, prediction, labels)
    height, width = grey.shape[1:]
    return [
        SliceView(
            number=k, region=_region_name(int(regions[k])), dice={name: float(d[k]) for name, d in dice.items()},
            picture=_picture(grey[k]), width=width, height=height,
            aspect=shape[2] * spacing[2] / (shape[1] * spacing[1]),
            contours=[c for i, stack in enumerate(both) for c in _contours(stack[crop][k][thinned], labels, i == 1)],
        )
        for k in _order(regions)
    ]  # fmt: skip


def _dice(reference: np.ndarray | None, prediction: np.ndarray, labels: Mapping[str, int]) -> dict[str, np.ndarray]:
    if reference is None:
        return {}
    return {name: slice_dice(reference == value, prediction == value) for name, value in labels.items()}


def _order(regions: np.ndarray) -> list[int]:
    found = regions[regions != Region.NON_CARDIAC]
    order = list(range(len(regions)))
    if len(found) and found[0] == Region.APEX:
        order.reverse()
    if len(order) <= MOST_SLICES:
        return order
    return [order[k] for k in np.linspace(0, len(order) - 1, MOST_SLICES).round().astype(int)]


def _region_name(region: int) -> str:
    return "outside" if region == Region.NON_CARDIAC else Region(region).name.lower()


def _crop(mask: np.ndarray, spacing: tuple[float, float, float]) -> tuple[slice, slice, slice]:
    flat = np.asarray(mask.any(axis=0))
    if not flat.any():
        return slice(None), slice(None), slice(None)
    bounds = []
    for axis, step in ((1, spacing[1]), (0, spacing[2])):
        along = np.flatnonzero(np.any(flat, axis=axis))
        margin = round(CROP_MARGIN_MM / step)
        bounds.append(slice(max(0, int(along[0]) - margin), int(along[-1]) + margin + 1))
    return slice(None), bounds[0], bounds[1]


def _window(values: np.ndarray) -> np.ndarray:
    """Map the grey values between the 1st and 99th percentile onto 0..1."""
    low, high = np.percentile(values, (1, 99))
    return np.clip((values - low) / (high - low), 0, 1) if high > low else np.zeros(values.shape)


def _picture(grey: np.ndarray) -> str:
    stream = io.BytesIO()
    imsave(stream, grey, cmap="gray", vmin=0, vmax=1, format="webp", pil_kwargs=dict(WEBP))
    return "data:image/webp;base64," + base64.b64encode(stream.getvalue()).decode("ascii")


def _contours(labels: np.ndarray, structures: Mapping[str, int], is_reference: bool) -> list[Contour]:
    found = []
    for number, (name, value) in enumerate(structures.items()):
        path = outline(labels == value)
        if path:
            found.append(Contour(path, structure_colour(name, number), is_reference))
    return found


def outline(mask: np.ndarray) -> str:
    """Return the outline halfway between the voxels inside and outside, as an SVG path in halves of a pixel.

    Args:
        mask: Boolean mask (row, column); an empty one gives an empty path.
    """
    if not mask.any():
        return ""
    # One voxel of rim closes outlines that touch the border of the crop.
    rings = contour_generator(z=np.pad(mask, 1).astype(float)).lines(0.5)
    # The vertices lie at halves: doubled they are whole numbers, which take little room.
    doubled = [np.rint(2 * np.asarray(ring) - 1).astype(int) for ring in rings]
    return "".join(_ring_path(points) for points in sorted(doubled, key=len, reverse=True)[:MOST_RINGS])


def _ring_path(points: np.ndarray) -> str:
    steps = np.diff(points, axis=0)
    turns = np.flatnonzero((steps[1:] != steps[:-1]).any(axis=1)) + 1
    corners = points[np.concatenate([[0], turns])]
    moves = " ".join(f"{x} {y}" for x, y in np.diff(corners, axis=0)).replace(" -", "-")
    return f"M{corners[0][0]} {corners[0][1]}l{moves}z"
