"""Labels and soft label maps in one form: the share of each class in each voxel."""

from __future__ import annotations

import torch
from torch import Tensor

from nnunet_cardiac_ext.losses.targets import at_least_float32


def class_shares(target: Tensor, num_classes: int) -> Tensor:
    """Return the share of each class in each voxel, shape (B, num_classes, [D,] H, W), float32 or the target's float64.

    A voxel's shares sum to 1, or to 0 where it does not count.

    Args:
        target: Labels (B, 1, [D,] H, W), where a value that is no class (nnU-Net's ignore label is the one after the
            last) does not count; or shares (B, num_classes, [D,] H, W), which come back as they are.
        num_classes: Number of classes, at least 2.

    Raises:
        ValueError: Another number of channels.
    """
    if num_classes < 2 or target.shape[1] not in (1, num_classes):
        raise ValueError(f"expected a target of 1 or {num_classes} channels, two classes at least, got {target.shape}")
    shares = target
    if target.shape[1] == 1:
        classes = torch.arange(num_classes, device=target.device).reshape(-1, *[1] * (target.ndim - 2))
        shares = target == classes
    return at_least_float32(shares)


def log_probabilities(net_output: Tensor) -> Tensor:
    """Return the logarithm of the softmax over the channels, in float32 at least."""
    return torch.log_softmax(at_least_float32(net_output), dim=1)
