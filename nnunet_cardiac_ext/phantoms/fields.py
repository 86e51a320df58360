"""Smooth random fields and soft edges: the brushes that all phantoms are painted with."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

# Deviation that cubic B-splines leave of white noise in two dimensions: the integral of the squared spline.
_SPLINE_DEVIATION = 151 / 315


def soft(distance: np.ndarray, voxel: float) -> np.ndarray:
    """Share of a voxel inside a boundary, from the signed distance of its centre (positive inside); both in mm."""
    return np.clip(distance / voxel + 0.5, 0, 1)


def smooth_noise(shape: tuple[int, ...], scale: float, rng: np.random.Generator) -> np.ndarray:
    """Gaussian noise of mean 0 and deviation 1 that varies over `scale` array elements (last two axes).

    Args:
        shape: Shape of the field; axes before the last two are independent.
        scale: Correlation length in elements, at least 1.
        rng: Source of randomness.
    """
    rows, columns = shape[-2:]
    coarse = rng.standard_normal((*shape[:-2], int(rows / scale) + 4, int(columns / scale) + 4)).astype(np.float32)
    flat = coarse.reshape(-1, *coarse.shape[-2:])
    offset = rng.uniform(0, 1, 2)
    steps = [np.arange(size) / scale + 1 + start for size, start in zip((rows, columns), offset, strict=True)]
    fine = np.stack([_interpolated(plane, *steps) for plane in flat])
    return fine.reshape(shape) / _SPLINE_DEVIATION


def _interpolated(plane: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    # Cubic B-splines are separable. einsum, because BLAS would start threads that the other workers' cores pay for.
    half = np.einsum("ij,jk->ik", _spline_matrix(rows, plane.shape[0]), plane)
    return np.einsum("ij,kj->ik", half, _spline_matrix(columns, plane.shape[1]))


def _spline_matrix(positions: np.ndarray, count: int) -> np.ndarray:
    distance = np.abs(positions[:, None] - np.arange(count)[None])
    near = 2 / 3 - distance**2 + distance**3 / 2
    far = np.clip(2 - distance, 0, None) ** 3 / 6
    return np.where(distance < 1, near, far).astype(np.float32)


def blurred(image: np.ndarray, sigma: float) -> np.ndarray:
    """Blur the last two axes with a Gaussian of `sigma` elements."""
    return ndimage.gaussian_filter(image, sigma, axes=(-2, -1)) if sigma > 0 else image


def over(image: np.ndarray | float, signal: np.ndarray | float, share: np.ndarray) -> np.ndarray:
    """Paint `signal` over `image` where `share` is 1, mixed where it is between 0 and 1."""
    return image + (signal - image) * share
