"""Blocks of the E-2A U-Nets of paper 003: those that the paper describes and those of its released code."""

from __future__ import annotations

from typing import Literal, TypeAlias

import torch
from torch import Tensor, nn
from torch.nn import functional

from nnunet_cardiac_ext.architectures.efficient_additive_attention import EfficientAdditiveAttention, as_maps, as_tokens

# "paper": double 3x3 convolutions with E-2A in encoder and decoder. "released": the authors' published stage 2, with
# depthwise convolutions and E-2A in the encoder only.
Design: TypeAlias = Literal["paper", "released"]
# Start of the learnt scales of attention and perceptron: SwiftFormer's value, at which a new block is the identity.
LAYER_SCALE = 1e-5
# Hidden width of a perceptron over its input width, and spread of its first weights, as in SwiftFormer.
MLP_RATIO, MLP_SPREAD = 4, 0.02
# Numbers of a hidden layer that are computed at once when predicting. On a CPU 4 MiB in float32: larger blocks leave
# the cache, and their memory goes back to the system and has to be cleared anew. A GPU wants large ones, here 256 MiB.
HIDDEN_AT_ONCE, HIDDEN_AT_ONCE_GPU = 2**20, 2**26


class AdditiveAttentionBlock(nn.Module):
    """E-2A and a perceptron per pixel, both added to the features with a learnt scale per channel.

    Args:
        channels: Width of the feature maps, shape (batch, channel, row, column).
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.attention = EfficientAdditiveAttention(channels)
        self.attention_scale = nn.Parameter(torch.full((channels,), LAYER_SCALE))
        self.mlp = PointwiseMLP(channels, MLP_RATIO * channels)
        self.mlp_scale = nn.Parameter(torch.full((channels, 1, 1), LAYER_SCALE))

    def forward(self, maps: Tensor) -> Tensor:
        """Return the attended feature maps, same shape."""
        rows, columns = maps.shape[2:]
        tokens = as_tokens(maps)
        maps = as_maps(torch.addcmul(tokens, self.attention_scale, self.attention(tokens)), (rows, columns))
        return torch.addcmul(maps, self.mlp_scale, self.mlp(maps))


class DepthwiseBlock(nn.Module):
    """Depthwise 3x3 convolution and a perceptron per pixel, added to the features (released code, SwiftFormer).

    Args:
        channels: Width of the feature maps, shape (batch, channel, row, column).
        hidden: Width inside the perceptron.
    """

    def __init__(self, channels: int, hidden: int) -> None:
        super().__init__()
        self.depthwise = nn.Conv2d(channels, channels, 3, padding=1, groups=channels)
        _start_narrow(self.depthwise)
        self.mlp = PointwiseMLP(channels, hidden)
        self.scale = nn.Parameter(torch.ones(channels, 1, 1))

    def forward(self, maps: Tensor) -> Tensor:
        """Return the feature maps, same shape."""
        return torch.addcmul(maps, self.scale, self.mlp(self.depthwise(maps)))


class PointwiseMLP(nn.Module):
    """Batch norm and a perceptron with one hidden layer, the same at every pixel.

    Its 1x1 convolutions are linear layers over the pixels, which channels-last feature maps are without a copy.

    Args:
        channels: Width of the feature maps, shape (batch, channel, row, column).
        hidden: Width of the hidden layer.
    """

    def __init__(self, channels: int, hidden: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(channels)
        self.hidden = nn.Linear(channels, hidden)
        self.out = nn.Linear(hidden, channels)
        _start_narrow(self.hidden)
        _start_narrow(self.out)

    def forward(self, maps: Tensor) -> Tensor:
        """Return feature maps of the same shape."""
        pixels = self.norm(maps).permute(0, 2, 3, 1)
        if torch.is_grad_enabled():
            return self._perceptron(pixels).permute(0, 3, 1, 2)
        # Without gradients the hidden layer, the largest of all features, need not stand for all images at once.
        limit = HIDDEN_AT_ONCE if pixels.device.type == "cpu" else HIDDEN_AT_ONCE_GPU
        images = max(1, limit // (pixels.shape[1] * pixels.shape[2] * self.hidden.out_features))
        result: Tensor | None = None
        for start in range(0, len(pixels), images):
            part = self._perceptron(pixels[start : start + images])
            if result is None:
                result = part.new_empty(pixels.shape)
            result[start : start + images] = part
        return pixels.permute(0, 3, 1, 2) if result is None else result.permute(0, 3, 1, 2)

    def _perceptron(self, pixels: Tensor) -> Tensor:
        return self.out(functional.gelu(self.hidden(pixels)))


def double_conv(in_channels: int, out_channels: int, design: Design) -> nn.Sequential:
    """Return two 3x3 convolutions, each with batch norm and ReLU (paper) or GELU (released decoder)."""
    activation = nn.GELU if design == "released" else _relu
    return nn.Sequential(
        *_conv_norm(in_channels, out_channels, design), activation(),
        *_conv_norm(out_channels, out_channels, design), activation(),
    )  # fmt: skip


def stem(in_channels: int, out_channels: int, design: Design) -> nn.Sequential:
    """Return the patch embedding: two 3x3 convolutions at full size with norm and ReLU, the first half as wide."""
    half = out_channels // 2
    return nn.Sequential(
        *_conv_norm(in_channels, half, design), _relu(), *_conv_norm(half, out_channels, design), _relu()
    )


def downsampling(in_channels: int, out_channels: int, stride: tuple[int, int], design: Design) -> nn.Sequential:
    """Return a 3x3 convolution with stride and batch norm, without activation."""
    return nn.Sequential(*_conv_norm(in_channels, out_channels, design, stride))


def encoder_level(channels: int, design: Design) -> nn.Sequential:
    """Return what an encoder level does at its own size: local convolutions, then E-2A."""
    if design == "released":
        local: list[nn.Module] = [
            DepthwiseBlock(channels, MLP_RATIO * channels), DepthwiseBlock(channels, channels),
        ]  # fmt: skip
    else:
        local = [double_conv(channels, channels, design)]
    return nn.Sequential(*local, AdditiveAttentionBlock(channels))


def decoder_level(channels: int, design: Design) -> nn.Sequential:
    """Return what a decoder level does with the skip and the upsampled features, each of `channels`."""
    convolutions = double_conv(2 * channels, channels, design)
    if design == "released":
        return convolutions
    return nn.Sequential(convolutions, AdditiveAttentionBlock(channels))


def _conv_norm(
    in_channels: int, out_channels: int, design: Design, stride: tuple[int, int] = (1, 1)
) -> tuple[nn.Conv2d, nn.BatchNorm2d]:
    # A bias before a batch norm has no effect; the released code has it, and its parameters are counted.
    bias = design == "released"
    return (
        nn.Conv2d(in_channels, out_channels, 3, stride=stride, padding=1, bias=bias),
        nn.BatchNorm2d(out_channels),
    )


def _start_narrow(layer: nn.Conv2d | nn.Linear) -> None:
    nn.init.trunc_normal_(layer.weight, std=MLP_SPREAD)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)


def _relu() -> nn.ReLU:
    return nn.ReLU(inplace=True)
