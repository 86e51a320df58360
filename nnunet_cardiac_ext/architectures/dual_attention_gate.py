"""The dual attention gate: which voxels and which channels of an encoder's features the decoder gets to see.

Khanh et al., *Enhancing U-Net with Spatial-Channel Attention Gate for Abnormal Tissue Segmentation in Medical Imaging*,
Applied Sciences 10 (17), 2020; paper 000 places one at each level.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from nnunet_cardiac_ext.architectures.blocks import Layers

GATES = ("dual", "spatial", "channel", "none")


class DualAttentionGate(nn.Module):
    """encoded * A_spatial * A_channel, each attention between 0 and 1 and made of both inputs.

    Args:
        layers: Kind of the layers.
        encoded: Channels of the encoder's features.
        decoded: Channels of the decoder's features.
        kind: "dual", "spatial", "channel" or "none" (the encoder's features pass as they are).
        kernel_size: Kernel of the spatial attention, odd.
        reduction: The channel attention passes through `encoded // reduction` channels, at least one.

    Raises:
        ValueError: Another kind.
    """

    def __init__(
        self, layers: Layers, encoded: int, decoded: int, *, kind: str, kernel_size: Sequence[int], reduction: int
    ) -> None:
        super().__init__()
        if kind not in GATES:
            raise ValueError(f"gate: expected one of {', '.join(GATES)}, got {kind!r}")
        streams = (encoded, decoded)
        self.spatial = SpatialAttention(layers, streams, kernel_size) if kind in ("dual", "spatial") else None
        self.channel = ChannelAttention(layers, streams, reduction) if kind in ("dual", "channel") else None

    def forward(self, encoded: Tensor, decoded: Tensor) -> Tensor:
        """Return the encoder's features, attenuated.

        Args:
            encoded: Shape (B, C, [D,] H, W).
            decoded: Up-sampled features of the level below, of the same size.
        """
        gated = encoded
        if self.spatial is not None:
            gated = gated * self.spatial(encoded, decoded)
        if self.channel is not None:
            gated = gated * self.channel(encoded, decoded)
        return gated


class SpatialAttention(nn.Module):
    """sigmoid(S(encoded) + S(decoded)): for each input a convolution over its largest, mean and mixed channel."""

    def __init__(self, layers: Layers, streams: Sequence[int], kernel_size: Sequence[int]) -> None:
        super().__init__()
        self.mixed = nn.ModuleList(layers.point(channels, 1) for channels in streams)
        self.spread = nn.ModuleList(layers.plain(3, 1, kernel_size) for _ in streams)

    def forward(self, *inputs: Tensor) -> Tensor:
        """Return the attention of each voxel, shape (B, 1, [D,] H, W)."""
        logits = [
            spread(torch.cat([x.amax(dim=1, keepdim=True), x.mean(dim=1, keepdim=True), mixed(x)], dim=1))
            for x, mixed, spread in zip(inputs, self.mixed, self.spread, strict=True)
        ]
        return torch.stack(logits).sum(dim=0).sigmoid()


class ChannelAttention(nn.Module):
    """sigmoid of a mix of few channels, which are mixes of each input's mean and largest value per channel."""

    def __init__(self, layers: Layers, streams: Sequence[int], reduction: int) -> None:
        super().__init__()
        few = max(1, streams[0] // reduction)
        self.of_mean = nn.ModuleList(layers.point(channels, few) for channels in streams)
        self.of_largest = nn.ModuleList(layers.point(channels, few) for channels in streams)
        self.spread = layers.point(few, streams[0])

    def forward(self, *inputs: Tensor) -> Tensor:
        """Return the attention of each channel of the first input, shape (B, C, [1,] 1, 1)."""
        few = [
            of_mean(x.mean(dim=_voxels(x), keepdim=True)) + of_largest(x.amax(dim=_voxels(x), keepdim=True))
            for x, of_mean, of_largest in zip(inputs, self.of_mean, self.of_largest, strict=True)
        ]
        return self.spread(torch.stack(few).sum(dim=0)).sigmoid()


def _voxels(features: Tensor) -> tuple[int, ...]:
    return tuple(range(2, features.ndim))
