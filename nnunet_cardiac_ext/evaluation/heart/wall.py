"""The wall of a whole heart: rays of every slice, turned so that septum and anterior wall are at 0 and 90 degrees."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nnunet_cardiac_ext.evaluation.heart.aha import RINGS
from nnunet_cardiac_ext.evaluation.heart.masks import HeartMasks
from nnunet_cardiac_ext.evaluation.heart.orientation import Handedness, angle_of, heart_angles, mean_angle
from nnunet_cardiac_ext.evaluation.heart.rays import ANGLES, RAYS, SliceRays, cast_rays
from nnunet_cardiac_ext.regions import Region

# A slice belongs to its ring where at least half of its rays meet wall: the outflow tract leaves the basal wall open,
# and the few voxels of a slice above the valve are no ring.
LEAST_CLOSED = 0.5
# The RV of a ring says where the septum is once it touches a tenth of the ring's rays.
LEAST_CONTACT = 0.1


@dataclass(frozen=True)
class Wall:
    """The wall of the left ventricle along rays.

    Attributes:
        thickness: Wall thickness in mm, NaN where a ray meets no wall, shape (slice, RAYS).
        infarcted: Share of the wall's extent that is infarct, 0 to 1, NaN without wall or label, shape (slice, RAYS).
        angles: Angle of each ray in radians: of the heart, or of the image where `septum_from` is "image",
            shape (slice, RAYS).
        regions: Region of each slice in thirds, shape (slice,).
        used: Slices that belong to a ring, bool, shape (slice,).
        reasons: Why a slice of the left ventricle is not used, by slice; empty where it is, or is no slice of it.
        septum_from: "rv contact", "rv centroid" where the two do not touch, or "image" where there is no RV.
        handedness: Which way round the image turns, and who says so.
    """

    thickness: np.ndarray
    infarcted: np.ndarray
    angles: np.ndarray
    regions: np.ndarray
    used: np.ndarray
    reasons: tuple[str, ...]
    septum_from: str
    handedness: Handedness


def measure_wall(masks: HeartMasks, handedness: Handedness) -> Wall:
    """Measure the wall of a heart.

    The middle of the septum is the mean direction of the rays behind which the RV begins, in each ring for itself; a
    ring without enough of them (the RV often ends before the apex) takes that of the whole heart. Where the RV never
    touches the wall its centroid gives the direction; without an RV the angles stay those of the image.

    Args:
        masks: The heart.
        handedness: Which way round its image turns.
    """
    slices = [_rays(masks, index) for index in range(len(masks.wall))]
    thickness = np.stack([rays.thickness for rays in slices])
    share_closed = np.isfinite(thickness).mean(axis=1)
    reasons = tuple(rays.reason or _why_open(share) for rays, share in zip(slices, share_closed, strict=True))
    in_ventricle = masks.regions != Region.NON_CARDIAC
    used = in_ventricle & np.array([not reason for reason in reasons], dtype=bool)
    contact = np.stack([rays.contact for rays in slices]) & used[:, None]
    septa, source = _septa(masks, contact, used)
    angles = np.stack([heart_angles(ANGLES, septum, handedness.sign) for septum in septa])
    return Wall(
        thickness, np.stack([rays.infarcted for rays in slices]), angles, masks.regions, used,
        tuple(reason if inside else "" for reason, inside in zip(reasons, in_ventricle, strict=True)), source,
        handedness,
    )  # fmt: skip


def _rays(masks: HeartMasks, index: int) -> SliceRays:
    if masks.regions[index] == Region.NON_CARDIAC:
        nothing = np.full(RAYS, np.nan)
        return SliceRays(nothing, nothing, np.zeros(RAYS, dtype=bool), "no left ventricle")
    return cast_rays(masks, index)


def _why_open(share: float) -> str:
    return "" if share >= LEAST_CLOSED else f"wall on {100 * share:.0f} % of the circumference only"


def _septa(masks: HeartMasks, contact: np.ndarray, used: np.ndarray) -> tuple[np.ndarray, str]:
    """Angle in the image of the middle of the septum by slice, in radians, and where it comes from."""
    if masks.right is None or not masks.right.any() or not (masks.wall | masks.cavity).any():
        return np.zeros(len(used)), "image"
    every = np.broadcast_to(ANGLES, contact.shape)
    if not contact.any():
        return np.full(len(used), _rv_direction(masks)), "rv centroid"
    septa = np.full(len(used), mean_angle(every[contact]))
    for region in RINGS:
        ring = masks.regions == region
        if contact[ring & used].sum() >= LEAST_CONTACT * RAYS * max(1, (ring & used).sum()):
            septa[ring] = mean_angle(every[ring][contact[ring]])
    return septa, "rv contact"


def _rv_direction(masks: HeartMasks) -> float:
    """Direction from the left to the right ventricle over the slices that hold both, else over all."""
    left, right = masks.wall | masks.cavity, masks.right
    assert right is not None
    both = left.any(axis=(1, 2)) & right.any(axis=(1, 2))
    kept = both if both.any() else np.ones(len(both), dtype=bool)
    offset = np.argwhere(right[kept]).mean(axis=0) - np.argwhere(left[kept]).mean(axis=0)
    return angle_of(offset[1:] * masks.spacing[1:])
