"""Layers that the networks are built of, in 2-D or 3-D, with the normalisation that the plans ask for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from types import MappingProxyType
from typing import Any

from torch import Tensor, nn

# Dimensions of each convolution that a network may be built of.
_DIMENSIONS = MappingProxyType({nn.Conv2d: 2, nn.Conv3d: 3})
_TRANSPOSED = MappingProxyType({2: nn.ConvTranspose2d, 3: nn.ConvTranspose3d})
_POOLING = MappingProxyType({2: nn.MaxPool2d, 3: nn.MaxPool3d})
_NORMS: Mapping[tuple[str, int], type[nn.Module]] = MappingProxyType(
    {
        ("batch", 2): nn.BatchNorm2d,
        ("batch", 3): nn.BatchNorm3d,
        ("instance", 2): nn.InstanceNorm2d,
        ("instance", 3): nn.InstanceNorm3d,
    }
)


class Layers:
    """Builds layers of one kind.

    Args:
        conv_op: `nn.Conv2d` or `nn.Conv3d`; says the dimensions.
        norm_op: "batch", "instance" (with trained scale and shift) or a class that takes the number of channels.
        norm_op_kwargs: Further arguments of the normalisation.
        conv_bias: Whether convolutions that a normalisation follows have a bias.

    Raises:
        ValueError: Another convolution or normalisation.
    """

    def __init__(
        self,
        conv_op: type[nn.Module],
        norm_op: str | type[nn.Module],
        norm_op_kwargs: Mapping[str, Any] | None = None,
        *,
        conv_bias: bool = True,
    ) -> None:
        if conv_op not in _DIMENSIONS:
            raise ValueError(f"expected the convolution Conv2d or Conv3d, got {conv_op}")
        self.conv_op = conv_op
        self.dimensions = _DIMENSIONS[conv_op]
        if isinstance(norm_op, str) and (norm_op, self.dimensions) not in _NORMS:
            raise ValueError(f"expected the normalisation batch or instance, got {norm_op!r}")
        self.norm_op = _NORMS[norm_op, self.dimensions] if isinstance(norm_op, str) else norm_op
        self.norm_op_kwargs = {"affine": True, **(norm_op_kwargs or {})}
        self.conv_bias = conv_bias

    def block(self, channels: int, features: int, kernel_size: Sequence[int]) -> nn.Sequential:
        """Return convolution, normalisation and ReLU; the size stays (kernels are odd)."""
        return nn.Sequential(
            self.plain(channels, features, kernel_size, bias=self.conv_bias),
            self.norm(features),
            nn.ReLU(inplace=True),
        )

    def dilated(self, channels: int, features: int, kernel_size: Sequence[int], dilation: int) -> nn.Sequential:
        """Return a block whose kernel is spread out, so that it reaches as far as a larger one; the size stays."""
        padding = [dilation * half for half in halves(kernel_size)]
        return nn.Sequential(
            self.conv_op(channels, features, kernel_size, padding=padding, dilation=dilation, bias=self.conv_bias),
            self.norm(features),
            nn.ReLU(inplace=True),
        )

    def stack(self, channels: int, features: int, kernel_size: Sequence[int], count: int) -> nn.Sequential:
        """Return several blocks, one after the other."""
        widths = [channels] + [features] * count
        return nn.Sequential(*(self.block(*pair, kernel_size) for pair in pairwise(widths)))

    def point(self, channels: int, features: int) -> nn.Module:
        """Return a convolution of a single voxel, with bias."""
        return self.conv_op(channels, features, 1)

    def norm(self, features: int) -> nn.Module:
        """Return the normalisation."""
        return self.norm_op(features, **self.norm_op_kwargs)

    def plain(self, channels: int, features: int, kernel_size: Sequence[int], *, bias: bool = True) -> nn.Module:
        """Return a convolution with nothing after it; the size stays."""
        return self.conv_op(channels, features, kernel_size, padding=halves(kernel_size), bias=bias)

    def pooling(self, stride: Sequence[int]) -> nn.Module:
        """Return max pooling; an incomplete window at the end counts as one, so that no voxel is lost."""
        return _POOLING[self.dimensions](tuple(stride), ceil_mode=True)

    def upsampling(self, channels: int, features: int, stride: Sequence[int]) -> nn.Module:
        """Return the transposed convolution that multiplies the size by the stride."""
        return _TRANSPOSED[self.dimensions](channels, features, tuple(stride), tuple(stride))


# Features, stride, kernel and number of blocks of each level, finest first.
LevelPlan = list[tuple[int, Sequence[int], Sequence[int], int]]


def planned_levels(
    axes: int,
    strides: Sequence[Sequence[int]],
    *,
    features: Sequence[int],
    kernel_sizes: int | Sequence[Sequence[int]],
    counts: int | Sequence[int],
    n_stages: int | None = None,
) -> LevelPlan:
    """Return what each level of an encoder is made of; a single kernel or number of blocks holds for all levels.

    Args:
        axes: Dimensions of the images.
        strides: For each level, finest first, by how much it is smaller than the one before, per axis.
        features: Channels of each level.
        kernel_sizes: Kernel for all levels and axes, or per level and axis.
        counts: Number of blocks of all levels, or of each.
        n_stages: Number of levels where a plans file names it.

    Raises:
        ValueError: Lists of different lengths, fewer than two levels, or a stride in the first level.
    """
    levels = len(strides)
    kernels = [[kernel_sizes] * axes] * levels if isinstance(kernel_sizes, int) else kernel_sizes
    blocks = [counts] * levels if isinstance(counts, int) else counts
    given = {"features_per_stage": len(features), "kernels": len(kernels), "counts": len(blocks)}
    if n_stages not in (None, levels) or set(given.values()) != {levels}:
        raise ValueError(f"expected {levels} levels, as there are strides, got n_stages {n_stages} and {given}")
    if levels < 2 or any(len(stride) != axes for stride in strides) or max(strides[0]) > 1:
        raise ValueError(f"strides: expected {axes} per level, at least two levels, ones first, got {strides}")
    return list(zip(features, strides, kernels, blocks, strict=True))


def he_initialize(module: nn.Module) -> None:
    """Set the weights of one convolution as He et al. (ICCV 2015) do for ReLU, its bias to 0; leave other modules."""
    if isinstance(module, nn.Conv2d | nn.Conv3d | nn.ConvTranspose2d | nn.ConvTranspose3d):
        nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
        if module.bias is not None:
            nn.init.zeros_(module.bias)


def halves(kernel_size: Sequence[int]) -> tuple[int, ...]:
    """Return the padding that keeps the size with odd kernels."""
    return tuple(edge // 2 for edge in kernel_size)


def cropped_like(features: Tensor, wanted: Tensor) -> Tensor:
    """Return the features without what reaches beyond the size of `wanted` at the end of an axis."""
    for axis, length in enumerate(wanted.shape[2:], start=2):
        features = features.narrow(axis, 0, length)
    return features
