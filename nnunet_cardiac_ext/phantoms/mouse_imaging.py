"""Gradient-echo cine of a mouse at 11.7 T: contrast, coil, flow, and what the lung beside the heart does to the signal.

Lengths are drawn mm, ten times the true ones. The blood of the left ventricle is 1 in the middle of its variation.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from nnunet_cardiac_ext.phantoms.contrast import Contrast
from nnunet_cardiac_ext.phantoms.heart import Heart
from nnunet_cardiac_ext.phantoms.painting import ANGLES, Plane
from nnunet_cardiac_ext.phantoms.scanner import Scanner

# Outside the epicardium the lost signal comes back over this length.
_RECOVERY = 16.0


def draw_flash(rng: np.random.Generator) -> Contrast:
    """Draw the signals of one animal in spoiled gradient echo: fresh blood is bright, everything else grey or dark."""
    muscle = rng.uniform(0.34, 0.58)
    return Contrast(
        muscle=muscle, rv_blood=rng.uniform(0.8, 1.2), fat=muscle * rng.uniform(0.5, 1.1),
        lung=rng.uniform(0.015, 0.06), liver=muscle * rng.uniform(0.6, 1.0), skeletal=muscle * rng.uniform(0.5, 0.85),
        vessel=rng.uniform(0.8, 1.3), blood_texture=rng.uniform(0.06, 0.15), tissue_texture=rng.uniform(0.03, 0.08),
    )  # fmt: skip


def draw_mouse_scanner(front: float, rng: np.random.Generator) -> Scanner:
    """Draw the imaging of one scan: a coil near the chest wall (direction `front`, radians), strong noise."""
    angle, distance = front + rng.normal(0, 0.5), rng.uniform(60, 120)
    return Scanner(
        noise=float(np.exp(rng.uniform(np.log(0.045), np.log(0.12)))), blur=rng.uniform(0.6, 1.0),
        coil=(distance * np.cos(angle), distance * np.sin(angle)), reach=rng.uniform(60, 260),
        drift=rng.uniform(0.04, 0.14), level=float(np.exp(rng.normal(7.0, 0.4))), grain=rng.uniform(0.35, 0.7),
    )  # fmt: skip


@dataclass(frozen=True)
class Flow:
    """How the signal of blood varies over the heart beat and the ventricle.

    Attributes:
        gain: Variation over the cycle in the left and in the right ventricle.
        lag: When it is brightest, as a share of the cycle, left and right.
        jet: Signal lost in the mitral inflow of early diastole, 0 to 1.
        ejection: Signal lost under the aorta in mid-systole, 0 to 1.
        at: Position of the inflow relative to the radius, towards septum and anterior.
        stasis: Signal lost where blood lingers over an infarct, towards the apex.
    """

    gain: tuple[float, float]
    lag: tuple[float, float]
    jet: float
    ejection: float
    at: tuple[float, float]
    stasis: float

    def gains(self, moment: float) -> tuple[float, float]:
        """Relative signal of left and right ventricular blood at a moment of the cycle, 0 to 1."""
        turns = 2 * np.pi * (moment - np.array(self.lag))
        left, right = 1 + np.array(self.gain) * np.cos(turns)
        return float(left), float(right)

    def left(self, heart: Heart, plane: Plane, z: float, moment: float) -> np.ndarray:
        """Relative signal of the left ventricle's blood at every voxel of a plane at a moment of the cycle."""
        level = float(np.clip((z - heart.base) / heart.length, 0, 1))
        size = heart.shape.radius
        inflow = self.jet * np.exp(-(((moment - 0.5) / 0.09) ** 2)) * (1 - level)
        outflow = self.ejection * np.exp(-(((moment - 0.18) / 0.08) ** 2)) * np.clip(1 - 2.5 * level, 0, 1)
        lost = inflow * _blob(plane, self.at, 0.35, size) + outflow * _blob(plane, (0.45, 0.45), 0.3, size)
        slow = 0.0 if heart.shape.scar is None else self.stasis * heart.shape.scar.thinning * level**2
        return self.gains(moment)[0] * (1 - lost) * (1 - slow)


def draw_flow(rng: np.random.Generator) -> Flow:
    """Draw the flow of one scan."""
    return Flow(
        gain=(rng.uniform(0.03, 0.2), rng.uniform(0.03, 0.2)), lag=(rng.uniform(0.1, 0.5), rng.uniform(0.1, 0.5)),
        jet=rng.uniform(0.2, 0.9), ejection=rng.uniform(0.1, 0.8), at=(rng.normal(-0.15, 0.15), rng.normal(0, 0.2)),
        stasis=rng.uniform(0.1, 0.5),
    )  # fmt: skip


@dataclass(frozen=True)
class SignalLoss:
    """Loss by dephasing where the wall meets the lung: the epicardial border vanishes.

    Attributes:
        lobes: Angle (radians from the septum), half width, share of the wall's thickness that is reached, and signal
            lost (0 to 1) of each region.
        apical: How much stronger it is at the apex than at the base.
        edge: Softness of its inner border.
    """

    lobes: tuple[tuple[float, float, float, float], ...]
    apical: float
    edge: float

    def kept(self, heart: Heart, plane: Plane, z: float) -> np.ndarray | float:
        """Share of the signal that is left at every voxel of a plane; 1 beyond the heart's ends."""
        if not heart.base <= z < heart.lowest:
            return 1.0
        growth = 1 + self.apical * ((z - heart.base) / heart.length - 0.5)
        inner, outer = heart.endocardium(ANGLES, z), heart.epicardium(ANGLES, z)
        kept: np.ndarray | float = 1.0
        for angle, width, reach, lost in self.lobes:
            window = np.exp(-((((ANGLES - angle + np.pi) % (2 * np.pi) - np.pi) / width) ** 4))
            border = plane.around(outer - np.clip(reach * growth, 0, 1) * window * (outer - inner))
            depth = 1 / (1 + np.exp(np.clip((border - plane.radius) / self.edge, -30, 30)))
            outside = np.clip(1 - (plane.radius - plane.around(outer)) / _RECOVERY, 0, 1)
            kept = kept * (1 - np.clip(lost * growth, 0, 0.97) * plane.around(window) * depth * outside)
        return kept


def draw_signal_loss(rng: np.random.Generator) -> SignalLoss:
    """Draw the signal loss of one scan: the lateral wall at the lung, and a vein or lung lobe at the inferior wall."""
    lateral = (rng.normal(2.7, 0.4), rng.uniform(0.5, 1.2), rng.uniform(0.25, 0.85), rng.uniform(0.6, 0.97))
    inferior = (rng.normal(-2.0, 0.35), rng.uniform(0.2, 0.6), rng.uniform(0.1, 0.8), rng.uniform(0.3, 0.95))
    return SignalLoss((lateral, inferior), apical=rng.uniform(0.3, 1.4), edge=rng.uniform(0.8, 2.0))


def ghosted(signal: np.ndarray, strength: float, shift: int) -> np.ndarray:
    """Add the ghosts that pulsating blood and breathing leave along the rows, the phase-encoding direction.

    Args:
        signal: Signal (..., row, column).
        strength: Signal of the nearest ghosts relative to the blood.
        shift: Rows between a structure and its ghosts; the image wraps around.
    """
    pulsating = ndimage.gaussian_filter1d(np.clip(signal - 0.6, 0, None), 1.5, axis=-2)
    ghosts = np.zeros_like(signal)
    for order in (1, 2):
        both = np.roll(pulsating, order * shift, axis=-2) - np.roll(pulsating, -order * shift, axis=-2)
        ghosts += both / order
    return signal + 2 * strength * ghosts


def _blob(plane: Plane, at: tuple[float, float], width: float, size: float) -> np.ndarray:
    gap = np.hypot(plane.p / size - at[0], plane.q / size - at[1])
    return np.exp(-((gap / width) ** 2))
