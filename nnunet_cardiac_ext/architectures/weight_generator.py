"""The network of paper 001 that makes the class weights of a cross-entropy from the image, in training only."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

# Channels after each of the first five convolutions; the sixth has one per class. The paper gives no widths.
FEATURES = (8, 16, 32, 32, 32)
_CONVOLUTIONS = {2: nn.Conv2d, 3: nn.Conv3d}


class WeightGenerator(nn.Module):
    """Six convolutions and a mean over the voxels: from an image to one weight per class.

    Zhou et al., *Anatomy Prior Based U-net for Pathology Segmentation with Attention*, STACOM 2020, section 2. The
    first five convolutions halve the image and are followed by a normalisation over the image and a leaky ReLU. The
    sixth starts at zero, so that every weight starts at 1 and the loss as the plain cross-entropy. Any size goes
    through.

    Args:
        input_channels: Channels of the image.
        num_classes: Number of weights, the background's among them.
        dims: 2 or 3, the dimensions of the image.
        mean_one: True: the weights of an image have mean 1 (softmax times the number of classes), so that a class can
            only weigh less where another weighs more. False: each is any number above 0 (softplus).
        features: Channels after each convolution but the last.
    """

    def __init__(
        self,
        input_channels: int,
        num_classes: int,
        *,
        dims: int = 2,
        mean_one: bool = True,
        features: Sequence[int] = FEATURES,
    ) -> None:
        super().__init__()
        convolution = _CONVOLUTIONS[dims]
        self.mean_one = mean_one
        self.num_classes = num_classes
        self.layers = nn.Sequential(
            *(
                nn.Sequential(
                    convolution(before, after, 3, stride=2, padding=1),
                    # Over all channels: a small image ends as a single voxel, of which no channel has a variance.
                    nn.GroupNorm(1, after),
                    nn.LeakyReLU(inplace=True),
                )
                for before, after in pairwise((input_channels, *features))
            )
        )
        self.head = convolution(features[-1], num_classes, 3, padding=1)
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)

    def forward(self, image: Tensor) -> Tensor:
        """Return the weights, all above 0, float32, shape (B, num_classes).

        Args:
            image: Shape (B, input_channels, [D,] H, W).
        """
        scores = self.head(self.layers(image)).flatten(2).mean(dim=-1).float()
        if self.mean_one:
            return self.num_classes * torch.softmax(scores, dim=1)
        return functional.softplus(scores) / math.log(2)
