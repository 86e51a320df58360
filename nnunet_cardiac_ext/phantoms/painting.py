"""Paint the heart of one plane over its surroundings, and label it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nnunet_cardiac_ext.anatomy import CINE
from nnunet_cardiac_ext.phantoms.contrast import Contrast
from nnunet_cardiac_ext.phantoms.fields import smooth_noise, soft
from nnunet_cardiac_ext.phantoms.heart import Heart

_ANGLES = np.linspace(-np.pi, np.pi, 181)


@dataclass(frozen=True)
class Details:
    """What a heart has beyond its cavities; none of it is labelled, all of it is seen.

    Attributes:
        papillary: Angle (radians from the septum), relative radius, size (mm) and upper level of each papillary muscle.
        trabeculae: Depth of the trabeculae relative to the endocardial radius, (level, angle), periodic in angle.
        rv_wall: Thickness of the RV's wall, mm.
        fat: Thickness of the epicardial fat, mm, (angle,) over -pi to pi.
        atrium: Radius of the left atrium relative to the epicardium at the base.
        aorta: Radius of the aortic root, mm.
        outflow: Radius of the RV's outflow tract, mm.
        right_atrium: Radius of the right atrium, mm.
        rv_mesh: How much of the RV the trabeculae fill, 0 to 1.
    """

    papillary: tuple[tuple[float, float, float, float], ...]
    trabeculae: np.ndarray
    rv_wall: float
    fat: np.ndarray
    atrium: float
    aorta: float
    outflow: float
    right_atrium: float
    rv_mesh: float


def draw_details(rng: np.random.Generator) -> Details:
    """Draw the details of one heart."""
    papillary = tuple(
        (angle + rng.normal(0, 0.25), rng.uniform(0.55, 0.8), rng.uniform(3, 6), rng.uniform(0.2, 0.4))
        for angle in (2.3, -2.0)
    )
    spikes = np.abs(smooth_noise((24, 181), rng.uniform(4, 9), rng)) ** 1.5 * rng.uniform(0.01, 0.07)
    ramp = np.linspace(0, 1, 181)
    spikes = spikes * (1 - ramp) + spikes[:, ::-1] * ramp
    fat = rng.uniform(0, 3) + rng.uniform(1, 4) * smooth_noise((2, 181), 30, rng)[0]
    return Details(
        papillary=papillary, trabeculae=np.clip(spikes, 0, 0.5), rv_wall=rng.uniform(1.5, 3.5),
        fat=np.clip(fat, 0, 12), atrium=rng.uniform(0.7, 1.0), aorta=rng.uniform(11, 16),
        outflow=rng.uniform(10, 16), right_atrium=rng.uniform(17, 26), rv_mesh=rng.uniform(0, 0.8),
    )  # fmt: skip


@dataclass(frozen=True)
class Plane:
    """Positions of the voxels of a plane about the heart's axis.

    Attributes:
        radius: Distance from the axis, mm, (row, column).
        theta: Angle from the septum's middle, radians.
        voxel: Voxel size, mm.
    """

    radius: np.ndarray
    theta: np.ndarray
    voxel: float

    @classmethod
    def of(cls, heart: Heart, x: np.ndarray, y: np.ndarray, z: float) -> Plane:
        """The plane at depth z of a heart whose axis passes through (0, 0) at the mitral plane."""
        x0, y0 = heart.centre(z)
        angle = np.arctan2(y - y0, x - x0) - heart.shape.septum
        return cls(np.hypot(x - x0, y - y0), (angle + np.pi) % (2 * np.pi) - np.pi, float(x[0, 1] - x[0, 0]))

    @property
    def p(self) -> np.ndarray:
        """Distance towards the septum, mm."""
        return self.radius * np.cos(self.theta)

    @property
    def q(self) -> np.ndarray:
        """Distance towards anterior, mm."""
        return self.radius * np.sin(self.theta)


def label_plane(heart: Heart, plane: Plane, z: float) -> np.ndarray:
    """Label the voxels by where their centres lie: canonical cine labels, (row, column), uint8."""
    outer = np.interp(plane.theta, _ANGLES, heart.epicardium(_ANGLES, z))
    inner = np.interp(plane.theta, _ANGLES, heart.endocardium(_ANGLES, z))
    outline = heart.rv_outline(z)
    labels = np.zeros(plane.radius.shape, dtype=np.uint8)
    if outline is not None:
        labels[outline.distance(plane.p, plane.q) > 0] = CINE.values["RV"]
    labels[plane.radius < outer] = CINE.values["MYO"]
    labels[plane.radius < inner] = CINE.values["LV"]
    return labels


def paint_heart(
    heart: Heart, details: Details, contrast: Contrast, under: np.ndarray, plane: Plane,
    depths: Sequence[float], texture: np.ndarray,
) -> np.ndarray:
    """Paint a heart over its surroundings, averaged over the planes that a slice is thick.

    Args:
        heart: The heart at one moment.
        details: Its details.
        contrast: The signals.
        under: Signed signal of the surroundings, (row, column).
        plane: Positions of the voxels.
        depths: Depths of the planes to average, mm.
        texture: Relative inhomogeneity of LV blood, RV blood and muscle, (3, row, column).
    """  # fmt: skip
    return np.mean([_painted(heart, details, contrast, under, plane, z, texture) for z in depths], axis=0)


def _painted(
    heart: Heart, details: Details, contrast: Contrast, under: np.ndarray, plane: Plane, z: float, texture: np.ndarray
) -> np.ndarray:
    voxel, theta, r, p, q = plane.voxel, plane.theta, plane.radius, plane.p, plane.q
    muscle = contrast.muscle * (1 + texture[2])
    lv_blood, rv_blood = 1 + texture[0], contrast.rv_blood * (1 + texture[1])
    outline = heart.rv_outline(z)
    solids = []  # (signed distance, signal) from the outside in
    at_base = float(heart.epicardium(np.zeros(1), heart.base)[0])
    if z < heart.base:
        lv_like = details.atrium * at_base - np.hypot(p + 0.2 * at_base, q + 0.1 * at_base)
        aorta = details.aorta - np.hypot(p - 0.55 * at_base, q - 0.55 * at_base)
        solids += [(lv_like + 2, muscle), (lv_like, lv_blood), (aorta + 2, muscle), (aorta, lv_blood)]
    if outline is not None:
        right = outline.distance(p, q)
        solids = [(right + details.rv_wall, muscle), (right, rv_blood), *solids]
    elif z < heart.rv_base:
        tract = details.outflow - np.hypot(p - at_base * 0.75, q - at_base * 0.85)
        atrium = details.right_atrium - np.hypot(p - at_base - 0.5 * details.right_atrium, q + 0.45 * at_base)
        solids = [
            (tract + 2, muscle), (atrium + 2, muscle), (tract, rv_blood), (atrium, rv_blood), *solids
        ]  # fmt: skip
    if z >= heart.base:
        solids += _left_ventricle(heart, details, plane, z, muscle, lv_blood)
    if not solids:
        return under
    hull = np.max([distance for distance, _ in solids], axis=0)
    fat = np.interp(theta, _ANGLES, details.fat)
    image = under + (contrast.fat * 0.8 - under) * soft(hull + fat, voxel) * np.clip(fat / voxel, 0, 1)
    for distance, signal in solids:
        image = image + (signal - image) * soft(distance, voxel)
    return image


def _left_ventricle(
    heart: Heart, details: Details, plane: Plane, z: float, muscle: np.ndarray, blood: np.ndarray
) -> list[tuple[np.ndarray, np.ndarray]]:
    inner = heart.endocardium(_ANGLES, z)
    outer = np.interp(plane.theta, _ANGLES, heart.epicardium(_ANGLES, z))
    level = (z - heart.base) / heart.length
    row = int(np.clip(level, 0, 1) * (len(details.trabeculae) - 1))
    growth = (0.3 + level) * (1 + heart.phase)
    seen = np.interp(plane.theta, _ANGLES, inner * (1 - np.clip(details.trabeculae[row] * growth, 0, 0.6)))
    solids = [(outer - plane.radius, muscle), (seen - plane.radius, blood)]
    for angle, relative, size, top in details.papillary:
        if top < level < 0.85:
            at = relative * float(np.interp(angle, _ANGLES, inner, period=2 * np.pi))
            gap = np.hypot(plane.p - at * np.cos(angle), plane.q - at * np.sin(angle))
            solids.append((np.minimum(size - gap, seen - plane.radius + 1), muscle))
    return solids
