"""From a signed signal to a magnitude image: coil, point spread, noise, grey levels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nnunet_cardiac_ext.phantoms.fields import blurred, smooth_noise


@dataclass(frozen=True)
class Scanner:
    """How a subject was imaged.

    Attributes:
        noise: Deviation of the noise in each channel, relative to LV blood.
        blur: Point spread, deviation in voxels.
        coil: Position (x, y) of the surface coil, mm from the heart.
        reach: Distance over which the coil's sensitivity halves, mm.
        drift: Deviation of the remaining smooth bias.
        level: Grey value of LV blood.
        grain: Correlation of the noise between neighbours, deviation in voxels: images interpolated to a finer grid.
    """

    noise: float
    blur: float
    coil: tuple[float, float]
    reach: float
    drift: float
    level: float
    grain: float = 0.0


def draw_scanner(rng: np.random.Generator) -> Scanner:
    """Draw the imaging of one subject."""
    angle = rng.normal(np.pi * 1.1, 0.9)
    distance = rng.uniform(75, 140)
    return Scanner(
        noise=float(np.exp(rng.uniform(np.log(0.008), np.log(0.05)))), blur=rng.uniform(0.35, 0.85),
        coil=(distance * np.cos(angle), distance * np.sin(angle)), reach=rng.uniform(80, 320),
        drift=rng.uniform(0.02, 0.12), level=float(np.exp(rng.normal(5.1, 0.5))),
    )  # fmt: skip


def coil_sensitivity(scanner: Scanner, x: np.ndarray, y: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Sensitivity (row, column), 1 at the heart: it falls with the distance from the coil and drifts smoothly."""
    near = np.hypot(*scanner.coil)
    distance = np.hypot(x - scanner.coil[0], y - scanner.coil[1])
    fall = (scanner.reach**2 + near**2) / (scanner.reach**2 + distance**2)
    voxel = float(x[0, 1] - x[0, 0])
    return fall * np.exp(scanner.drift * smooth_noise(x.shape, 70 / voxel, rng))


def acquire(scanner: Scanner, signal: np.ndarray, sensitivity: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Image a signed signal.

    Args:
        scanner: The imaging.
        signal: Signal relative to LV blood, (..., row, column).
        sensitivity: The coil's, broadcast against `signal`.
        rng: Source of the noise.

    Returns:
        Rician magnitude in grey levels, int16, of the shape of `signal`.
    """
    seen = blurred(signal * sensitivity, scanner.blur).astype(np.float32)
    channels = _noise((2, *signal.shape), scanner.grain, rng) * np.float32(scanner.noise)
    magnitude = np.hypot(seen + channels[0], channels[1])
    return np.clip(np.rint(magnitude * scanner.level), 0, 32767).astype(np.int16)


def _noise(shape: tuple[int, ...], grain: float, rng: np.random.Generator) -> np.ndarray:
    """Gaussian noise of deviation 1, blurred over `grain` voxels."""
    white = rng.standard_normal(shape, dtype=np.float32)
    if grain == 0:
        return white
    soft = blurred(white, grain)
    return soft / np.float32(soft.std())
