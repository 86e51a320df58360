"""Whole stacks through a classifier-guided network: all slices at once, in the plane tiled as nnU-Net does."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterator

import torch
from acvl_utils.cropping_and_padding.padding import pad_nd_image
from nnunetv2.inference.sliding_window_prediction import compute_gaussian, compute_steps_for_sliding_window
from torch import Tensor

from inference_pipelines.tiling import GAUSSIAN_PEAK, GAUSSIAN_WIDTH, Window
from nnunet_cardiac_ext.architectures.all_slice_fusion import as_stacks
from nnunet_cardiac_ext.architectures.classifier_guided import ClassifierGuidedNet
from nnunet_cardiac_ext.architectures.slice_transformer import spread
from nnunet_cardiac_ext.errors import WorkError


@torch.no_grad()
def examine_stacks(network: ClassifierGuidedNet, images: Tensor, window: Window) -> tuple[Tensor, Tensor]:
    """Predict what stacks hold, and where, without letting the one decide on the other yet.

    Args:
        network: With a classifier; on its device, in evaluation mode.
        images: Preprocessed images (stack, channel, slice, row, column); smaller ones than a tile are padded with 0.
        window: Tiles of the plane, mirrored copies of the plane, and how many stacks go through the network at once.

    Returns:
        Logits of the last stage (stack, class, slice, row, column), of which no structure is taken away: the mean over
        mirrored copies and tiles with nnU-Net's weights. And the probability of each structure's presence (stack,
        slice, structure): the mean over the copies of the largest among the tiles, 0 in empty slices. Both float32, on
        the network's device.

    Raises:
        WorkError: One stack does not fit into the device's memory.
    """
    device = next(network.parameters()).device
    padded, inside = pad_nd_image(images, window.patch_size, "constant", {"value": 0}, True, None)
    padded = padded.to(device)
    weights = compute_gaussian(
        window.patch_size, sigma_scale=GAUSSIAN_WIDTH, value_scaling_factor=GAUSSIAN_PEAK, device=device
    ).float()
    total, presence, weight = None, None, torch.zeros(padded.shape[3:], device=device)
    for rows, columns in _tiles(padded, window):
        logits, there = _mirrored(network, padded[..., rows, columns], window)
        if total is None or presence is None:
            total = torch.zeros((*logits.shape[:3], *padded.shape[3:]), device=device)
            presence = torch.zeros_like(there)
        total[..., rows, columns] += logits * weights
        weight[rows, columns] += weights
        presence = torch.maximum(presence, there)
    assert total is not None
    assert presence is not None
    return (total / weight)[..., inside[3], inside[4]], presence.mean(dim=0)


def _tiles(padded: Tensor, window: Window) -> Iterator[tuple[slice, slice]]:
    starts = compute_steps_for_sliding_window(tuple(padded.shape[3:]), window.patch_size, window.step_size)
    rows, columns = window.patch_size
    for row, column in itertools.product(*starts):
        yield slice(row, row + rows), slice(column, column + columns)


def _mirrored(network: ClassifierGuidedNet, tiles: Tensor, window: Window) -> tuple[Tensor, Tensor]:
    """Return the mean logits (stack, class, slice, row, column) and the presence (copy, stack, slice, structure)."""
    # The window's axes are those of single slices (batch, class, row, column).
    flips = [tuple(axis + 1 for axis in axes) for axes in window.flips]
    copies = torch.cat([tiles.flip(axes) for axes in flips])
    logits, presence = _examined(network, copies, window.batch_size)
    back = [stacks.flip(axes) for axes, stacks in zip(flips, logits.split(len(tiles)), strict=True)]
    return torch.stack(back).mean(dim=0), presence.unflatten(0, (len(flips), len(tiles)))


def _examined(network: ClassifierGuidedNet, stacks: Tensor, batch_size: int) -> tuple[Tensor, Tensor]:
    """Return logits (stack, class, slice, row, column) and presence (stack, slice, structure)."""
    autocast = torch.autocast("cuda") if stacks.device.type == "cuda" else contextlib.nullcontext()
    try:
        with autocast:
            parts = [network.examine(part) for part in stacks.split(batch_size)]
    except torch.OutOfMemoryError as error:
        if batch_size == 1:
            raise WorkError("one stack does not fit into the device's memory; use -device cpu") from error
        torch.cuda.empty_cache()
        return _examined(network, stacks, batch_size // 2)
    logits = [as_stacks(part.stages[-1].float(), part.real) for part in parts]
    presence = [spread(_probabilities(part.presence), part.real) for part in parts]
    return torch.cat(logits), torch.cat(presence)


def _probabilities(presence: Tensor | None) -> Tensor:
    assert presence is not None
    return presence.float().sigmoid()
