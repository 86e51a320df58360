"""The five groups of ACDC as distributions of volumes, and shapes fitted to volumes drawn from them.

Means and standard deviations are rounded from the clinical literature and from the volumes that ACDC publishes per
group; nothing of a single patient is in them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np
from scipy.optimize import brentq

from nnunet_cardiac_ext.anatomy import MYOCARDIAL_DENSITY
from nnunet_cardiac_ext.phantoms.heart import Heart, HeartShape, Scar
from nnunet_cardiac_ext.phantoms.integrals import lv_volumes, rv_volume


@dataclass(frozen=True)
class Group:
    """What is typical of a diagnosis; pairs are mean and standard deviation.

    Attributes:
        lv: End-diastolic LV volume, ml.
        lv_ef: LV ejection fraction, %.
        rv: End-diastolic RV volume, ml.
        rv_ef: RV ejection fraction, %.
        mass_ratio: Mass of the LV myocardium over the end-diastolic LV volume, g/ml; drawn instead of the mass, since a
            large ventricle has a heavy wall.
        shortening: Descent of the mitral plane, mm.
        septal_bulge: Range of the septum's relative thickening.
        scar: Whether there is an infarct.
        flat_septum: Range of the septum's flattening (pressure in the RV).
    """

    lv: tuple[float, float]
    lv_ef: tuple[float, float]
    rv: tuple[float, float]
    rv_ef: tuple[float, float]
    mass_ratio: tuple[float, float]
    shortening: tuple[float, float]
    septal_bulge: tuple[float, float] = (-0.1, 0.1)
    scar: bool = False
    flat_septum: tuple[float, float] = (0.0, 0.02)


GROUPS: Mapping[str, Group] = MappingProxyType(
    {
        "NOR": Group((130, 28), (60, 5), (150, 35), (55, 7), (0.78, 0.12), (11.5, 2)),
        "DCM": Group((280, 40), (18, 6), (165, 60), (38, 15), (0.63, 0.06), (4.5, 1.5)),
        "HCM": Group((130, 33), (69, 8), (118, 35), (62, 8), (1.45, 0.24), (9, 2), septal_bulge=(0.1, 0.7)),
        "MINF": Group((180, 45), (31, 8), (120, 38), (53, 12), (0.7, 0.1), (6, 2), scar=True),
        "RV": Group((108, 35), (56, 8), (195, 45), (31, 8), (0.74, 0.13), (9.5, 2), flat_septum=(0.02, 0.07)),
    }
)


def draw_shape(group: Group, rng: np.random.Generator) -> HeartShape:
    """Draw volumes from a group and return a heart that has them.

    The LV volume, the muscle mass and both ejection fractions are met within 0.1 % where the anatomy allows (an
    ejection fraction that would need a wall to pass through the axis is lowered); the RV likewise.
    """
    lv = drawn(rng, group.lv)
    rv = drawn(rng, group.rv)
    muscle = lv * drawn(rng, group.mass_ratio) / MYOCARDIAL_DENSITY
    lv_left = 1 - drawn(rng, group.lv_ef) / 100
    rv_left = 1 - drawn(rng, group.rv_ef) / 100
    return fitted(_unfitted(group, lv, rv, muscle, rng), lv=(lv, lv * lv_left), rv=(rv, rv * rv_left), muscle=muscle)


def fitted(shape: HeartShape, *, lv: tuple[float, float], rv: tuple[float, float], muscle: float) -> HeartShape:
    """Give a shape the volumes asked for, as far as its anatomy allows.

    Args:
        shape: The shape; its `radius` is expected to be 1, the other fitted fields are starting values.
        lv: Volume of the LV cavity at end-diastole and at end-systole, ml.
        rv: Volume of the RV cavity likewise, ml.
        muscle: Volume of the LV myocardium at end-diastole, ml.

    Returns:
        The shape with `radius`, `wall`, `contraction`, `rv_depth` and `rv_contraction` solved for.
    """
    shape = replace(shape, radius=float(np.sqrt(lv[0] / lv_volumes(Heart(shape, 0))[0])))
    shape = _solve(shape, "wall", (2, 40), lambda s: _muscle(s) - muscle)
    shape = _solve(shape, "contraction", (0, 0.85), lambda s: _lv(s, 1) - lv[1])
    shape = _solve(shape, "rv_depth", (10, 90), lambda s: _rv(s, 0) - rv[0])
    return _solve(shape, "rv_contraction", (-0.4, 0.85), lambda s: _rv(s, 1) - rv[1])


def drawn(rng: np.random.Generator, mean_and_deviation: tuple[float, float]) -> float:
    """Draw from a normal distribution, cut at two deviations."""
    mean, deviation = mean_and_deviation
    return float(np.clip(rng.normal(mean, deviation), mean - 2 * deviation, mean + 2 * deviation))


def _unfitted(group: Group, lv: float, rv: float, muscle: float, rng: np.random.Generator) -> HeartShape:
    length = 15.6 * lv ** (1 / 3) * rng.uniform(0.92, 1.1)
    apex_wall = rng.uniform(2, 4.5)
    total = length + apex_wall
    rv_base = rng.uniform(-6, 10)
    flat = rng.uniform(*group.flat_septum)
    return HeartShape(
        length=length, radius=1.0, equator=rng.uniform(0.1, 0.3), wall=10.0, apex_wall=apex_wall,
        ripple=((rng.normal(0, 0.02) - flat, 0.0), (rng.normal(0, 0.015), rng.uniform(0, 6)),
                (rng.normal(0, 0.01), rng.uniform(0, 6))),
        septal_bulge=rng.uniform(*group.septal_bulge), outflow=rng.uniform(0.3, 1.0),
        scar=_draw_scar(rng) if group.scar else None,
        tilt=(rng.normal(0, 0.12), rng.normal(0, 0.12)), septum=drawn(rng, (np.pi, 0.4)),
        shortening=min(drawn(rng, group.shortening), 0.2 * length), contraction=0.3,
        compaction=rng.uniform(0.02, 0.18),
        rv_depth=35.0, rv_height=1.42 * (rv / (lv + muscle)) ** (1 / 3) * rng.uniform(0.88, 1.12),
        rv_length=total * rng.uniform(0.85, 1.05) - rv_base, rv_base=rv_base,
        rv_bend=rng.uniform(0.25, 0.5), rv_power=rng.uniform(1.5, 2.4), rv_skew=rng.uniform(-0.1, 0.35),
        rv_shortening=rng.uniform(1.0, 1.6) * group.shortening[0], rv_contraction=0.3,
        waves=tuple(_draw_wave(rng) for _ in range(4)),
    )  # fmt: skip


def _draw_wave(rng: np.random.Generator) -> tuple[float, float, float, float]:
    wavelength = rng.uniform(35, 110)
    return rng.uniform(0, np.pi), wavelength, wavelength * rng.uniform(0, 0.03), rng.uniform(0, 2 * np.pi)


def _draw_scar(rng: np.random.Generator) -> Scar:
    # The territories of the three coronary arteries: anteroseptal, inferior, lateral.
    angle, level = ((0.9, 0.7), (-1.6, 0.4), (2.9, 0.45))[rng.choice(3, p=(0.5, 0.3, 0.2))]
    return Scar(
        angle=angle + rng.normal(0, 0.2), width=rng.uniform(0.7, 1.3), level=level, extent=rng.uniform(0.25, 0.5),
        thinning=rng.uniform(0.15, 0.55), akinesia=rng.uniform(0.8, 1.0),
    )  # fmt: skip


def _solve(
    shape: HeartShape, field: str, bounds: tuple[float, float], excess: Callable[[HeartShape], float]
) -> HeartShape:
    def at(value: float) -> float:
        return excess(replace(shape, **{field: value}))  # type: ignore[arg-type]

    low, high = bounds
    at_low, at_high = at(low), at(high)
    if at_low * at_high >= 0:
        value = low if abs(at_low) < abs(at_high) else high
    else:
        value = float(brentq(at, low, high, rtol=2e-4))
    return replace(shape, **{field: value})  # type: ignore[arg-type]


def _lv(shape: HeartShape, phase: float) -> float:
    return lv_volumes(Heart(shape, phase))[0]


def _muscle(shape: HeartShape) -> float:
    return lv_volumes(Heart(shape, 0))[1]


def _rv(shape: HeartShape, phase: float) -> float:
    return rv_volume(Heart(shape, phase))
