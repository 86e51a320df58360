"""Several networks, nnU-Net's folds, over the slices of stacks: the mean of their logits."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

from inference_pipelines.tiling import Window, predict_slices
from nnunet_cardiac_ext.errors import WorkError


@torch.no_grad()
def ensemble_logits(
    networks: Sequence[nn.Module], stacks: Sequence[torch.Tensor], window: Window, *, classes: int
) -> list[torch.Tensor]:
    """Predict all slices of preprocessed stacks by several networks: the mean of their logits.

    Args:
        networks: Each gives logits (batch, class, row, column) of images (batch, channel, row, column).
        stacks: Preprocessed images (channel, slice, row, column) of any sizes; may have no slice.
        window: The tiling.
        classes: Number of output channels of the networks.

    Returns:
        For each stack logits (class, slice, row, column) on the CPU in half precision, as nnU-Net has them.

    Raises:
        WorkError: The stacks do not fit into the device's memory, or the logits are not finite.
    """
    try:
        folds = [
            [logits.cpu() for logits in predict_slices(network, stacks, window, classes=classes)]
            for network in networks
        ]
    except torch.OutOfMemoryError as error:
        raise WorkError("the stack does not fit into the device's memory; use -device cpu") from error
    return [_mean(answers) for answers in zip(*folds, strict=True)]


def _mean(logits: Sequence[torch.Tensor]) -> torch.Tensor:
    total = logits[0]
    for other in logits[1:]:
        total += other
    return total / len(logits) if len(logits) > 1 else total
