"""Tissue signals of balanced steady-state free precession (bSSFP) cine, drawn anew for every subject.

The blood of the left ventricle is 1. Fat has the opposite sign of water where the echo time puts them out of phase:
a voxel that holds both is dark, which draws the thin black line around the organs.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Contrast:
    """Signals relative to LV blood, and how they vary within a tissue.

    Attributes:
        muscle: Myocardium.
        rv_blood: Blood of the right heart.
        fat: Fat, negative where out of phase.
        lung: Lung.
        liver: Liver and spleen.
        skeletal: Muscle of the chest wall.
        vessel: Blood in lung vessels and the aorta.
        blood_texture: Deviation of the blood's signal by flow.
        tissue_texture: Deviation within solid tissues.
    """

    muscle: float
    rv_blood: float
    fat: float
    lung: float
    liver: float
    skeletal: float
    vessel: float
    blood_texture: float
    tissue_texture: float


def draw_bssfp(rng: np.random.Generator) -> Contrast:
    """Draw the signals of one subject."""
    muscle = 1 / np.clip(rng.normal(3.2, 0.7), 1.7, 5)
    sign = -1 if rng.random() < 0.8 else 1
    return Contrast(
        muscle=float(muscle), rv_blood=float(np.clip(rng.normal(0.78, 0.14), 0.4, 1.15)),
        fat=sign * rng.uniform(0.75, 1.6), lung=rng.uniform(0.04, 0.2), liver=float(muscle * rng.uniform(0.8, 1.8)),
        skeletal=float(muscle * rng.uniform(0.6, 1.2)), vessel=rng.uniform(0.7, 1.3),
        blood_texture=rng.uniform(0.05, 0.16), tissue_texture=rng.uniform(0.03, 0.1),
    )  # fmt: skip
