"""What surrounds the heart in a 4-chamber image: chest wall, lungs, mediastinum, aorta, spine, liver, stomach."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nnunet_cardiac_ext.phantoms.contrast import Contrast
from nnunet_cardiac_ext.phantoms.fields import over, smooth_noise, soft
from nnunet_cardiac_ext.phantoms.thorax import chest_wall_signal, lung_signal

Disc = tuple[float, float, float]


@dataclass(frozen=True)
class Extent:
    """What the heart takes up at end-diastole, mm in the body's directions (right, back) from the plane's origin.

    Attributes:
        front: Its foremost point.
        back: Its rearmost point, the far wall of an atrium.
        left: Its leftmost point in the image.
        right: Its rightmost point.
    """

    front: float
    back: float
    left: float
    right: float


@dataclass(frozen=True)
class Surroundings:
    """Anatomy around one heart, mm from the plane's origin; u points right in the image, v to the back.

    Attributes:
        middle: u and v of the middle of the chest.
        inner: Half width and half height of the chest's inside.
        fat: Thickness of the subcutaneous fat.
        wall: Thickness of the muscles of the chest wall.
        spine: u, v and radius of the vertebra.
        aorta: u, v and radius of the descending aorta.
        oesophagus: Likewise.
        liver: u, v and radius of the liver's dome; radius 0 where it lies below the plane.
        stomach: Likewise, of stomach and spleen.
        veins: Ends (u, v) and radius of pulmonary veins and arteries, which begin behind the left atrium.
        root: u and v of where they begin.
        fatness: Fat between the heart and the chest wall, -1 to 1.
    """

    middle: tuple[float, float]
    inner: tuple[float, float]
    fat: float
    wall: float
    spine: Disc
    aorta: Disc
    oesophagus: Disc
    liver: Disc
    stomach: Disc
    veins: tuple[Disc, ...]
    root: tuple[float, float]
    fatness: float


def draw_surroundings(extent: Extent, root: tuple[float, float], rng: np.random.Generator) -> Surroundings:
    """Draw the surroundings of a heart.

    Args:
        extent: What the heart takes up.
        root: u and v of the middle of the left atrium.
        rng: Source of randomness.
    """
    gap, behind = rng.uniform(3, 24), rng.uniform(42, 70)
    width = rng.uniform(125, 165)
    half_height = (extent.back - extent.front + gap + behind) / 2
    middle = (-rng.uniform(8, 34), extent.front - gap + half_height)
    spine = (middle[0] + rng.normal(0, 4), middle[1] + half_height - rng.uniform(2, 10), rng.uniform(17, 22))
    aorta_radius = rng.uniform(9, 14)
    aorta = (
        max(spine[0] + rng.uniform(16, 34), root[0] - 5), spine[1] - spine[2] - rng.uniform(-8, 6), aorta_radius
    )  # fmt: skip
    veins = tuple(
        (root[0] + side * rng.uniform(40, 75), root[1] + rng.uniform(-4, 30), rng.uniform(3.5, 7))
        for side in (-1, 1, 1)[: rng.integers(1, 4)]
    )
    branches = tuple(
        (side * (length := rng.uniform(25, 85)) + root[0], root[1] + length * rng.uniform(-0.3, 0.9),
         rng.uniform(1.2, 3.2))
        for side in (-1, 1) * int(rng.integers(2, 6))
    )  # fmt: skip
    return Surroundings(
        middle=middle, inner=(width, half_height), fat=rng.uniform(6, 30), wall=rng.uniform(10, 19), spine=spine,
        aorta=aorta, oesophagus=((spine[0] + aorta[0]) / 2 - 6, aorta[1] - rng.uniform(2, 12), rng.uniform(5, 8)),
        liver=_organ(rng, 0.55, extent.left - rng.uniform(20, 60), extent.back - rng.uniform(20, 60), (40, 75)),
        stomach=_organ(rng, 0.35, extent.right + rng.uniform(30, 60), extent.back - rng.uniform(0, 50), (25, 48)),
        veins=veins + branches, root=root, fatness=rng.uniform(-1, 1),
    )  # fmt: skip


def _organ(rng: np.random.Generator, share: float, u: float, v: float, radius: tuple[float, float]) -> Disc:
    return u, v, rng.uniform(*radius) if rng.random() < share else 0.0


def paint_surroundings(
    around: Surroundings, contrast: Contrast, u: np.ndarray, v: np.ndarray, step: float, rng: np.random.Generator
) -> np.ndarray:
    """Paint the surroundings of the heart.

    Args:
        around: The anatomy.
        contrast: The signals.
        u: Positions of the points to the right, mm, (row, column).
        v: Positions to the back, mm, (row, column).
        step: Distance of neighbouring points, mm.
        rng: Source of the textures.

    Returns:
        Signed signal (row, column); air is 0.
    """
    wobble = 0.7 * smooth_noise((4, *u.shape), 25 / step, rng)
    texture = 1 + contrast.tissue_texture * smooth_noise(u.shape, 3 / step, rng)
    inside = chest_distance(around, u, v)
    # The back is fleshier than the front.
    thick = around.wall * (1.9 - 0.9 * _behind_front(around, v)) + 3 * wobble[0]
    image = over(0.0, contrast.fat * (0.9 + 0.08 * wobble[1]), soft(inside + thick + around.fat + 2 * wobble[2], step))
    muscle = over(contrast.skeletal, chest_wall_signal(contrast, u, step, rng), _behind_front(around, v))
    image = over(image, muscle, soft(inside + thick, step))
    image = over(image, lung_signal(contrast, u.shape, step, rng), soft(inside, step))
    image = _mediastinum(around, contrast, image, u, v, step, inside, wobble)
    for organ, signal in ((around.liver, contrast.liver), (around.stomach, _stomach(contrast, u.shape, step, rng))):
        edge = np.minimum(_disc(organ, u, v) + 5 * wobble[3], inside)
        image = over(image, 0.8 * contrast.fat, soft(edge + 2, step)) if organ[2] else image
        image = over(image, signal, soft(edge, step)) if organ[2] else image
    image = _lung_vessels(around, contrast, image, u + 5 * wobble[1], v + 5 * wobble[3], step)
    return _vessels(around, contrast, image, u, v, step) * texture


def chest_distance(around: Surroundings, u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Approximate distance in mm to the inside of the chest's wall, positive inside; the spine juts into it."""
    across, along = np.abs(u - around.middle[0]) / around.inner[0], np.abs(v - around.middle[1]) / around.inner[1]
    inside = (1 - (across**2.3 + along**2.3) ** (1 / 2.3)) * min(around.inner)
    return np.minimum(inside, -_disc(around.spine, u, v))


def _behind_front(around: Surroundings, v: np.ndarray) -> np.ndarray:
    """1 in the front half of the chest, 0 at its back, where muscles are thick and ribs few."""
    return 1 - np.clip((v - around.middle[1]) / around.inner[1], 0, 1)


def _mediastinum(
    around: Surroundings,
    contrast: Contrast,
    image: np.ndarray,
    u: np.ndarray,
    v: np.ndarray,
    step: float,
    inside: np.ndarray,
    wobble: np.ndarray,
) -> np.ndarray:
    """Fat from the left atrium to the spine, and between the heart's front and the chest wall."""
    between = 15 - _to_segment(u, v, around.root, around.spine[:2])[0] + 9 * wobble[2]
    front = 14 * around.fatness + 10 * wobble[1] + 26 - 0.35 * np.hypot(u + 20, v - around.middle[1] + around.inner[1])
    for edge, share in ((between, 0.45), (front, 0.7)):
        image = over(image, contrast.fat * (share + 0.12 * wobble[3]), soft(np.minimum(edge, inside), step))
    return image


def _lung_vessels(
    around: Surroundings, contrast: Contrast, image: np.ndarray, u: np.ndarray, v: np.ndarray, step: float
) -> np.ndarray:
    for end_u, end_v, radius in around.veins:
        away, along = _to_segment(u, v, (around.root[0], around.root[1] + radius), (end_u, end_v))
        image = over(image, 0.85 * contrast.vessel, soft(radius * (1 - 0.8 * along) - away, step))
    return image


def _vessels(
    around: Surroundings, contrast: Contrast, image: np.ndarray, u: np.ndarray, v: np.ndarray, step: float
) -> np.ndarray:
    spine = _disc(around.spine, u, v)
    # Bone marrow is fatty and lies in a thin dark shell; behind it the canal is bright with fluid.
    image = over(image, 0.15, soft(spine, step))
    image = over(image, 0.35 * contrast.liver + 0.2 * abs(contrast.fat), soft(spine - 2, step))
    canal = _disc((around.spine[0], around.spine[1] + around.spine[2] + 9, 8.5), u, v)
    image = over(image, 1.1, soft(canal, step))
    image = over(image, contrast.skeletal, soft(canal - 3.5, step))
    image = over(image, contrast.muscle, soft(_disc(around.oesophagus, u, v), step))
    aorta = _disc(around.aorta, u, v)
    image = over(image, contrast.muscle, soft(aorta + 2, step))
    return over(image, contrast.vessel, soft(aorta, step))


def _stomach(contrast: Contrast, shape: tuple[int, ...], step: float, rng: np.random.Generator) -> np.ndarray:
    """Spleen, and what the stomach holds: fluid, food, air."""
    kinds = smooth_noise(shape, 14 / step, rng)
    signal = over(1.2 * contrast.liver, 0.9 * contrast.vessel, soft(8 * (kinds - 0.6), step))
    return over(signal, 0.08, soft(8 * (-0.9 - kinds), step))


def _disc(disc: Disc, u: np.ndarray, v: np.ndarray) -> np.ndarray:
    return disc[2] - np.hypot(u - disc[0], v - disc[1])


def _to_segment(
    u: np.ndarray, v: np.ndarray, start: tuple[float, ...], end: tuple[float, ...]
) -> tuple[np.ndarray, np.ndarray]:
    """Distance to a segment in mm, and where along it its nearest point lies, 0 to 1."""
    du, dv = end[0] - start[0], end[1] - start[1]
    along = np.clip(((u - start[0]) * du + (v - start[1]) * dv) / (du**2 + dv**2), 0, 1)
    return np.hypot(u - start[0] - along * du, v - start[1] - along * dv), along
