"""The multi-scale fusion of paper 000: all levels of the decoder, up-sampled, make the final output together."""

from __future__ import annotations

from collections.abc import Sequence
from types import MappingProxyType

import torch
from torch import Tensor, nn
from torch.nn import functional

from nnunet_cardiac_ext.architectures.blocks import Layers, cropped_like, halves

_CONVOLUTIONS = MappingProxyType({2: functional.conv2d, 3: functional.conv3d})


class MultiScaleFusion(nn.Module):
    """Two convolution blocks and a convolution of single voxels over the decoder's levels, up-sampled to full size.

    Huang et al., *3D Attention M-net for Short-axis Left Ventricular Myocardium Segmentation in Mice MR Cardiac
    Images*, section II B. Up-sampling repeats voxels, as the up-sampling layer of Keras does by default, in which the
    paper's network was written.

    Args:
        layers: Kind of the layers.
        features_per_level: Channels of the decoder's levels, finest first.
        strides: Stride between each level and the one before it, finest first.
        fusion_features: Channels after the first and the second block.
        kernel_size: Kernel of both blocks, odd.
        num_classes: Channels of the output.
    """

    def __init__(
        self,
        layers: Layers,
        features_per_level: Sequence[int],
        strides: Sequence[Sequence[int]],
        *,
        fusion_features: Sequence[int],
        kernel_size: Sequence[int],
        num_classes: int,
    ) -> None:
        super().__init__()
        first, second = fusion_features
        convolution, *rest = layers.block(sum(features_per_level), first, kernel_size)
        self.mix = MixedLevels(convolution, features_per_level, strides)
        self.blocks = nn.Sequential(*rest, layers.block(first, second, kernel_size))
        self.head = layers.point(second, num_classes)

    def forward(self, levels: Sequence[Tensor]) -> Tensor:
        """Return logits, shape (B, num_classes, [D,] H, W).

        Args:
            levels: The decoder's features, finest first.
        """
        return self.head(self.blocks(self.mix(levels)))


class MixedLevels(nn.Module):
    """One convolution over all levels, each up-sampled by repeating its voxels: the same numbers for less work.

    The convolution of a concatenation is the sum of convolutions of its parts. Of a voxel repeated `s` times along an
    axis a kernel of `k` <= s voxels gives at most k different results: the inner ones are equal. So a level is only
    repeated k times, and the inner result is repeated after the convolution. At the paper's sizes this takes 0.4 of
    the multiplications, in what is by far the largest layer, and the concatenation is never held in memory.

    Args:
        convolution: From all channels, finest level first.
        features_per_level: Channels of the levels, finest first.
        strides: Stride between each level and the one before it, finest first.
    """

    def __init__(
        self, convolution: nn.Module, features_per_level: Sequence[int], strides: Sequence[Sequence[int]]
    ) -> None:
        super().__init__()
        self.convolution = convolution
        self.features_per_level = list(features_per_level)
        self.kernel_size = tuple(convolution.kernel_size)
        self.scales = _cumulative(strides)

    def forward(self, levels: Sequence[Tensor]) -> Tensor:
        """Return the sum over the levels, of the size of the finest."""
        weights = self.convolution.weight.split(self.features_per_level, dim=1)
        mixed = self._convolved(levels[0], weights[0], self.convolution.bias)
        for level, weight, scale in zip(levels[1:], weights[1:], self.scales[1:], strict=True):
            repeats = [min(step, edge) for step, edge in zip(scale, self.kernel_size, strict=True)]
            repeated = functional.interpolate(level, scale_factor=[float(value) for value in repeats], mode="nearest")
            results = self._convolved(repeated, weight, None)
            for axis, (step, edge) in enumerate(zip(scale, self.kernel_size, strict=True), start=2):
                if step > edge:
                    results = _inner_repeated(results, axis, edge, step)
            mixed = mixed + cropped_like(results, mixed)
        return mixed

    def _convolved(self, features: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        return _CONVOLUTIONS[features.ndim - 2](features, weight, bias, padding=halves(self.kernel_size))


def _inner_repeated(results: Tensor, axis: int, edge: int, step: int) -> Tensor:
    """Return `step` voxels along the axis for each group of `edge` voxels, the middle one repeated."""
    groups, half = results.unflatten(axis, (-1, edge)), edge // 2
    before, middle, after = groups.split([half, 1, half], dim=axis + 1)
    middle = middle.repeat_interleave(step - 2 * half, dim=axis + 1)
    return torch.cat([before, middle, after], dim=axis + 1).flatten(axis, axis + 1)


def _cumulative(strides: Sequence[Sequence[int]]) -> list[tuple[int, ...]]:
    """Return each level's total stride."""
    totals = [tuple(strides[0])]
    for stride in strides[1:]:
        totals.append(tuple(total * step for total, step in zip(totals[-1], stride, strict=True)))
    return totals
