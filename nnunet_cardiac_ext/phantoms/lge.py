"""Late gadolinium enhancement (LGE): the signals of a phase-sensitive inversion recovery, and its image.

Minutes after the injection gadolinium has left healthy muscle and stays in dead muscle. An inversion pulse is timed so
that healthy muscle gives no signal; blood, fat and infarct are bright. The phase-sensitive image keeps the sign of the
signal: no signal is a middle grey, and where the inversion time was wrong the muscle is darker or brighter than that.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nnunet_cardiac_ext.phantoms.contrast import Contrast
from nnunet_cardiac_ext.phantoms.fields import blurred, smooth_noise

GREY_LEVELS = 4096


@dataclass(frozen=True)
class LgeContrast:
    """Signals relative to LV blood.

    Attributes:
        tissues: Those that every image has; its `muscle` is healthy myocardium.
        infarct: Infarct.
        no_reflow: No-reflow core.
        border: Width over which an infarct fades into healthy muscle, mm.
        patches: How far islands reach over that border, mm.
    """

    tissues: Contrast
    infarct: float
    no_reflow: float
    border: float
    patches: float


@dataclass(frozen=True)
class LgeScanner:
    """How a subject was imaged.

    Attributes:
        blood: Grey level of LV blood above no signal, as a share of the range above it.
        noise: Deviation of the noise at the heart, relative to LV blood.
        grain: Correlation of the noise, deviation in voxels: images are interpolated.
        blur: Point spread, deviation in voxels.
        coil: Position (x, y) of the coil, mm from the heart.
        reach: Distance over which the coil sees; beyond it the corrected image is noise.
        drift: Deviation of the remaining smooth bias.
        flare: How much of the coil's profile the correction leaves in the signal, 0 to 1.
    """

    blood: float
    noise: float
    grain: float
    blur: float
    coil: tuple[float, float]
    reach: float
    drift: float
    flare: float


def draw_lge_contrast(rng: np.random.Generator) -> LgeContrast:
    """Draw the signals of one subject; in most the inversion time was a little off, so that the muscle is not nulled.

    Ranges are those of real EMIDEC images, measured against their blood.
    """
    muscle = float(np.clip(rng.normal(0.4, 0.28), -0.45, 0.8))
    infarct = float(max(np.exp(rng.normal(0.06, 0.22)), muscle + 0.25))
    tissues = Contrast(
        muscle=muscle, rv_blood=float(np.clip(rng.normal(0.97, 0.06), 0.8, 1.1)), fat=rng.uniform(1.5, 2.7),
        lung=rng.uniform(-0.1, 0.2), liver=rng.uniform(0.4, 1.1), skeletal=rng.uniform(0.3, 0.9),
        vessel=rng.uniform(0.9, 1.3), blood_texture=rng.uniform(0.03, 0.09), tissue_texture=rng.uniform(0.06, 0.16),
    )  # fmt: skip
    return LgeContrast(
        tissues=tissues, infarct=infarct, no_reflow=muscle + (infarct - muscle) * rng.uniform(-0.3, 0.45),
        border=rng.uniform(1.5, 5), patches=rng.uniform(0.4, 1.6),
    )  # fmt: skip


def draw_lge_scanner(rng: np.random.Generator) -> LgeScanner:
    """Draw the imaging of one subject."""
    angle, distance = rng.normal(np.pi * 1.1, 0.5), rng.uniform(70, 120)
    return LgeScanner(
        blood=float(np.clip(np.exp(rng.normal(-1.35, 0.35)), 0.1, 0.45)),
        noise=float(np.exp(rng.uniform(np.log(0.03), np.log(0.1)))), grain=rng.uniform(0.45, 0.9),
        blur=rng.uniform(0.5, 0.9), coil=(distance * np.cos(angle), distance * np.sin(angle)),
        reach=rng.uniform(90, 180), drift=rng.uniform(0.03, 0.12),
        flare=rng.uniform(0.15, 0.6),
    )  # fmt: skip


def acquire_lge(
    scanner: LgeScanner, signal: np.ndarray, x: np.ndarray, y: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Image a signed signal.

    The reference image of the sequence takes the coil's sensitivity out of the signal, and so into the noise.

    Args:
        scanner: The imaging.
        signal: Signal relative to LV blood, (row, column).
        x: Positions of the voxels right of the heart, mm, (row, column).
        y: Positions below it, mm, (row, column).
        rng: Source of bias and noise.

    Returns:
        Grey levels from 1 to 4095 with no signal at 2048, float64, (row, column).
    """
    voxel = float(x[0, 1] - x[0, 0])
    near = np.hypot(*scanner.coil)
    distance = np.hypot(x - scanner.coil[0], y - scanner.coil[1])
    far = (scanner.reach**2 + distance**2) / (scanner.reach**2 + near**2)
    bias = far**-scanner.flare * np.exp(scanner.drift * smooth_noise(signal.shape, 60 / voxel, rng))
    noise = blurred(rng.standard_normal(signal.shape), scanner.grain)
    noise *= scanner.noise * far / noise.std()
    half = GREY_LEVELS / 2
    grey = half + (blurred(signal * bias, scanner.blur) + noise) * scanner.blood * half
    return np.clip(np.rint(grey), 1, GREY_LEVELS - 1)
