"""The selective-kernel unit: each channel chooses, slice by slice, between a small and a large neighbourhood.

Li et al., *Selective Kernel Networks* (CVPR 2019), the unit that paper 004 puts into its U-Nets.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from nnunet_cardiac_ext.architectures.blocks import Layers

# Dilation of each branch: 3x3, and 3x3 spread out to 5x5.
DILATIONS = (1, 2)
# The squeezed vector has C / 16 numbers, but not fewer than 32.
REDUCTION, SMALLEST = 16, 32


class SelectiveKernel(nn.Module):
    """Two convolution blocks of different reach, mixed channel by channel.

    With A and B the blocks' outputs, s is the mean of A + B over the pixels, and the output is a * A + b * B where
    (a, b) is the softmax over the branches of a two-layer perceptron of s. The original normalises the hidden layer
    over the batch; here it is not normalised, since a batch may be a single slice.

    Args:
        layers: Builds the convolution blocks.
        channels: Channels of the input.
        features: Channels of the output.
        kernel_size: Kernel of both branches, odd.
        dilations: Dilation of each branch.
    """

    def __init__(
        self,
        layers: Layers,
        channels: int,
        features: int,
        kernel_size: Sequence[int],
        *,
        dilations: Sequence[int] = DILATIONS,
    ) -> None:
        super().__init__()
        self.branches = nn.ModuleList(layers.dilated(channels, features, kernel_size, step) for step in dilations)
        hidden = max(features // REDUCTION, SMALLEST)
        self.choice = nn.Sequential(
            nn.Linear(features, hidden, bias=False),
            nn.ReLU(inplace=True),
            nn.Linear(hidden, len(dilations) * features, bias=False),
        )

    def forward(self, maps: Tensor) -> Tensor:
        """Return the mixture, shape (B, features, ...) of the input's size.

        Args:
            maps: Shape (B, channels, [slice,] row, column).
        """
        answers = [branch(maps) for branch in self.branches]
        weights = self.weights(functools.reduce(torch.add, answers))
        weighted = (weight * answer for weight, answer in zip(weights, answers, strict=True))
        return functools.reduce(torch.add, weighted)

    def weights(self, total: Tensor) -> list[Tensor]:
        """Return the weight of each branch, shape (B, features, 1, ...); they sum to 1 in each channel.

        Args:
            total: Sum of the branches' outputs.
        """
        scores = self.choice(total.flatten(2).mean(dim=2)).unflatten(1, (len(self.branches), -1))
        weights = scores.softmax(dim=1)
        return [weight.reshape(*weight.shape, *[1] * (total.ndim - 2)) for weight in weights.unbind(dim=1)]
