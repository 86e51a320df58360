"""What surrounds the heart in a short-axis image: chest wall, lung, diaphragm, abdominal organs, aorta and spine."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nnunet_cardiac_ext.phantoms.contrast import Contrast
from nnunet_cardiac_ext.phantoms.fields import over, smooth_noise, soft
from nnunet_cardiac_ext.phantoms.heart import HeartShape


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
        slope: Tilt of the diaphragm, mm per mm of x.
        liver_edge: x where the liver ends.
        aorta: x, y and radius of the descending aorta.
        approach: How much nearer the chest wall comes per mm of depth.
        lumps: Typical size of the abdominal organs, mm.
        fatness: Share of fat between the organs, -1 to 1.
        mediastinum: Share of fat between heart and chest wall, -1 to 1.
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
    slope: float
    liver_edge: float
    aorta: tuple[float, float, float]
    approach: float
    lumps: float
    fatness: float
    mediastinum: float


def draw_thorax(shape: HeartShape, rng: np.random.Generator) -> Thorax:
    """Draw the surroundings of a heart."""
    radius = shape.radius + shape.wall
    # The heart's extent towards the chest wall: the right ventricle, as far as it lies in that direction.
    reach = radius + 0.9 * shape.rv_depth * max(0.0, -float(np.cos(shape.septum)))
    fat, wall = rng.uniform(5, 32), rng.uniform(8, 20)
    return Thorax(
        left=-reach - rng.uniform(2, 45) - fat - wall, right=radius + rng.uniform(100, 190),
        height=rng.uniform(190, 330), middle=rng.uniform(10, 80), lean=rng.normal(0, 0.12), fat=fat, wall=wall,
        diaphragm=radius * rng.uniform(0.55, 1.1), dome=rng.uniform(-12, 30), slope=rng.normal(0, 0.25),
        liver_edge=rng.uniform(-40, 90),
        aorta=(radius + rng.uniform(15, 60), rng.uniform(0, 70), rng.uniform(8, 13)),
        approach=rng.uniform(0.0, 0.5), lumps=rng.uniform(8, 26), fatness=rng.uniform(-0.7, 0.8),
        mediastinum=rng.uniform(-1.2, 1.0),
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
    wobble = 0.7 * smooth_noise((4, *x.shape), 25 / voxel, rng)
    texture = 1 + contrast.tissue_texture * smooth_noise(x.shape, 3 / voxel, rng)
    image = over(0.0, contrast.fat * (0.9 + 0.08 * wobble[0]), soft(inside, voxel))
    image = over(image, chest_wall_signal(contrast, x, voxel, rng), soft(inside - thorax.fat - 3 * wobble[1], voxel))
    cavity = inside - thorax.fat - thorax.wall - 4 * wobble[0]
    image = over(image, lung_signal(contrast, x.shape, voxel, rng), soft(cavity, voxel))
    fat = np.minimum(cavity, 8 * (wobble[3] + thorax.mediastinum) - 0.12 * np.hypot(x + 35, y) + 5)
    image = over(image, contrast.fat * (0.7 + 0.1 * wobble[1]), soft(fat, voxel))
    below = y - thorax.diaphragm - thorax.dome * ((x - 10) / 80) ** 2 - thorax.slope * x - 5 * wobble[2]
    image = over(image, contrast.fat * 0.7, soft(np.minimum(below + 3 + 3 * wobble[1], cavity), voxel))
    image = over(image, _abdomen(thorax, contrast, x, y, voxel, rng), soft(np.minimum(below, cavity), voxel))
    image = over(image, contrast.vessel, _disc(x, y, thorax.aorta, voxel))
    spine = np.minimum(_spine_distance(thorax, x, y), cavity)
    image = over(image, _spine(contrast, y), soft(spine, voxel))
    return (image * texture).astype(np.float32)


def _body_distance(thorax: Thorax, x: np.ndarray, y: np.ndarray, depth: float) -> np.ndarray:
    left = thorax.left + thorax.approach * depth
    half = (thorax.right - left) / 2
    across = np.abs((x - (left + thorax.right) / 2 - thorax.lean * (y - thorax.middle)) / half)
    along = np.abs((y - thorax.middle) / thorax.height)
    return (1 - (across**2.5 + along**2.5) ** (1 / 2.5)) * half


def chest_wall_signal(contrast: Contrast, x: np.ndarray, voxel: float, rng: np.random.Generator) -> np.ndarray:
    """Signal of the muscles between and over the ribs at the voxels of `x`, whose size is `voxel` mm."""
    streaks, ribs = smooth_noise((2, *x.shape), 7 / voxel, rng)
    ribs = ribs + 0.5 * smooth_noise(x.shape, 14 / voxel, rng)
    signal = over(contrast.skeletal, 0.55 * contrast.fat, soft(6 * (ribs - 0.7), voxel))
    return over(signal, 0.1, soft(6 * (-1.8 - streaks), voxel))


def lung_signal(contrast: Contrast, shape: tuple[int, ...], voxel: float, rng: np.random.Generator) -> np.ndarray:
    """Signal of lung with its small vessels, (row, column), of voxels of `voxel` mm."""
    dots = smooth_noise(shape, 4.5 / voxel, rng) + 0.6 * smooth_noise(shape, 30 / voxel, rng)
    base = contrast.lung * (1 + 0.3 * smooth_noise(shape, 10 / voxel, rng))
    return base + contrast.vessel * np.clip(dots - rng.uniform(2.2, 4), 0, 0.7)


def _abdomen(
    thorax: Thorax, contrast: Contrast, x: np.ndarray, y: np.ndarray, voxel: float, rng: np.random.Generator
) -> np.ndarray:
    lumps = thorax.lumps * (smooth_noise(x.shape, thorax.lumps / voxel, rng) - thorax.fatness)
    kinds = smooth_noise(x.shape, 1.4 * thorax.lumps / voxel, rng)
    veins = smooth_noise(x.shape, 4.5 / voxel, rng)
    liver = contrast.liver * (1 + 0.6 * np.clip(veins - 1.6, 0, 1))
    organ = over(1.1 * contrast.liver, 0.9 * contrast.vessel, soft(12 * (kinds - 0.8), voxel))
    organ = over(organ, 0.15, soft(12 * (-1 - kinds), voxel))
    gut = over(contrast.fat * 0.85, 0.6 * contrast.liver, soft(lumps + 4, voxel))
    gut = over(gut, organ, soft(lumps, voxel))
    edge = thorax.liver_edge + 0.4 * (y - thorax.diaphragm) - x + 6 * smooth_noise(x.shape, 30 / voxel, rng)
    gut = over(gut, contrast.fat * 0.8, soft(edge + 5, voxel))
    return over(gut, liver, soft(edge, voxel))


def _spine(contrast: Contrast, y: np.ndarray) -> np.ndarray:
    discs = np.abs((y % 32) - 16) < 4
    return np.where(discs, 0.25, 0.5 * contrast.liver + 0.25 * abs(contrast.fat))


def _spine_distance(thorax: Thorax, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    start = thorax.aorta[0] + 22 + 0.15 * (y - thorax.aorta[1])
    return np.minimum(np.minimum(x - start, start + 34 - x), y - thorax.aorta[1] + 50)


def _disc(x: np.ndarray, y: np.ndarray, disc: tuple[float, float, float], voxel: float) -> np.ndarray:
    return soft(disc[2] - np.hypot(x - disc[0], y - disc[1]), voxel)
