"""The U-Net of the plans with an attention map on every block: paper 001, 2-D and 3-D.

Zhou et al., *Anatomy Prior Based U-net for Pathology Segmentation with Attention*, STACOM 2020, sections 2 and 3.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from dynamic_network_architectures.architectures.unet import PlainConvUNet
from dynamic_network_architectures.building_blocks.plain_conv_encoder import PlainConvEncoder
from dynamic_network_architectures.building_blocks.simple_conv_blocks import ConvDropoutNormReLU
from torch import Tensor, nn


class AttentionUNet(PlainConvUNet):
    """nnU-Net's U-Net, in which the output of every block is multiplied, point by point, by a map of its own.

    A block is all that happens at one level, in the encoder or in the decoder. Its map has the shape of its output and
    is made of its input by two convolutions and a sigmoid. Without the maps it is the plain U-Net, weight by weight.

    Args:
        input_channels: Channels of the image.
        num_classes: Channels of each output.
        deep_supervision: Whether the coarser levels of the decoder have outputs too.
        attention: Whether there are maps.
        unet: All other arguments of `PlainConvUNet`, as nnU-Net's plans name them.
    """

    def __init__(
        self,
        input_channels: int,
        num_classes: int,
        deep_supervision: bool = False,
        *,
        attention: bool = True,
        **unet: Any,
    ) -> None:
        super().__init__(
            input_channels=input_channels, num_classes=num_classes, deep_supervision=deep_supervision, **unet
        )
        if attention:
            self._attend(input_channels)

    def _attend(self, input_channels: int) -> None:
        encoder, widths = self.encoder, list(self.encoder.output_channels)
        before = [input_channels, *widths[:-1]]
        for level, stage in enumerate(encoder.stages):
            encoder.stages[level] = AttendedBlock(
                stage, encoder, before[level], widths[level], encoder.kernel_sizes[level], encoder.strides[level]
            )
        for index, stage in enumerate(self.decoder.stages):
            level = len(widths) - 2 - index
            # A block of the decoder sees the features of its level and as many from below.
            self.decoder.stages[index] = AttendedBlock(
                stage, encoder, 2 * widths[level], widths[level], encoder.kernel_sizes[level], 1
            )
        # Where dynamic_network_architectures looks for the layer that takes the image.
        self.keys_to_in_proj = tuple(key.replace("stages.0.", "stages.0.block.") for key in self.keys_to_in_proj)


class AttendedBlock(nn.Module):
    """A block and its attention map: sigmoid(convolution(ReLU(norm(convolution(x))))) times block(x).

    Args:
        block: Takes (B, channels, [D,] H, W) and returns (B, features, ...), smaller by the stride.
        encoder: Whose normalisation, nonlinearity and kind of convolution the map has too.
        channels: Channels of the block's input.
        features: Channels of its output.
        kernel_size: Kernel of both convolutions of the map, odd.
        stride: By how much the block makes its input smaller.
    """

    def __init__(
        self,
        block: nn.Module,
        encoder: PlainConvEncoder,
        channels: int,
        features: int,
        kernel_size: int | Sequence[int],
        stride: int | Sequence[int],
    ) -> None:
        super().__init__()
        self.block = block
        self.attention = nn.Sequential(
            ConvDropoutNormReLU(
                encoder.conv_op, channels, features, kernel_size, stride, encoder.conv_bias,
                encoder.norm_op, encoder.norm_op_kwargs, nonlin=encoder.nonlin, nonlin_kwargs=encoder.nonlin_kwargs,
            ),
            ConvDropoutNormReLU(encoder.conv_op, features, features, kernel_size, 1, conv_bias=True),
        )  # fmt: skip

    def forward(self, features: Tensor) -> Tensor:
        """Return the block's output times its map."""
        return self.block(features) * torch.sigmoid(self.attention(features))

    def compute_conv_feature_map_size(self, input_size: Sequence[int]) -> np.int64:
        """Return how many values the convolutions put out, from which nnU-Net estimates memory."""
        first, second = self.attention
        inner = [edge // step for edge, step in zip(input_size, first.stride, strict=True)]
        blocks = self.block if isinstance(self.block, nn.Sequential) else [self.block]
        own = first.compute_conv_feature_map_size(input_size) + second.compute_conv_feature_map_size(inner)
        return own + sum(block.compute_conv_feature_map_size(input_size) for block in blocks)
