"""What surrounds a mouse's heart in a short-axis image: skin, chest wall with ribs, lung, liver, great vessels, air.

Lengths are drawn mm, ten times the true ones (see `mouse_animals.MAGNIFICATION`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nnunet_cardiac_ext.phantoms.contrast import Contrast
from nnunet_cardiac_ext.phantoms.fields import over, smooth_noise, soft
from nnunet_cardiac_ext.phantoms.heart import HeartShape

# Fields that are alike in neighbouring slices, and the share of each slice's own in them.
_COMMON = 8
_OWN = 0.45


@dataclass(frozen=True)
class MouseThorax:
    """Anatomy around one heart; positions from the heart's axis (x right, y down).

    Attributes:
        front: Direction of the nearest chest wall, radians.
        half: Half axes of the body along that direction and across.
        middle: Position of the body's middle along that direction (negative) and across.
        skin: Thickness of the skin.
        wall: Thickness of the muscles of the chest wall.
        ribs: Number of ribs around the body.
        diaphragm: Direction from the heart to the liver, radians; its distance; how much nearer per mm of depth.
        dome: Curvature of the diaphragm, 1/mm.
        vessels: x, y, radius, direction of the longer axis and relative signal of each great vessel.
        drift: How far the vessels move per mm of depth, (x, y).
        thymus: Reach of the tissue between heart and chest wall.
        seed: Of the fields that neighbouring slices share.
    """

    front: float
    half: tuple[float, float]
    middle: tuple[float, float]
    skin: float
    wall: float
    ribs: int
    diaphragm: tuple[float, float, float]
    dome: float
    vessels: tuple[tuple[float, float, float, float, float], ...]
    drift: tuple[float, float]
    thymus: float
    seed: int


def draw_mouse_thorax(shape: HeartShape, rng: np.random.Generator) -> MouseThorax:
    """Draw the surroundings of a heart."""
    radius = shape.radius + shape.wall
    # The right ventricle and the anterior wall lie towards the sternum.
    front = shape.septum + rng.uniform(0.4, 1.1)
    half = (rng.uniform(105, 140), rng.uniform(125, 190))
    skin, wall = rng.uniform(4, 8), rng.uniform(16, 38)
    reach = radius + 0.4 * shape.rv_depth + rng.uniform(2, 14)
    away = front + np.pi
    vessels = []
    for side, gap, size in ((0.5, 40, 8), (-0.3, 62, 9), (-1.0, 45, 6), (0.0, 75, 5)):
        bearing, distance = away + side + rng.normal(0, 0.3), radius + gap * rng.uniform(0.5, 1.2)
        vessels.append((distance * np.cos(bearing), distance * np.sin(bearing), size * rng.uniform(0.5, 1.2),
                        rng.uniform(0, np.pi), rng.uniform(0.4, 1.1)))  # fmt: skip
    return MouseThorax(
        front=front, half=half, middle=(reach + skin + wall - half[0], rng.normal(0, 20)), skin=skin, wall=wall,
        ribs=int(rng.integers(16, 26)),
        diaphragm=(shape.septum - rng.uniform(0.9, 1.8), radius * rng.uniform(1.1, 1.9), rng.uniform(0.3, 0.9)),
        dome=rng.uniform(0.001, 0.006), vessels=tuple(vessels),
        drift=(rng.normal(0, 0.3), rng.normal(0, 0.3)), thymus=rng.uniform(4, 22),
        seed=int(rng.integers(2**31)),
    )  # fmt: skip


def paint_mouse_thorax(
    thorax: MouseThorax, contrast: Contrast, x: np.ndarray, y: np.ndarray, depth: float, rng: np.random.Generator
) -> np.ndarray:
    """Paint the surroundings of the heart in one plane.

    Args:
        thorax: The anatomy.
        contrast: The signals.
        x: Positions of the voxels right of the axis, drawn mm, (row, column).
        y: Positions below the axis, drawn mm, (row, column).
        depth: Depth of the plane along the heart's axis, drawn mm.
        rng: Source of the plane's own textures.

    Returns:
        Signal (row, column), float32; air is 0.
    """
    voxel = float(x[0, 1] - x[0, 0])
    common = smooth_noise((_COMMON, *x.shape), 22 / voxel, np.random.default_rng(thorax.seed))
    broad = np.sqrt(1 - _OWN**2) * common + _OWN * smooth_noise((_COMMON, *x.shape), 22 / voxel, rng)
    fine = smooth_noise((4, *x.shape), 4.5 / voxel, rng)
    inside, around = _body(thorax, x, y)
    inside = inside + 2 * broad[0]
    image = over(0.0, 0.8 * contrast.skeletal * (1 + 0.15 * broad[1]), soft(inside, voxel))
    image = over(image, contrast.fat, soft(inside - thorax.skin, voxel))
    image = over(image, _chest_wall(thorax, contrast, inside, around, depth, fine[0], broad[2]),
                 soft(inside - thorax.skin - 3 - 2 * broad[3], voxel))  # fmt: skip
    cavity = inside - thorax.skin - thorax.wall - 4 * broad[4]
    image = over(image, _lung(contrast, fine, broad[5], depth), soft(cavity, voxel))
    front = np.minimum(thorax.thymus - cavity + 5 * broad[6], cavity + 4)
    tissue = 0.9 * contrast.skeletal * (1 + 0.12 * fine[1])
    image = over(image, tissue, soft(np.where(_towards(thorax.front, x, y) > 0, front, -9), voxel))
    below = _below_diaphragm(thorax, x, y, depth) + 4 * broad[7]
    image = over(image, _abdomen(contrast, fine, broad), soft(np.minimum(below, cavity), voxel))
    for vx, vy, size, turn, bright in thorax.vessels:
        dx, dy = x - vx - thorax.drift[0] * depth, y - vy - thorax.drift[1] * depth
        gap = np.hypot(0.55 * _towards(turn, dx, dy), _towards(turn + np.pi / 2, dx, dy)) + 0.2 * size * broad[1]
        image = over(image, bright * contrast.vessel, soft(np.minimum(size - gap, cavity), 2 * voxel))
    return (image * (1 + contrast.tissue_texture * fine[3])).astype(np.float32)


def _towards(direction: float, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return x * np.cos(direction) + y * np.sin(direction)


def _body(thorax: MouseThorax, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Distance inside the skin, and the angle about the body's middle."""
    along = _towards(thorax.front, x, y) - thorax.middle[0]
    across = _towards(thorax.front + np.pi / 2, x, y) - thorax.middle[1]
    level = (np.abs(along / thorax.half[0]) ** 2.3 + np.abs(across / thorax.half[1]) ** 2.3) ** (1 / 2.3)
    return (1 - level) * min(thorax.half), np.arctan2(across, along)


def _chest_wall(
    thorax: MouseThorax,
    contrast: Contrast,
    inside: np.ndarray,
    around: np.ndarray,
    depth: float,
    fine: np.ndarray,
    broad: np.ndarray,
) -> np.ndarray:
    muscle = contrast.skeletal * (1 + 0.12 * fine + 0.15 * broad)
    # Ribs lie in the inner half of the wall. They cross the plane at a slant: their cuts move from slice to slice.
    rib = 5 * (np.cos(thorax.ribs * around + 0.25 * depth + 0.9 * broad) - 0.55)
    ring = 0.16 * thorax.wall - np.abs(inside - thorax.skin - 0.72 * thorax.wall)
    return over(muscle, 0.3 * contrast.skeletal, 0.8 * soft(np.minimum(rib, ring), 3.0))


def _lung(contrast: Contrast, fine: np.ndarray, broad: np.ndarray, depth: float) -> np.ndarray:
    # Lung vessels are large near the hilum, at the heart's base.
    dots = fine[0] + 0.5 * broad - 2.1 - 0.012 * depth
    streaks = 1 - np.abs(fine[1] + 0.4 * fine[2]) / 0.22
    bright = np.clip(dots, 0, 0.8) + 0.5 * np.clip(streaks, 0, 1) * np.clip(broad - 0.9 - 0.01 * depth, 0, 1)
    return contrast.lung * (1 + 0.3 * fine[2]) + contrast.vessel * bright


def _below_diaphragm(thorax: MouseThorax, x: np.ndarray, y: np.ndarray, depth: float) -> np.ndarray:
    direction, distance, approach = thorax.diaphragm
    across = _towards(direction + np.pi / 2, x, y)
    return _towards(direction, x, y) - distance + approach * (depth - 20) - thorax.dome * across**2


def _abdomen(contrast: Contrast, fine: np.ndarray, broad: np.ndarray) -> np.ndarray:
    veins = np.clip(1 - np.abs(broad[2]) / 0.09, 0, 1) * np.clip(broad[3] - 0.2, 0, 1)
    liver = contrast.liver * (1 + 0.05 * fine[1] + 0.06 * broad[4])
    liver = over(liver, 0.8 * contrast.vessel, np.clip(veins, 0, 1))
    stomach = contrast.liver * (0.55 + 0.35 * fine[2])
    return over(liver, stomach, soft(20 * (broad[5] - 1.3), 4.0))
