"""The exact Euclidean distance transform of batches of masks, on the device where they are.

Written by hand because a loss needs it on the graphics card in every step: scipy's works on the processor alone, and
the libraries that have one for graphics cards (cupy, cucim) are no dependency here. On the processor scipy does it,
or, for small images in voxels, `integer_distances`.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage
from torch import Tensor

from nnunet_cardiac_ext.losses import integer_distances

METHODS = ("auto", "numpy", "scipy", "torch")

# float32 values that one step of the search in torch holds at a time: 256 MB on a graphics card, which keeps it busy;
# 4 MB on a processor, which stays in its cache (30 times faster than 256 MB, measured).
_LARGEST_STEP = 2**26
_LARGEST_STEP_ON_CPU = 2**20

# Voxels that one thread takes at a time: few enough for the cache, many enough that threads seldom meet.
_LARGEST_PART = 2**20


def euclidean_distance_transform(
    mask: Tensor, *, spacing: Sequence[float] | None = None, dims: int = 2, method: str = "auto"
) -> Tensor:
    """Return the distance of each voxel to the nearest true voxel.

    Args:
        mask: Boolean or 0/1, shape (B, C, [D,] H, W); each (B, C) is a mask of its own.
        spacing: Spacing of the last `dims` axes in their order; the distance is in its unit. None counts voxels.
        dims: 2 measures within each slice, 3 through the stack.
        method: "numpy" (on the processor, without spacing, images of up to about 100 voxels an edge), "scipy" (on the
            processor) or "torch" (on the tensor's device). "auto" takes the first of these that applies. All are
            exact. Those on the processor use as many threads as torch does.

    Returns:
        float32 of the mask's shape on its device, without a gradient: 0 on true voxels, infinite wherever the slice
        (`dims` = 2) or the stack (3) has no true voxel at all.

    Raises:
        ValueError: The shape has too few axes, `spacing`, `dims` or `method` is none of the above, or the method does
            not apply.
    """
    if dims not in (2, 3) or not dims + 2 <= mask.ndim <= 5:
        raise ValueError(f"expected (B, C, [D,] H, W) and dims 2 or 3 of it, got {tuple(mask.shape)}, dims {dims}")
    if spacing is not None and (len(spacing) != dims or min(spacing) <= 0):
        raise ValueError(f"expected {dims} positive spacings, got {spacing}")
    images = mask.detach().bool().flatten(0, mask.ndim - dims - 1)
    chosen = _chosen(method, images, spacing)
    if chosen == "torch":
        distances = _by_search(images, spacing or [1.0] * dims)
    else:
        distances = _on_processor(images, spacing, by_scipy=chosen == "scipy")
    return distances.reshape(mask.shape)


def _chosen(method: str, images: Tensor, spacing: Sequence[float] | None) -> str:
    small = spacing is None and integer_distances.fits(images.shape[1:])
    if method not in METHODS or (method == "numpy" and not small):
        raise ValueError(f"expected a method of {', '.join(METHODS)} that applies, got {method!r}")
    if method != "auto":
        return method
    if images.device.type != "cpu":
        return "torch"
    return "numpy" if small else "scipy"


@torch.compiler.disable
def _on_processor(images: Tensor, spacing: Sequence[float] | None, *, by_scipy: bool) -> Tensor:
    """Transform the images that have a true voxel, several threads at work on parts of them."""
    masks = images.cpu().numpy()
    distances = np.full(masks.shape, np.inf, dtype=np.float32)
    found = np.flatnonzero(masks.any(axis=tuple(range(1, masks.ndim))))
    workers = min(torch.get_num_threads(), os.cpu_count() or 1, len(found)) or 1
    at_most = max(1, _LARGEST_PART // max(1, math.prod(masks.shape[1:])))
    parts = np.array_split(found, max(workers, -(-len(found) // at_most)))
    transform = _by_scipy(spacing) if by_scipy else _by_steps

    def fill(part: NDArray[np.intp]) -> None:
        if len(part):
            distances[part] = transform(masks[part])

    if workers == 1:
        for part in parts:
            fill(part)
    else:
        with ThreadPoolExecutor(workers) as pool:
            list(pool.map(fill, parts))
    return torch.from_numpy(distances).to(images.device)


def _by_scipy(spacing: Sequence[float] | None) -> Callable[[NDArray[np.bool_]], NDArray[np.float32]]:
    def transform(masks: NDArray[np.bool_]) -> NDArray[np.float32]:
        distances = [ndimage.distance_transform_edt(~mask, sampling=spacing) for mask in masks]
        return np.asarray(distances, dtype=np.float32)

    return transform


def _by_steps(masks: NDArray[np.bool_]) -> NDArray[np.float32]:
    return np.sqrt(integer_distances.squared_distances(masks), dtype=np.float32)


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
    """Minimum over i of squared[..., i, ...] + (step (j - i))^2 for each j, some lines at a time."""
    moved = squared.movedim(dim, -1)
    length = moved.shape[-1]
    lines = moved.reshape(-1, 1, length)
    position = torch.arange(length, device=squared.device, dtype=torch.float32) * step
    between = (position[:, None] - position[None]).square()
    largest = _LARGEST_STEP_ON_CPU if squared.device.type == "cpu" else _LARGEST_STEP
    at_once = max(1, largest // max(1, length**2))
    least = torch.cat([(part + between).amin(dim=-1) for part in lines.split(at_once)])
    return least.reshape(moved.shape).movedim(-1, dim)
