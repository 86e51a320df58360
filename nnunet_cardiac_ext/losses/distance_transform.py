"""The exact Euclidean distance transform of batches of masks, on the device where they are.

Written by hand because a loss needs it on the graphics card in every step: scipy's works on the processor alone, and
the libraries that have one for graphics cards (cupy, cucim) are no dependency here. On the processor scipy does it.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch
from scipy import ndimage
from torch import Tensor

# Largest number of float32 values that one step of the search holds at a time: 256 MB.
_LARGEST_STEP = 2**26


def euclidean_distance_transform(
    mask: Tensor, *, spacing: Sequence[float] | None = None, dims: int = 2, method: str = "auto"
) -> Tensor:
    """Return the distance of each voxel to the nearest true voxel.

    Args:
        mask: Boolean or 0/1, shape (B, C, [D,] H, W); each (B, C) is a mask of its own.
        spacing: Spacing of the last `dims` axes in their order; the distance is in its unit. None counts voxels.
        dims: 2 measures within each slice, 3 through the stack.
        method: "auto" takes scipy for tensors on the processor and the search in torch on other devices; "scipy" and
            "torch" ask for one. Both are exact.

    Returns:
        float32 of the mask's shape on its device, without a gradient: 0 on true voxels, infinite wherever the slice
        (`dims` = 2) or the stack (3) has no true voxel at all.

    Raises:
        ValueError: The shape has too few axes, or `spacing`, `dims` or `method` is none of the above.
    """
    if dims not in (2, 3) or not dims + 2 <= mask.ndim <= 5:
        raise ValueError(f"expected (B, C, [D,] H, W) and dims 2 or 3 of it, got {tuple(mask.shape)}, dims {dims}")
    if method not in ("auto", "scipy", "torch"):
        raise ValueError(f"expected the method auto, scipy or torch, got {method!r}")
    steps = [1.0] * dims if spacing is None else [float(value) for value in spacing]
    if len(steps) != dims or min(steps) <= 0:
        raise ValueError(f"expected {dims} positive spacings, got {spacing}")
    images = mask.detach().bool().reshape(-1, *mask.shape[mask.ndim - dims :])
    if method == "scipy" or (method == "auto" and mask.device.type == "cpu"):
        distances = _by_scipy(images, steps)
    else:
        distances = _by_search(images, steps)
    return distances.reshape(mask.shape)


def _by_scipy(images: Tensor, spacing: Sequence[float]) -> Tensor:
    masks = images.cpu().numpy()
    distances = np.full(masks.shape, np.inf, dtype=np.float32)

    def transform(index: int) -> None:
        if masks[index].any():
            distances[index] = ndimage.distance_transform_edt(~masks[index], sampling=spacing)

    workers = min(torch.get_num_threads(), os.cpu_count() or 1, len(masks)) or 1
    if workers == 1:
        for index in range(len(masks)):
            transform(index)
    else:
        with ThreadPoolExecutor(workers) as pool:
            list(pool.map(transform, range(len(masks)), chunksize=max(1, len(masks) // (4 * workers))))
    return torch.from_numpy(distances).to(images.device)


def _by_search(images: Tensor, spacing: Sequence[float]) -> Tensor:
    """Squared distance along the last axis, then for each other axis the least over it plus its own squared distance.

    The squared Euclidean distance is separable in this way (Saito and Toriwaki, Pattern Recognition 27, 1994).
    """
    squared = (_along_last_axis(images) * spacing[-1]).square()
    for axis in range(len(spacing) - 2, -1, -1):
        squared = _least_over(squared, dim=axis + 1, step=spacing[axis])
    return squared.sqrt()


def _along_last_axis(images: Tensor) -> Tensor:
    """Distance in voxels to the nearest true voxel in the same row."""
    length = images.shape[-1]
    position = torch.arange(length, device=images.device, dtype=torch.float32).expand(images.shape)
    nowhere = torch.full((), torch.inf, device=images.device)
    before = torch.where(images, position, -nowhere).cummax(dim=-1).values
    after = torch.where(images, position, nowhere).flip(-1).cummin(dim=-1).values.flip(-1)
    return torch.minimum(position - before, after - position)


def _least_over(squared: Tensor, *, dim: int, step: float) -> Tensor:
    """Minimum over i of squared[..., i, ...] + (step (j - i))^2 for each j, a few j at a time."""
    lines = squared.movedim(dim, -1)
    length = lines.shape[-1]
    position = torch.arange(length, device=squared.device, dtype=torch.float32) * step
    between = (position[:, None] - position[None]).square()
    rows = max(1, _LARGEST_STEP // max(1, lines.numel()))
    least = [
        (lines[..., None, :] + between[start : start + rows]).amin(dim=-1) for start in range(0, length, rows)
    ]  # fmt: skip
    return torch.cat(least, dim=-1).movedim(-1, dim)
