"""DeepMedic, a comparator of paper 000's Table I: two paths, one for detail and one for context."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from types import MappingProxyType
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from nnunet_cardiac_ext.architectures.blocks import Layers, cropped_like, he_initialize
from nnunet_cardiac_ext.errors import UsageError

_AVERAGING = MappingProxyType({2: functional.avg_pool2d, 3: functional.avg_pool3d})


class DeepMedic(nn.Module):
    """Two equal paths of convolutions, one on the image and one on the image made three times smaller, joined at last.

    Kamnitsas et al., *Efficient Multi-Scale 3D CNN with Fully Connected CRF for Accurate Brain Lesion Segmentation*,
    Medical Image Analysis 36, 2017: eight 3x3x3 convolutions per path (30, 30, 40, 40, 40, 40, 50, 50), two hidden
    layers of 150, batch normalisation, PReLU, dropout. Without its conditional random field. Other than there, both
    paths see the same patch and borders are padded, so that the output is as large as the image, as nnU-Net needs it.
    Any size goes through.

    Args:
        input_channels: Channels of the image.
        num_classes: Channels of the output.
        deep_supervision: Not possible; here because nnU-Net names it.
        features_per_stage: Widths of the convolutions of each path.
        strides: All ones, one per convolution: no layer makes the image smaller. nnU-Net reads it from the plans.
        n_stages: Number of widths, where nnU-Net's plans name it.
        conv_op: `nn.Conv3d` or `nn.Conv2d`.
        kernel_sizes: Kernels, per convolution and axis, odd.
        conv_bias: Whether convolutions before a normalisation have a bias.
        norm_op: "batch", "instance" or a class.
        norm_op_kwargs: Further arguments of the normalisation.
        hidden_features: Width of the two hidden layers; None for three times the last convolution's.
        context_stride: By how much the second path's image is smaller, along each axis.
        dropout: Share of hidden features that training leaves out.

    Raises:
        UsageError: `deep_supervision`, or lists that do not fit together.
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
        n_stages: int | None = None,
        conv_op: type[nn.Module] = nn.Conv3d,
        conv_bias: bool = True,
        norm_op: str | type[nn.Module] = "batch",
        norm_op_kwargs: Mapping[str, Any] | None = None,
        hidden_features: int | None = None,
        context_stride: int = 3,
        dropout: float = 0.5,
    ) -> None:
        super().__init__()
        if deep_supervision:
            raise UsageError("deep_supervision: expected false, DeepMedic has a single output")
        count = len(features_per_stage)
        if {n_stages or count, len(strides), len(kernel_sizes)} != {count} or any(max(step) > 1 for step in strides):
            raise UsageError(f"DeepMedic: expected as many strides of 1 and kernels as widths, got {strides}")
        layers = Layers(conv_op, norm_op, norm_op_kwargs, conv_bias=conv_bias)
        hidden = hidden_features or 3 * features_per_stage[-1]
        self.context_stride = context_stride
        self.detail = _path(layers, [input_channels, *features_per_stage], kernel_sizes)
        self.context = _path(layers, [input_channels, *features_per_stage], kernel_sizes)
        self.decoder = nn.Sequential(
            *_layer(layers, 2 * features_per_stage[-1], hidden, [1] * layers.dimensions),
            nn.Dropout(dropout),
            *_layer(layers, hidden, hidden, [1] * layers.dimensions),
            nn.Dropout(dropout),
            layers.point(hidden, num_classes),
        )

    def forward(self, image: Tensor) -> Tensor:
        """Return logits, shape (B, num_classes, [D,] H, W).

        Args:
            image: Shape (B, input_channels, [D,] H, W).
        """
        detail = self.detail(image)
        context = self.context(_shrunk(image, self.context_stride))
        enlarged = functional.interpolate(context, scale_factor=float(self.context_stride), mode="nearest")
        return self.decoder(torch.cat([detail, cropped_like(enlarged, detail)], dim=1))

    initialize = staticmethod(he_initialize)


def _shrunk(image: Tensor, step: int) -> Tensor:
    """Return the image averaged over cubes of `step` voxels; its last voxels stand in where a cube is incomplete."""
    missing = [-edge % step for edge in image.shape[2:]]
    padding = [side for rest in reversed(missing) for side in (0, rest)]
    return _AVERAGING[len(missing)](functional.pad(image, padding, mode="replicate"), step)


def _path(layers: Layers, channels: Sequence[int], kernel_sizes: Sequence[Sequence[int]]) -> nn.Sequential:
    steps = zip(pairwise(channels), kernel_sizes, strict=True)
    return nn.Sequential(*(module for pair, kernel in steps for module in _layer(layers, *pair, kernel)))


def _layer(layers: Layers, channels: int, features: int, kernel_size: Sequence[int]) -> list[nn.Module]:
    convolution = layers.plain(channels, features, kernel_size, bias=layers.conv_bias)
    return [convolution, layers.norm(features), nn.PReLU(features)]
