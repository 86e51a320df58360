"""What surrounds the heart in a short-axis image: chest wall, lung, diaphragm, abdominal organs, aorta and spine."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nnunet_cardiac_ext.phantoms.contrast import Contrast
from nnunet_cardiac_ext.phantoms.fields import smooth_noise, soft


@dataclass(frozen=True)
class Thorax:
    """Anatomy around one heart, mm from its axis (x right, y down).

    Attributes:
        left: Chest wall's outer edge towards the left of the image (negative).
        right: Outer edge towards the right.
        height: Half height of the body.
        middle: y of the body's middle.
        lean: Drift of the body's middle line, mm per mm of y.
        fat: Thickness of the subcutaneous fat.
        wall: Thickness of the muscles of the chest wall.
        diaphragm: y of the diaphragm below the heart.
        dome: How much the diaphragm falls to the sides, mm.
        liver_edge: x where the liver ends.
        aorta: x, y and radius of the descending aorta.
        approach: How much nearer the chest wall comes per mm of depth.
        lumps: Typical size of the abdominal organs, mm.
        fatness: Share of fat between the organs, -1 to 1.
    """

    left: float
    right: float
    height: float
    middle: float
    lean: float
    fat: float
    wall: float
    diaphragm: float
    dome: float
    liver_edge: float
    aorta: tuple[float, float, float]
    approach: float
    lumps: float
    fatness: float


def draw_thorax(heart_radius: float, rng: np.random.Generator) -> Thorax:
    """Draw the surroundings of a heart whose silhouette at the base has the given radius, mm."""
    return Thorax(
        left=-heart_radius - rng.uniform(45, 85), right=heart_radius + rng.uniform(90, 150),
        height=rng.uniform(150, 230), middle=rng.uniform(10, 60), lean=rng.normal(0, 0.12), fat=rng.uniform(6, 32),
        wall=rng.uniform(10, 22), diaphragm=heart_radius * rng.uniform(0.6, 1.05), dome=rng.uniform(-10, 35),
        liver_edge=rng.uniform(-20, 90),
        aorta=(heart_radius + rng.uniform(15, 50), rng.uniform(10, 70), rng.uniform(8, 13)),
        approach=rng.uniform(0.0, 0.5), lumps=rng.uniform(9, 28), fatness=rng.uniform(-0.8, 0.7),
    )  # fmt: skip


def paint_thorax(
    thorax: Thorax, contrast: Contrast, x: np.ndarray, y: np.ndarray, depth: float, rng: np.random.Generator
) -> np.ndarray:
    """Paint the surroundings of the heart in one plane.

    Args:
        thorax: The anatomy.
        contrast: The signals.
        x: Positions of the voxels right of the axis, mm, (row, column).
        y: Positions below the axis, mm, (row, column).
        depth: Depth of the plane along the heart's axis, mm.
        rng: Source of the plane's textures.

    Returns:
        Signed signal (row, column); air is 0.
    """
    voxel = float(x[0, 1] - x[0, 0])
    inside = _body_distance(thorax, x, y, depth)
    wobble = smooth_noise((3, *x.shape), 40 / voxel, rng)
    texture = 1 + contrast.tissue_texture * smooth_noise(x.shape, 3.5 / voxel, rng)
    image = np.zeros_like(x)
    image = _over(image, contrast.fat * (0.8 + 0.1 * wobble[0]), soft(inside, voxel))
    image = _over(image, _chest_wall(contrast, x, y, voxel, rng), soft(inside - thorax.fat - 3 * wobble[1], voxel))
    cavity = inside - thorax.fat - thorax.wall - 3 * wobble[0]
    image = _over(image, _lung(contrast, x.shape, voxel, rng), soft(cavity, voxel))
    below = y - thorax.diaphragm - thorax.dome * ((x - 10) / 80) ** 2 - 5 * wobble[2]
    abdomen = np.minimum(below, cavity)
    image = _over(image, _abdomen(thorax, contrast, x, y, voxel, rng), soft(abdomen, voxel))
    image = _over(image, contrast.vessel, _disc(x, y, thorax.aorta, voxel))
    image = _over(image, _spine(thorax, contrast, x, y), _spine_share(thorax, x, y, voxel) * soft(cavity, voxel))
    return image * texture


def _body_distance(thorax: Thorax, x: np.ndarray, y: np.ndarray, depth: float) -> np.ndarray:
    left = thorax.left + thorax.approach * depth
    half, height = (thorax.right - left) / 2, thorax.height
    across = np.abs((x - (left + thorax.right) / 2 - thorax.lean * (y - thorax.middle)) / half)
    along = np.abs((y - thorax.middle) / height)
    return (1 - (across**2.6 + along**2.6) ** (1 / 2.6)) * half


def _chest_wall(
    contrast: Contrast, x: np.ndarray, y: np.ndarray, voxel: float, rng: np.random.Generator
) -> np.ndarray:
    streaks = smooth_noise(x.shape, 7 / voxel, rng)
    ribs = np.sin(y / rng.uniform(4.5, 7) + smooth_noise(x.shape, 30 / voxel, rng))
    signal = np.where(ribs + 0.4 * streaks > 0.6, 0.6 * contrast.fat, contrast.skeletal)
    return np.where(streaks < -1.4, 0.15, signal)


def _lung(contrast: Contrast, shape: tuple[int, ...], voxel: float, rng: np.random.Generator) -> np.ndarray:
    dots = smooth_noise(shape, 5.5 / voxel, rng) + 0.6 * smooth_noise(shape, 30 / voxel, rng)
    base = contrast.lung * (1 + 0.3 * smooth_noise(shape, 12 / voxel, rng))
    return base + contrast.vessel * np.clip(dots - rng.uniform(1.8, 2.6), 0, 0.7)


def _abdomen(
    thorax: Thorax, contrast: Contrast, x: np.ndarray, y: np.ndarray, voxel: float, rng: np.random.Generator
) -> np.ndarray:
    lumps = smooth_noise(x.shape, thorax.lumps / voxel, rng)
    kinds = smooth_noise(x.shape, 1.4 * thorax.lumps / voxel, rng)
    veins = smooth_noise(x.shape, 5 / voxel, rng)
    liver = contrast.liver * (1 + 0.5 * np.clip(veins - 1.3, 0, 1))
    organ = np.where(kinds > 0.9, contrast.vessel * 0.9, np.where(kinds < -1, 0.2, contrast.liver * 1.1))
    gut = np.where(np.abs(lumps - thorax.fatness) < 0.3, 0.5 * contrast.liver, organ)
    gut = np.where(lumps < thorax.fatness - 0.3, contrast.fat * 0.8, gut)
    edge = x - thorax.liver_edge - 0.4 * (y - thorax.diaphragm) + 8 * smooth_noise(x.shape, 35 / voxel, rng)
    return _over(gut, liver, soft(-edge, voxel))


def _spine(thorax: Thorax, contrast: Contrast, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    discs = np.abs((y % 32) - 16) < 4
    return np.where(discs, 0.25, 0.5 * contrast.liver + 0.25 * abs(contrast.fat))


def _spine_share(thorax: Thorax, x: np.ndarray, y: np.ndarray, voxel: float) -> np.ndarray:
    start = thorax.aorta[0] + 22 + 0.15 * (y - thorax.aorta[1])
    return soft(np.minimum(x - start, start + 34 - x), voxel) * soft(y - thorax.aorta[1] + 50, voxel)


def _disc(x: np.ndarray, y: np.ndarray, disc: tuple[float, float, float], voxel: float) -> np.ndarray:
    return soft(disc[2] - np.hypot(x - disc[0], y - disc[1]), voxel)


def _over(image: np.ndarray, signal: np.ndarray | float, share: np.ndarray) -> np.ndarray:
    return image + (signal - image) * share
