"""Paint a heart in the 4-chamber long-axis plane over its surroundings."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from nnunet_cardiac_ext.phantoms.contrast import Contrast
from nnunet_cardiac_ext.phantoms.fields import over, soft
from nnunet_cardiac_ext.phantoms.heart import Heart
from nnunet_cardiac_ext.phantoms.long_axis import LongAxis, Section
from nnunet_cardiac_ext.phantoms.long_axis_atria import Atria, valve_chords
from nnunet_cardiac_ext.phantoms.painting import ANGLES, Details


@dataclass(frozen=True)
class Canvas:
    """The points that a long-axis image is painted on.

    Attributes:
        plane: The plane.
        a: Position of each point towards the septum, mm, (row, column).
        b: Position towards the apex, mm.
        step: Distance of neighbouring points, mm.
    """

    plane: LongAxis
    a: np.ndarray
    b: np.ndarray
    step: float


@dataclass(frozen=True)
class Chambers:
    """The chambers of a heart at one moment, as signed distances in mm, positive inside, (row, column).

    Attributes:
        section: The heart at the points of the canvas.
        left: LV with its wall.
        right: RV cavity.
        left_atrium: Its cavity.
        right_atrium: Its cavity.
        hull: All of them with their walls.
    """

    section: Section
    left: np.ndarray
    right: np.ndarray
    left_atrium: np.ndarray
    right_atrium: np.ndarray
    hull: np.ndarray


def chambers_of(heart: Heart, details: Details, atria: Atria, canvas: Canvas) -> Chambers:
    """Find the chambers of a heart; none of the atria reaches into a ventricle or into the other's wall."""
    section = Section.of(heart, canvas.plane, canvas.a, canvas.b)
    left = signed_distance(section.radius < section.outer, canvas.step)
    right = signed_distance(section.right > 0, canvas.step)
    in_left = atria.left.inside(canvas.a, section.z, heart.base, heart.phase)
    # Where the valve is there is no wall between an atrium and its own ventricle.
    left_atrium = signed_distance(in_left & (right + atria.septum < 0), canvas.step)
    in_right = atria.right.inside(canvas.a, section.z, heart.rv_base, heart.phase)
    in_right &= (left_atrium + atria.septum < 0) & (left + atria.septum < 0)
    right_atrium = signed_distance(in_right, canvas.step)
    walls = (left, right + details.rv_wall, left_atrium + atria.wall, right_atrium + atria.wall)
    return Chambers(section, left, right, left_atrium, right_atrium, np.max(walls, axis=0))


def signed_distance(mask: np.ndarray, step: float) -> np.ndarray:
    """Distance in mm of each point to the border of a mask, positive inside; points lie `step` mm apart."""
    if not mask.any():
        return np.full(mask.shape, -np.inf)
    inside, outside = ndimage.distance_transform_edt(mask), ndimage.distance_transform_edt(~mask)
    return np.where(mask, inside - 0.5, 0.5 - outside) * step


def paint_long_axis(
    heart: Heart,
    details: Details,
    atria: Atria,
    contrast: Contrast,
    canvas: Canvas,
    chambers: Chambers,
    under: np.ndarray,
    texture: np.ndarray,
) -> np.ndarray:
    """Paint a heart over its surroundings.

    Args:
        heart: The heart at one moment.
        details: Its details.
        atria: Its atria.
        contrast: The signals.
        canvas: Where to paint.
        chambers: The heart's chambers on this canvas.
        under: Signed signal of the surroundings, (row, column).
        texture: Relative inhomogeneity of LV blood, RV blood and muscle, and the pattern of the trabeculae,
            (4, row, column).
    """
    painter = _Painter(heart, details, atria, contrast, canvas, chambers, texture)
    image = painter.fat(under)
    image = over(image, painter.muscle, soft(chambers.hull, canvas.step))
    image = over(image, painter.right_blood(), soft(chambers.right, canvas.step))
    image = over(image, painter.lv_blood, soft(chambers.left_atrium, canvas.step))
    image = over(image, painter.rv_blood, soft(chambers.right_atrium, canvas.step))
    image = over(image, painter.muscle, soft(chambers.left, canvas.step))
    image = painter.cavity(image)
    return painter.valves(image)


class _Painter:
    def __init__(
        self,
        heart: Heart,
        details: Details,
        atria: Atria,
        contrast: Contrast,
        canvas: Canvas,
        chambers: Chambers,
        texture: np.ndarray,
    ) -> None:
        self.heart, self.details, self.atria, self.contrast = heart, details, atria, contrast
        self.canvas, self.chambers, self.section = canvas, chambers, chambers.section
        self.muscle = contrast.muscle * (1 + texture[2])
        self.lv_blood = 1 + texture[0]
        self.rv_blood = contrast.rv_blood * (1 + texture[1])
        self.mesh = texture[3]
        self.chords = valve_chords(self.section, canvas.a, heart)

    def fat(self, under: np.ndarray) -> np.ndarray:
        """Fat of varying thickness around the heart, thick in the grooves between ventricles and atria."""
        canvas, signal = self.canvas, self.contrast.fat * 0.8
        angle = np.arctan2(canvas.b, canvas.a)
        thickness = np.interp(angle, ANGLES, self.details.fat)
        share = soft(self.chambers.hull + thickness, canvas.step) * np.clip(thickness / canvas.step, 0, 1)
        image = over(under, signal, share)
        (lateral, _), (_, free_wall) = self.chords
        wall = float(self.heart.epicardium(np.array([np.pi]), self.heart.base + 2)[0])
        for at, depth in ((min(-wall, lateral), self.heart.base), (free_wall, self.heart.rv_base)):
            gap = np.hypot(canvas.a - at, self.section.z - depth)
            image = over(image, signal, soft(self.details.groove + 4 - gap, canvas.step))
        return image

    def right_blood(self) -> np.ndarray:
        """The RV's blood with its trabeculae and, in many hearts, the moderator band."""
        inside, details = self.chambers.right, self.details
        rim = np.clip(1 - inside / 18, 0.3, 1)
        dark = np.clip((self.mesh - 1.9 + 1.8 * details.rv_mesh * rim) * 1.5, 0, 0.85)
        level = (self.section.z - self.heart.rv_base) / (self.heart.rv_lowest - self.heart.rv_base)
        # It crosses the cavity obliquely in the apical third; hearts with few trabeculae hardly show it.
        band = np.abs(level - 0.68 - 0.004 * (self.canvas.a - 25)) * self.heart.shape.rv_length
        dark = np.maximum(dark, 0.8 * details.rv_mesh * soft(1.5 - band + 0.6 * self.mesh, 2.0))
        return over(self.rv_blood, self.muscle, dark)

    def cavity(self, image: np.ndarray) -> np.ndarray:
        """The LV's blood between trabeculae and papillary muscles."""
        section, details, step = self.section, self.details, self.canvas.step
        level = np.clip((section.z - self.heart.base) / self.heart.length, 0, 1)
        spikes = ndimage.map_coordinates(
            details.trabeculae,
            [level * (len(details.trabeculae) - 1), (section.theta + np.pi) / (2 * np.pi) * (len(ANGLES) - 1)],
            order=1, mode="nearest",
        )  # fmt: skip
        growth = (0.3 + level) * (1 + 0.6 * self.heart.phase)
        seen = section.inner * (1 - np.clip(spikes * growth, 0, 0.6)) - section.radius
        seen = np.where(section.inner > 0, seen, -np.inf)
        rim = np.clip(1.3 - seen / (0.35 * self.heart.shape.radius), 0, 1) * np.clip(0.4 + level, 0, 1)
        dark = np.clip((self.mesh - 2.0 + 2 * details.lv_mesh * rim) * 1.5, 0, 0.85)
        image = over(image, over(self.lv_blood, self.muscle, dark), soft(seen, step))
        for angle, relative, size, top in details.papillary:
            at = relative * self.heart.endocardium(np.array(angle), section.z)
            gap = np.hypot(section.p - at * np.cos(angle), section.q - at * np.sin(angle)) + 0.7 * self.mesh
            # It narrows towards its tendons, which are thinner than a voxel.
            tapered = size * np.clip((level - top) / 0.15, 0, 1) * (level < 0.85)
            image = over(image, self.muscle, soft(np.minimum(tapered - gap, seen + 1), step) * (tapered > 0))
        return image

    def valves(self, image: np.ndarray) -> np.ndarray:
        """The closed leaflets, thinner than the slice and so rarely dark."""
        for atrium, valve, chord in (
            (self.atria.left, self.heart.base, self.chords[0]),
            (self.atria.right, self.heart.rv_base, self.chords[1]),
        ):
            distance = atrium.leaflets(self.canvas.a, self.section.z, valve, chord)
            image = over(image, self.muscle, atrium.seen * soft(distance, self.canvas.step))
        return image
