"""The wall along rays from the centre of the cavity, with sub-voxel edges."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from nnunet_cardiac_ext.evaluation.heart.masks import HeartMasks
from nnunet_cardiac_ext.evaluation.heart.orientation import direction

NAN = float("nan")
# One ray every two degrees: 30 in a segment of a sixth.
RAYS = 180
ANGLES = (np.arange(RAYS) + 0.5) * (2 * np.pi / RAYS)
# Samples along a ray per voxel; between them the edge is found by linear interpolation.
SAMPLES_PER_VOXEL = 4
# The RV touches the wall where its cavity begins within this distance of the epicardium: about two voxels, so that a
# thin gap between two predicted labels does not part them.
CONTACT_MM = 3.0


@dataclass(frozen=True)
class SliceRays:
    """The wall of one slice along `ANGLES`.

    Attributes:
        thickness: Wall thickness in mm, NaN where a ray meets no wall, shape (RAYS,).
        infarcted: Share of the wall's extent that is infarct, 0 to 1, NaN where there is no wall, shape (RAYS,).
        contact: Whether the RV begins behind the wall, bool, shape (RAYS,).
        reason: Why there are no numbers at all; empty if there are.
    """

    thickness: np.ndarray
    infarcted: np.ndarray
    contact: np.ndarray
    reason: str = ""


def cast_rays(masks: HeartMasks, index: int) -> SliceRays:
    """Measure the wall of one slice.

    Rays start at the centroid of the cavity. The masks are interpolated linearly between voxel centres; the wall is the
    longest stretch of a ray where the interpolated mask is at least 1/2, so that a papillary muscle or a stray voxel
    counts as neither edge. Thickness is the length of that stretch. A ray that meets a wall obliquely measures it too
    thick, by 1 / cos of the angle between the ray and the wall's normal: 2.5 % at most for an ellipse with axes of
    5 to 4.

    Args:
        masks: The heart.
        index: The slice.

    Returns:
        NaN for every ray where the slice has no cavity (beyond the apex a ray would measure the cap) or no wall.
    """
    wall, cavity = masks.wall[index], masks.cavity[index]
    for mask, name in ((cavity, "cavity"), (wall, "wall")):
        if not mask.any():
            return SliceRays(np.full(RAYS, NAN), np.full(RAYS, NAN), np.zeros(RAYS, dtype=bool), f"no {name}")
    spacing = np.array(masks.spacing[1:])
    centre = np.argwhere(cavity).mean(axis=0)
    step = spacing.min() / SAMPLES_PER_VOXEL
    reach = np.linalg.norm((np.argwhere(wall) - centre) * spacing, axis=1).max() + CONTACT_MM + 2 * spacing.max()
    radii = np.arange(0, reach, step)
    points = centre[:, None, None] + np.moveaxis(direction(ANGLES), 1, 0)[:, :, None] * radii / spacing[:, None, None]
    profile = _sample(wall, points)
    start, stop = _longest_stretch(profile)
    return SliceRays(
        thickness=(stop - start) * step,
        infarcted=_share(profile, masks.infarct, index, points, start, stop),
        contact=_contact(masks.right, index, points, stop, int(np.ceil(CONTACT_MM / step))),
    )


def _sample(mask: np.ndarray, points: np.ndarray) -> np.ndarray:
    return ndimage.map_coordinates(mask.astype(np.float32), points, order=1, mode="constant")


def _longest_stretch(profile: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return where the longest stretch of at least 1/2 begins and ends on each ray, in samples; NaN without one."""
    padded = np.pad(profile, ((0, 0), (1, 1)))
    edges = np.diff((padded >= 0.5).astype(np.int8), axis=1)
    rays, first = np.nonzero(edges == 1)
    _, beyond = np.nonzero(edges == -1)
    begin, end = _crossing(padded, rays, first), _crossing(padded, rays, beyond)
    # A ray that starts inside the wall begins there, not before it.
    begin = np.maximum(begin, 0)
    longest_last = np.argsort(end - begin, kind="stable")
    start, stop = np.full(len(profile), NAN), np.full(len(profile), NAN)
    start[rays[longest_last]], stop[rays[longest_last]] = begin[longest_last], end[longest_last]
    return start, stop


def _crossing(padded: np.ndarray, rays: np.ndarray, before: np.ndarray) -> np.ndarray:
    """Position, in samples, of the crossing of 1/2 between padded samples `before` and `before` + 1."""
    low, high = padded[rays, before], padded[rays, before + 1]
    return before - 1 + (0.5 - low) / (high - low)


def _share(
    profile: np.ndarray,
    infarct: np.ndarray | None,
    index: int,
    points: np.ndarray,
    start: np.ndarray,
    stop: np.ndarray,
) -> np.ndarray:
    if infarct is None:
        return np.full(len(profile), NAN)
    position = np.arange(profile.shape[1])
    inside = (position >= start[:, None]) & (position <= stop[:, None])
    # At an edge both masks fade alike: infarct is where it makes up more than half of the wall.
    scar = inside & (_sample(infarct[index], points) > profile / 2)
    total = inside.sum(axis=1)
    return np.divide(scar.sum(axis=1), total, out=np.full(len(profile), NAN), where=total > 0)


def _contact(right: np.ndarray | None, index: int, points: np.ndarray, stop: np.ndarray, samples: int) -> np.ndarray:
    if right is None:
        return np.zeros(len(stop), dtype=bool)
    position = np.arange(points.shape[-1])
    behind = (position >= stop[:, None]) & (position <= stop[:, None] + samples)
    return np.logical_or.reduce((_sample(right[index], points) >= 0.5) & behind, axis=1)
