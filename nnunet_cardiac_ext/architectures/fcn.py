"""A fully convolutional network for the heart, a comparator of paper 000's Table I."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from torch import Tensor, nn

from nnunet_cardiac_ext.architectures.blocks import Layers, cropped_like, he_initialize
from nnunet_cardiac_ext.errors import UsageError


class FullyConvolutionalNetwork(nn.Module):
    """An encoder whose levels each score the classes; the scores are enlarged step by step and averaged.

    Tran, *A Fully Convolutional Neural Network for Cardiac Segmentation in Short-Axis MRI*, arXiv 1604.00494, 2016,
    with the fifteen convolutions (three of 64 channels, four each of 128, 256 and 512) in 3-D where the plans are.
    Each is followed by ReLU and by a normalisation of each channel of each image; dropout before and after the deepest
    level. Other than there, borders are padded and pooling windows do not overlap, so that the sizes fit. Any size
    goes through.

    Args:
        input_channels: Channels of the image.
        num_classes: Channels of the output.
        deep_supervision: Not possible; here because nnU-Net names it.
        features_per_stage: Channels of each level, finest first.
        strides: For each level by how much it is smaller than the one before, per axis; ones for the first.
        kernel_sizes: Kernels, per level and axis, odd.
        n_conv_per_stage: Convolutions of each level.
        n_stages: Number of levels, where nnU-Net's plans name it.
        conv_op: `nn.Conv3d` or `nn.Conv2d`.
        conv_bias: Whether the convolutions have a bias.
        norm_op: "batch", "instance" or a class.
        norm_op_kwargs: Further arguments of the normalisation.
        dropout: Share of features that training leaves out.

    Raises:
        UsageError: `deep_supervision`, or lists of different lengths.
    """

    def __init__(
        self,
        input_channels: int,
        num_classes: int,
        deep_supervision: bool = False,
        *,
        features_per_stage: Sequence[int],
        strides: Sequence[Sequence[int]],
        kernel_sizes: Sequence[Sequence[int]],
        n_conv_per_stage: Sequence[int],
        n_stages: int | None = None,
        conv_op: type[nn.Module] = nn.Conv3d,
        conv_bias: bool = True,
        norm_op: str | type[nn.Module] = "instance",
        norm_op_kwargs: Mapping[str, Any] | None = None,
        dropout: float = 0.5,
    ) -> None:
        super().__init__()
        if deep_supervision:
            raise UsageError("deep_supervision: expected false, the fully convolutional network has a single output")
        count = len(features_per_stage)
        if {n_stages or count, len(strides), len(kernel_sizes), len(n_conv_per_stage)} != {count}:
            raise UsageError("FullyConvolutionalNetwork: expected widths, strides, kernels and numbers for all levels")
        layers = Layers(conv_op, norm_op, norm_op_kwargs, conv_bias=conv_bias)
        plan = zip(pairwise([input_channels, *features_per_stage]), kernel_sizes, n_conv_per_stage, strict=True)
        self.levels = nn.ModuleList(_level(layers, *pair, kernel, number) for pair, kernel, number in plan)
        self.poolings = nn.ModuleList(layers.pooling(stride) for stride in strides[1:])
        self.dropout = nn.Dropout(dropout)
        self.decoder = ScoreFusion(layers, features_per_stage, strides, num_classes)

    def forward(self, image: Tensor) -> Tensor:
        """Return logits, shape (B, num_classes, [D,] H, W).

        Args:
            image: Shape (B, input_channels, [D,] H, W).
        """
        features = [self.levels[0](image)]
        for pooling, level in zip(self.poolings[:-1], self.levels[1:-1], strict=True):
            features.append(level(pooling(features[-1])))
        deepest = self.levels[-1](self.dropout(self.poolings[-1](features[-1])))
        return self.decoder([*features, self.dropout(deepest)])

    initialize = staticmethod(he_initialize)


class ScoreFusion(nn.Module):
    """Scores of each level, each averaged with those of the level below, enlarged by a transposed convolution."""

    def __init__(
        self, layers: Layers, features: Sequence[int], strides: Sequence[Sequence[int]], num_classes: int
    ) -> None:
        super().__init__()
        self.scores = nn.ModuleList(layers.point(width, num_classes) for width in features)
        self.upsamplings = nn.ModuleList(layers.upsampling(num_classes, num_classes, stride) for stride in strides[1:])

    def forward(self, features: Sequence[Tensor]) -> Tensor:
        """Return the logits of the finest level.

        Args:
            features: Those of all levels, finest first.
        """
        scores = [score(level) for score, level in zip(self.scores, features, strict=True)]
        fused = scores.pop()
        for score, upsampling in zip(reversed(scores), reversed(self.upsamplings), strict=True):
            fused = (score + cropped_like(upsampling(fused), score)) / 2
        return fused


def _level(layers: Layers, channels: int, features: int, kernel_size: Sequence[int], number: int) -> nn.Sequential:
    widths = [channels] + [features] * number
    return nn.Sequential(
        *(
            module
            for before, after in pairwise(widths)
            for module in (
                layers.plain(before, after, kernel_size, bias=layers.conv_bias),
                nn.ReLU(inplace=True),
                layers.norm(after),
            )
        )
    )
