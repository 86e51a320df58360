"""Small edits of label slices, for `spoiled_hearts`."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import distance_transform_edt

# A patch that touches nothing else needs this much room around it, in pixels.
ROOM = 3


def slices_with(mask):
    return np.flatnonzero(mask.any(axis=(1, 2)))


def inner_slices(mask):
    """Slices with a voxel that have such slices on both sides."""
    return slices_with(mask)[1:-1]


def disc(shape, centre, radius_mm, pixel):
    rows, columns = np.ogrid[: shape[0], : shape[1]]
    return ((rows - centre[0]) * pixel[0]) ** 2 + ((columns - centre[1]) * pixel[1]) ** 2 <= radius_mm**2


def far_from_heart(labels, pixel, generator, *, nearest=12, farthest=30):
    """A background pixel between two distances (mm) from the heart, and as far from the edge; None without one."""
    inside = np.pad(np.ones(np.subtract(labels.shape, 2), dtype=bool), 1)
    ways = distance_transform_edt(labels == 0, sampling=pixel), distance_transform_edt(inside, sampling=pixel)
    places = np.argwhere((ways[0] > nearest) & (ways[0] < farthest) & (ways[1] > nearest))
    return places[generator.integers(len(places))] if len(places) else None


def moved(array, step):
    """A slice moved by whole pixels; what comes in is background."""
    room = np.abs(step).max()
    return np.roll(np.pad(array, room), step, axis=(0, 1))[room : room + array.shape[0], room : room + array.shape[1]]


def resized(labels, factor):
    """A slice scaled about the centre of its labels, by the nearest pixel."""
    centre = np.argwhere(labels).mean(axis=0)
    axes = [
        np.rint(middle + (np.arange(size) - middle) / factor).astype(int).clip(0, size - 1)
        for middle, size in zip(centre, labels.shape, strict=True)
    ]
    return labels[np.ix_(*axes)]


def sector_of_wall(wall, start, *, width):
    """Pixels of a ring within `width` degrees from `start`, seen from its centre."""
    centre = np.argwhere(wall).mean(axis=0)
    rows, columns = np.indices(wall.shape)
    angle = np.degrees(np.arctan2(rows - centre[0], columns - centre[1]))
    return wall & ((angle - start) % 360 < width)


def scar_patch(array, stack, kind, generator):
    """Slice and mask of a patch of scar where none belongs: outside the heart, or no-reflow far from the infarct."""
    k = generator.choice(stack.middle)
    if kind == "outside":
        centre = far_from_heart(array[k], stack.spacing[1:], generator)
        return None if centre is None else (k, disc(array[k].shape, centre, 5, stack.spacing[1:]))
    healthy = array[k] == stack.labels["MYO"]
    scar = np.isin(array[k], [stack.labels["INFARCT"], stack.labels["NOREFLOW"]])
    away = healthy & (distance_transform_edt(~scar) > 8 + ROOM) if scar.any() else healthy
    places = np.argwhere(away)
    if not len(places):
        return None
    patch = disc(healthy.shape, places[generator.integers(len(places))], 8 * min(stack.spacing[1:]), stack.spacing[1:])
    return k, patch & healthy
