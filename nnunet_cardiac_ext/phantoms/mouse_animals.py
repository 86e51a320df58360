"""Mice as distributions of volumes, and how an infarct remodels a mouse's heart over the weeks.

The parts that draw hearts know human sizes: of fat, papillary muscles, great vessels, outlines. A mouse's heart is a
tenth of a human's in each direction, so it is drawn ten times as large and its voxels are declared a tenth as large.
In these drawn lengths a millilitre stands for a microlitre, and a gram for a milligram.

Means and deviations are chosen after published cine MR of mice: healthy ones (end-diastolic volume 40 to 60 ul,
ejection fraction 55 to 72 %, myocardium 70 to 110 mg) and infarcted ones (ejection fraction 32 +- 6 % a day after
ligation of the left anterior descending artery; 92 +- 25 ul and 31 +- 10 % in a group at a later time).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np

from nnunet_cardiac_ext.anatomy import MYOCARDIAL_DENSITY
from nnunet_cardiac_ext.phantoms.groups import drawn, fitted
from nnunet_cardiac_ext.phantoms.heart import HeartShape, Scar

# Drawn length over true length.
MAGNIFICATION = 10.0


@dataclass(frozen=True)
class Stage:
    """What an infarct of average size has done by a time point.

    Attributes:
        lv: End-diastolic LV volume over that before the infarct.
        lv_ef: Ejection fraction over that before the infarct.
        muscle: Muscle volume over that before the infarct.
        thinning: Share of the wall lost in the middle of the infarct.
    """

    lv: float
    lv_ef: float
    muscle: float
    thinning: float


# Days after surgery; those of paper 000, and one between.
STAGES: Mapping[str, Stage | None] = MappingProxyType(
    {
        "pre": None,
        "day1": Stage(1.12, 0.58, 1.04, 0.08),
        "day7": Stage(1.45, 0.54, 0.96, 0.42),
        "day28": Stage(1.8, 0.48, 1.0, 0.6),
        "day56": Stage(2.05, 0.44, 1.05, 0.68),
    }
)
# Which are scanned where not all are: the infarct first.
_PREFERENCE = ("day7", "day56", "pre", "day1", "day28")
GROUPS = ("control", "MI")


@dataclass(frozen=True)
class Animal:
    """What stays the same in one mouse; volumes in drawn ml (true ul).

    Attributes:
        group: "control" or "MI".
        shape: The heart before surgery, its volumes not yet fitted.
        lv: End-diastolic LV volume.
        lv_ef: LV ejection fraction, 0 to 1.
        rv: End-diastolic RV volume.
        rv_ef: RV ejection fraction, 0 to 1.
        muscle: Volume of the LV myocardium.
        scar: Where the infarct will be, fully thinned; None in a control.
        severity: Size of the infarct's effect; 1 is average.
    """

    group: str
    shape: HeartShape
    lv: float
    lv_ef: float
    rv: float
    rv_ef: float
    muscle: float
    scar: Scar | None
    severity: float


def chosen_stages(count: int) -> list[str]:
    """Name the time points of a study that scans every animal `count` times (1 to 5), in the order of time."""
    return [name for name in STAGES if name in _PREFERENCE[:count]]


def draw_animal(group: str, rng: np.random.Generator) -> Animal:
    """Draw a mouse of a group."""
    lv = drawn(rng, (51, 7))
    muscle = drawn(rng, (88, 9)) / MYOCARDIAL_DENSITY
    return Animal(
        group=group, shape=_draw_shape(lv, rng), lv=lv, lv_ef=drawn(rng, (63, 3.8)) / 100, rv=drawn(rng, (42, 6)),
        rv_ef=drawn(rng, (60, 5)) / 100, muscle=muscle, scar=_draw_scar(rng) if group == "MI" else None,
        severity=float(rng.uniform(0.6, 1.25)),
    )  # fmt: skip


def shape_at(animal: Animal, time_point: str, rng: np.random.Generator) -> HeartShape:
    """Return the heart of a mouse at a time point, with its volumes.

    A control changes only by what differs between two scans of one animal. An infarct thins the wall, the ventricle
    dilates more than it lengthens, the ejection fraction falls; the mitral plane descends less.
    """
    stage = STAGES[time_point] if animal.scar is not None else None
    effect = Stage(1, 1, 1, 0) if stage is None else _scaled(stage, animal.severity)
    lv = animal.lv * effect.lv * rng.normal(1, 0.04)
    left = 1 - np.clip(animal.lv_ef * effect.lv_ef + rng.normal(0, 0.015), 0.12, 0.8)
    scar = None if stage is None or animal.scar is None else replace(animal.scar, thinning=effect.thinning)
    rv_left = 1 - animal.rv_ef * (1 if stage is None else 0.93)
    length = animal.shape.length * (lv / animal.lv) ** 0.26
    growth = length / animal.shape.length
    shape = replace(
        animal.shape, length=length, scar=scar, rv_length=animal.shape.rv_length * growth,
        shortening=animal.shape.shortening * effect.lv_ef**0.7, septum=animal.shape.septum + rng.normal(0, 0.12),
        tilt=(rng.normal(0, 0.1), rng.normal(0, 0.1)),
    )  # fmt: skip
    muscle = animal.muscle * effect.muscle * rng.normal(1, 0.02)
    return fitted(shape, lv=(lv, lv * left), rv=(animal.rv, animal.rv * rv_left), muscle=muscle)


def _scaled(stage: Stage, severity: float) -> Stage:
    return Stage(
        lv=1 + (stage.lv - 1) * severity,
        lv_ef=1 - (1 - stage.lv_ef) * severity**0.6,
        muscle=stage.muscle,
        thinning=min(0.75, stage.thinning * severity**0.5),
    )


def _draw_scar(rng: np.random.Generator) -> Scar:
    # Ligation of the LAD: the anterior and lateral wall from mid-ventricle to the apex.
    return Scar(
        angle=drawn(rng, (2.2, 0.25)), width=rng.uniform(1.1, 1.8), level=rng.uniform(0.65, 0.85),
        extent=rng.uniform(0.45, 0.7), thinning=0.0, akinesia=rng.uniform(0.9, 1.08),
    )  # fmt: skip


def _draw_shape(lv: float, rng: np.random.Generator) -> HeartShape:
    length = 17.2 * lv ** (1 / 3) * rng.uniform(0.94, 1.08)
    apex_wall = rng.uniform(6, 9)
    rv_base = rng.uniform(-5, 6)
    return HeartShape(
        length=length, radius=1.0, equator=rng.uniform(0.12, 0.32), wall=10.0, apex_wall=apex_wall,
        ripple=((rng.normal(0, 0.025), 0.0), (rng.normal(0, 0.015), rng.uniform(0, 6)),
                (rng.normal(0, 0.01), rng.uniform(0, 6))),
        septal_bulge=rng.uniform(-0.1, 0.08), outflow=rng.uniform(0.6, 1.0), scar=None,
        tilt=(0.0, 0.0), septum=drawn(rng, (np.pi, 0.35)), shortening=drawn(rng, (8, 1.5)), contraction=0.3,
        compaction=rng.uniform(0.0, 0.08), rv_depth=25.0, rv_height=rng.uniform(0.95, 1.15),
        rv_length=(length + apex_wall) * rng.uniform(0.75, 0.92) - rv_base, rv_base=rv_base,
        rv_bend=rng.uniform(0.35, 0.6), rv_power=rng.uniform(1.5, 2.2), rv_skew=rng.uniform(-0.1, 0.3),
        rv_shortening=drawn(rng, (9, 1.5)), rv_contraction=0.3, waves=tuple(_draw_wave(rng) for _ in range(3)),
    )  # fmt: skip


def _draw_wave(rng: np.random.Generator) -> tuple[float, float, float, float]:
    wavelength = rng.uniform(30, 90)
    return rng.uniform(0, np.pi), wavelength, wavelength * rng.uniform(0, 0.02), rng.uniform(0, 2 * np.pi)
