"""Areas and volumes of the continuous heart, by quadrature: the numbers a perfect reader would measure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from nnunet_cardiac_ext.anatomy import CUBIC_MM_PER_ML, MYOCARDIAL_DENSITY
from nnunet_cardiac_ext.phantoms.heart import Heart, HeartShape

_ANGLES = (np.arange(256) + 0.5) / 256 * 2 * np.pi


@dataclass(frozen=True)
class Volumes:
    """Volumes in ml of the LV cavity, the RV cavity and the LV myocardium."""

    lv: float
    rv: float
    myocardium: float


def plane_areas(heart: Heart, z: float, *, rv_samples: int = 96) -> tuple[float, float, float]:
    """Areas in mm2 of LV cavity, RV cavity and LV myocardium in the plane at depth z.

    The polar areas converge exponentially with the number of angles; the RV's is a midpoint sum whose boundary
    against the epicardium is smoothed over one cell.
    """
    inner, outer = heart.endocardium(_ANGLES, z), heart.epicardium(_ANGLES, z)
    lv, whole = np.pi * float(np.mean(inner**2)), np.pi * float(np.mean(outer**2))
    return lv, rv_area(heart, z, samples=rv_samples), whole - lv


def rv_area(heart: Heart, z: float, *, samples: int = 96) -> float:
    """Area in mm2 of the RV cavity in the plane at depth z; 0 where there is none."""
    outline = heart.rv_outline(z)
    if outline is None:
        return 0.0
    p, q, area = outline.points(samples)
    clearance = np.hypot(p, q) - np.interp(np.arctan2(q, p), _ANGLES, heart.epicardium(_ANGLES, z), period=2 * np.pi)
    outside = np.clip(0.5 + clearance / (2 * outline.half_depth / samples), 0, 1)
    return float(np.sum(area * outside))


def sliced_volumes(heart: Heart, depths: Sequence[float], spacing: float) -> Volumes:
    """Volumes by summation of discs: the area in the middle plane of each slice times the slice spacing.

    This is how ACDC's readers and every segmentation of a stack measure. The part of the ventricle above the first
    slice or below the last counts for neither.

    Args:
        heart: The heart at one moment.
        depths: Depth of the middle of each slice, mm.
        spacing: Distance between slices, mm.
    """
    lv, rv, muscle = np.sum([plane_areas(heart, z) for z in depths], axis=0) * spacing / CUBIC_MM_PER_ML
    return Volumes(float(lv), float(rv), float(muscle))


def cine_volumes(shape: HeartShape, depths: Sequence[float], spacing: float) -> dict[str, float]:
    """What a perfect reader would measure in a stack, by the names of the columns of `truth.csv`.

    Args:
        shape: The heart.
        depths: Depth of the middle of each slice, mm.
        spacing: Distance between slices, mm.

    Returns:
        End-diastolic and end-systolic volumes of both ventricles in ml (`lv_ed_ml`, ...), the ejection fractions in %
        (`lv_ef`, `rv_ef`) and the end-diastolic mass of the LV myocardium in g (`mass_g`), all by `sliced_volumes`.
    """
    diastole, systole = (sliced_volumes(Heart(shape, phase), depths, spacing) for phase in (0, 1))
    return {
        "lv_ed_ml": diastole.lv, "lv_es_ml": systole.lv, "lv_ef": (diastole.lv - systole.lv) / diastole.lv * 100,
        "rv_ed_ml": diastole.rv, "rv_es_ml": systole.rv, "rv_ef": (diastole.rv - systole.rv) / diastole.rv * 100,
        "mass_g": diastole.myocardium * MYOCARDIAL_DENSITY,
    }  # fmt: skip


def solid_volumes(heart: Heart, *, planes: int = 64, rv_samples: int = 48) -> Volumes:
    """Volumes of the whole ventricles from the base to the apex (Gauss-Legendre along the axis)."""
    lv, muscle = lv_volumes(heart, planes=planes)
    return Volumes(lv, rv_volume(heart, planes=planes, samples=rv_samples), muscle)


def lv_volumes(heart: Heart, *, planes: int = 24) -> tuple[float, float]:
    """Volumes in ml of the LV cavity and of its myocardium from the mitral plane to the apex."""
    lv = _disc_sum(heart.endocardium, heart.base, heart.base + heart.length, planes)
    return lv, _disc_sum(heart.epicardium, heart.base, heart.lowest, planes) - lv


def rv_volume(heart: Heart, *, planes: int = 12, samples: int = 24) -> float:
    """Volume in ml of the RV cavity from its base to its apex."""
    z, weight = _nodes(heart.rv_base, heart.rv_lowest, planes)
    cubic_mm = sum(w * rv_area(heart, depth, samples=samples) for depth, w in zip(z, weight, strict=True))
    return float(cubic_mm) / CUBIC_MM_PER_ML


def _disc_sum(radius: Callable[..., np.ndarray], start: float, end: float, planes: int) -> float:
    z, weight = _nodes(start, end, planes)
    return float(np.pi * np.sum(weight * (radius(_ANGLES, z[:, None]) ** 2).mean(1))) / CUBIC_MM_PER_ML


_legendre = cache(np.polynomial.legendre.leggauss)


def _nodes(start: float, end: float, count: int) -> tuple[np.ndarray, np.ndarray]:
    x, w = _legendre(count)
    half = (end - start) / 2
    return start + half * (x + 1), w * half
