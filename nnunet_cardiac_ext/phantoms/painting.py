"""Paint the heart of one plane over its surroundings, and label it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from nnunet_cardiac_ext.anatomy import CINE
from nnunet_cardiac_ext.phantoms.contrast import Contrast
from nnunet_cardiac_ext.phantoms.fields import over, smooth_noise, soft
from nnunet_cardiac_ext.phantoms.heart import Heart

_STEPS = 180
# At which outlines are tabulated for `Plane.around`.
ANGLES = np.linspace(-np.pi, np.pi, _STEPS + 1)


@dataclass(frozen=True)
class Details:
    """What a heart has beyond its cavities; none of it is labelled, all of it is seen.

    Attributes:
        papillary: Angle (radians from the septum), relative radius, size (mm) and upper level of each papillary muscle.
        trabeculae: Depth of the trabeculae relative to the endocardial radius, (level, angle), periodic in angle.
        lv_mesh: How much of the LV's rim the trabeculae fill, 0 to 1.
        rv_mesh: How much of the RV they fill, 0 to 1.
        rv_wall: Thickness of the RV's wall, mm.
        fat: Thickness of the epicardial fat, mm, by angle from -pi to pi.
        groove: Fat in the grooves between the ventricles, mm.
        atrium: Radius of the left atrium relative to the epicardium at the base.
        aorta: Radius of the aortic root, mm.
        outflow: Radius of the RV's outflow tract, mm.
        right_atrium: Radius of the right atrium, mm.
    """

    papillary: tuple[tuple[float, float, float, float], ...]
    trabeculae: np.ndarray
    lv_mesh: float
    rv_mesh: float
    rv_wall: float
    fat: np.ndarray
    groove: float
    atrium: float
    aorta: float
    outflow: float
    right_atrium: float


def draw_details(rng: np.random.Generator) -> Details:
    """Draw the details of one heart."""
    heads = [2.3, -2.0, *rng.choice([2.3, -2.0, 2.8, -2.6], rng.integers(0, 4))]
    papillary = tuple(
        (angle + rng.normal(0, 0.3), rng.uniform(0.5, 0.85), rng.uniform(3, 7), rng.uniform(0.1, 0.4))
        for angle in heads
    )
    spikes = np.abs(smooth_noise((24, _STEPS + 1), rng.uniform(3.5, 8), rng)) ** 1.5 * rng.uniform(0.01, 0.07)
    ramp = np.linspace(0, 1, _STEPS + 1)
    spikes = spikes * (1 - ramp) + spikes[:, ::-1] * ramp
    fat = rng.uniform(-1, 4) + rng.uniform(0.7, 3.5) * smooth_noise((2, _STEPS + 1), 18, rng)[0]
    fat = fat * (1 - ramp) + fat[::-1] * ramp
    return Details(
        papillary=papillary, trabeculae=np.clip(spikes, 0, 0.5), lv_mesh=rng.uniform(0, 1), rv_mesh=rng.uniform(0, 1),
        rv_wall=rng.uniform(1.2, 3.5), fat=np.clip(fat, 0, 12), groove=rng.uniform(0, 7), atrium=rng.uniform(0.7, 1.0),
        aorta=rng.uniform(11, 16), outflow=rng.uniform(10, 17), right_atrium=rng.uniform(17, 27),
    )  # fmt: skip


@dataclass(frozen=True)
class Plane:
    """Positions of the voxels of a plane in a heart's coordinates, each (row, column).

    Attributes:
        p: Distance from the axis towards the septum, mm.
        q: Distance towards anterior, mm.
        radius: Distance from the axis, mm.
        step: Index of the angle in a table from -pi to pi.
        rest: Remainder to the next angle, 0 to 1.
        voxel: Voxel size, mm.
    """

    p: np.ndarray
    q: np.ndarray
    radius: np.ndarray
    step: np.ndarray
    rest: np.ndarray
    voxel: float

    @classmethod
    def of(cls, heart: Heart, x: np.ndarray, y: np.ndarray, z: float) -> Plane:
        """The plane at depth z of a heart whose axis passes through (0, 0) at the mitral plane."""
        p, q = (side.astype(np.float32) for side in heart.anatomical(x, y, z))
        position = (np.arctan2(q, p) + np.float32(np.pi)) * np.float32(_STEPS / (2 * np.pi))
        step = np.clip(position.astype(np.int32), 0, _STEPS - 1)
        return cls(p, q, np.hypot(p, q), step, position - step.astype(np.float32), float(x[0, 1] - x[0, 0]))

    def around(self, table: np.ndarray) -> np.ndarray:
        """Interpolate a table by angle at every voxel."""
        table = table.astype(np.float32)
        return table[self.step] + np.diff(table)[self.step] * self.rest


def label_plane(heart: Heart, plane: Plane, z: float) -> np.ndarray:
    """Label the voxels by where their centres lie: canonical cine labels, (row, column), uint8."""
    outline = heart.rv_outline(z)
    labels = np.zeros(plane.radius.shape, dtype=np.uint8)
    if outline is not None:
        labels[outline.distance(plane.p, plane.q) > 0] = CINE.values["RV"]
    labels[plane.radius < plane.around(heart.epicardium(ANGLES, z))] = CINE.values["MYO"]
    labels[plane.radius < plane.around(heart.endocardium(ANGLES, z))] = CINE.values["LV"]
    return labels


def paint_heart(
    heart: Heart,
    details: Details,
    contrast: Contrast,
    under: np.ndarray,
    plane: Plane,
    depths: Iterable[float],
    texture: np.ndarray,
    *,
    wall: Callable[[float], np.ndarray] | None = None,
) -> np.ndarray:
    """Paint a heart over its surroundings, averaged over the planes that a slice is thick.

    Args:
        heart: The heart at one moment.
        details: Its details.
        contrast: The signals.
        under: Signed signal of the surroundings, (row, column).
        plane: Positions of the voxels.
        depths: Depths of the planes to average, mm.
        texture: Relative inhomogeneity of LV blood, RV blood and muscle, and the pattern of the trabeculae,
            (4, row, column).
        wall: Signal (row, column) of the LV's wall and papillary muscles in the plane at a depth in mm; by default
            that of `contrast.muscle`.
    """  # fmt: skip
    painter = _Painter(heart, details, contrast, plane, texture, wall)
    return np.mean([painter.painted(under, z) for z in depths], axis=0)


class _Painter:
    def __init__(
        self,
        heart: Heart,
        details: Details,
        contrast: Contrast,
        plane: Plane,
        texture: np.ndarray,
        wall: Callable[[float], np.ndarray] | None,
    ) -> None:
        self.heart, self.details, self.contrast, self.plane = heart, details, contrast, plane
        self.muscle = contrast.muscle * (1 + texture[2])
        self.wall = wall or (lambda _: self.muscle)
        self.lv_blood = 1 + texture[0]
        self.rv_blood = contrast.rv_blood * (1 + texture[1])
        self.mesh = texture[3]
        self.at_base = float(heart.epicardium(np.zeros(1), heart.base)[0])

    def painted(self, under: np.ndarray, z: float) -> np.ndarray:
        left = self._above(z) if z < self.heart.base else self._left(z) if z < self.heart.lowest else []
        solids = [*self._right(z), *left]
        if not solids:
            return under
        image = self._fat(under, np.max([distance for distance, _ in solids], axis=0), z)
        for distance, signal in solids:
            image = over(image, signal, soft(distance, self.plane.voxel))
        return image

    def _fat(self, under: np.ndarray, hull: np.ndarray, z: float) -> np.ndarray:
        voxel, details = self.plane.voxel, self.details
        thickness = self.plane.around(details.fat)
        image = over(under, self.contrast.fat * 0.8, soft(hull + thickness, voxel) * np.clip(thickness / voxel, 0, 1))
        # Fat and the coronary arteries fill the grooves where the ventricles meet.
        radius = self.heart.epicardium(ANGLES, z)[_STEPS // 2] if z > self.heart.base else self.at_base
        for side in (1.15, -1.05):
            gap = np.hypot(self.plane.p - radius * np.cos(side), self.plane.q - radius * np.sin(side))
            image = over(image, self.contrast.fat * 0.8, soft(details.groove + 2 - gap, voxel))
        return image

    def _right(self, z: float) -> list[tuple[np.ndarray, np.ndarray]]:
        p, q, details = self.plane.p, self.plane.q, self.details
        outline = self.heart.rv_outline(z)
        if outline is not None:
            inside = outline.distance(p, q)
            rim = np.clip(1 - inside / 18, 0.3, 1)
            dark = np.clip((self.mesh - 1.9 + 1.8 * details.rv_mesh * rim) * 1.5, 0, 0.85)
            blood = over(self.rv_blood, self.muscle, dark)
            return [(inside + details.rv_wall, self.muscle), (inside, blood)]
        if z >= self.heart.rv_base:
            return []
        tract = details.outflow - np.hypot(p - self.at_base * 0.75, q - self.at_base * 0.85)
        atrium = details.right_atrium - np.hypot(p - self.at_base - 0.5 * details.right_atrium, q + 0.45 * self.at_base)
        wall, blood = self.muscle, self.rv_blood
        return [(tract + 2, wall), (atrium + 2, wall), (tract, blood), (atrium, blood)]

    def _above(self, z: float) -> list[tuple[np.ndarray, np.ndarray]]:
        p, q, size = self.plane.p, self.plane.q, self.at_base
        atrium = self.details.atrium * size - np.hypot(p + 0.2 * size, q + 0.1 * size)
        aorta = self.details.aorta - np.hypot(p - 0.55 * size, q - 0.55 * size)
        return [(atrium + 2, self.muscle), (atrium, self.lv_blood), (aorta + 2, self.muscle), (aorta, self.lv_blood)]

    def _left(self, z: float) -> list[tuple[np.ndarray, np.ndarray]]:
        plane, details = self.plane, self.details
        inner = self.heart.endocardium(ANGLES, z)
        outer = plane.around(self.heart.epicardium(ANGLES, z))
        level = (z - self.heart.base) / self.heart.length
        row = int(np.clip(level, 0, 1) * (len(details.trabeculae) - 1))
        growth = (0.3 + level) * (1 + 0.6 * self.heart.phase)
        seen = plane.around(inner * (1 - np.clip(details.trabeculae[row] * growth, 0, 0.6))) - plane.radius
        rim = np.clip(1.3 - seen / (0.35 * self.heart.shape.radius), 0, 1) * np.clip(0.4 + level, 0, 1)
        dark = np.clip((self.mesh - 2.0 + 2 * details.lv_mesh * rim) * 1.5, 0, 0.85)
        wall = self.wall(z)
        solids = [(outer - plane.radius, wall), (seen, over(self.lv_blood, self.muscle, dark))]
        for angle, relative, size, top in details.papillary:
            if top < level < 0.85:
                at = relative * float(np.interp(angle, ANGLES, inner, period=2 * np.pi))
                gap = np.hypot(plane.p - at * np.cos(angle), plane.q - at * np.sin(angle))
                gap = gap + 0.7 * self.mesh
                solids.append((np.minimum(size - gap, seen + 1), wall))
        return solids
