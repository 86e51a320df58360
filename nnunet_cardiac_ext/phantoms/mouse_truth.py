"""What is true of a mouse phantom: volumes, wall thickness and infarct, by quadrature of the continuous heart."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nnunet_cardiac_ext.anatomy import MYOCARDIAL_DENSITY
from nnunet_cardiac_ext.phantoms.heart import Heart
from nnunet_cardiac_ext.phantoms.integrals import Volumes, sliced_volumes
from nnunet_cardiac_ext.phantoms.mouse_animals import MAGNIFICATION
from nnunet_cardiac_ext.phantoms.mouse_scan import Scan

_ANGLES = (np.arange(720) + 0.5) / 720 * 2 * np.pi
_LEVELS = 96
# Below the outflow tract, where the wall is open, and above the cap of the apex, where a radius says little of the
# wall: the levels (0 base to 1 apex) between which the wall is measured.
_MEASURED = (0.2, 0.9)
# A scar's strength above which the wall counts as infarct, and below which it counts as remote.
_INFARCT, _REMOTE = 0.5, 0.05


@dataclass(frozen=True)
class Truth:
    """What a perfect reader would measure in one scan.

    Volumes sum the areas in the middle of each slice times the slice spacing. Papillary muscles and trabeculae count
    as cavity, as paper 000 drew its contours.

    Attributes:
        scan: Name of the scan: animal and time point.
        animal: Name of the mouse.
        time_point: When it was scanned: pre, or days after surgery.
        group: "control" or "MI" (infarct after `pre`).
        slices: Slices of the stack.
        base_first: Whether the first slice is the one at the base.
        frames: Frames of the cycle.
        es_frame: End-systolic frame, from 0; end-diastole is frame 0.
        myo_ed_mm3: End-diastolic volume of the LV myocardium, mm3.
        myo_es_mm3: End-systolic volume of the LV myocardium, mm3.
        mass_mg: End-diastolic mass of the LV myocardium, mg (1.05 mg/mm3).
        lv_ed_ul: End-diastolic volume of the LV cavity, ul.
        lv_es_ul: End-systolic volume of the LV cavity, ul.
        lv_ef: LV ejection fraction, %.
        min_wall_mm: Least end-diastolic wall thickness between 20 and 90 % of the cavity's length, along rays from the
            axis in the short-axis plane, mm.
        thinning_index: `min_wall_mm` over the mean thickness of the wall without infarct, at the same levels.
        infarct_percent: Share of the wall's middle surface that is infarct, from the mitral plane to the apex, %; 0 in
            a heart without one.
    """

    scan: str
    animal: str
    time_point: str
    group: str
    slices: int
    base_first: bool
    frames: int
    es_frame: int
    myo_ed_mm3: float
    myo_es_mm3: float
    mass_mg: float
    lv_ed_ul: float
    lv_es_ul: float
    lv_ef: float
    min_wall_mm: float
    thinning_index: float
    infarct_percent: float


def true_values(scan: Scan, animal: str) -> Truth:
    """Compute the truth of a scan of an animal of this name."""
    diastole, systole = (true_volumes(scan, frame) for frame in (0, scan.systole))
    thinnest, index = wall_thickness(scan.heart(0))
    return Truth(
        scan=f"{animal}_{scan.time_point}", animal=animal, time_point=scan.time_point, group=scan.animal.group,
        slices=len(scan.stack.depths), base_first=not scan.apex_first, frames=scan.frames, es_frame=scan.systole,
        myo_ed_mm3=diastole.myocardium, myo_es_mm3=systole.myocardium,
        mass_mg=diastole.myocardium * MYOCARDIAL_DENSITY, lv_ed_ul=diastole.lv, lv_es_ul=systole.lv,
        lv_ef=(diastole.lv - systole.lv) / diastole.lv * 100, min_wall_mm=thinnest, thinning_index=index,
        infarct_percent=infarct_percent(scan.heart(0)),
    )  # fmt: skip


def true_volumes(scan: Scan, frame: int) -> Volumes:
    """Volumes of a frame (from 0) in ul; hearts are drawn ten times as large, so what is drawn as ml is ul."""
    return sliced_volumes(scan.heart(frame), scan.stack.depths, scan.stack.spacing)


def wall_thickness(heart: Heart) -> tuple[float, float]:
    """Return the least wall thickness in true mm, and its ratio to the mean thickness outside an infarct."""
    u = np.linspace(*_MEASURED, _LEVELS)[:, None]
    z = heart.base + u * heart.length
    wall = (heart.epicardium(_ANGLES, z) - heart.endocardium(_ANGLES, z)) / MAGNIFICATION
    scar = heart.shape.scar
    remote = wall if scar is None else wall[scar.strength(_ANGLES, u) < _REMOTE]
    return float(wall.min()), float(wall.min() / remote.mean())


def infarct_percent(heart: Heart) -> float:
    """Return the share of the surface midway between endocardium and epicardium that is infarct, %."""
    scar = heart.shape.scar
    if scar is None:
        return 0.0
    u = ((np.arange(_LEVELS) + 0.5) / _LEVELS)[:, None]
    z = heart.base + u * heart.length
    middle = (heart.epicardium(_ANGLES, z) + heart.endocardium(_ANGLES, z)) / 2
    # Rings of equal height: a slanted wall counts as the cylinder that it projects to.
    return float(middle[scar.strength(_ANGLES, u) > _INFARCT].sum() / middle.sum() * 100)
