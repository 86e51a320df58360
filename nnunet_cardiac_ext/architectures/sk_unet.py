"""A 2-D U-Net with selective-kernel convolutions: the single-slice network of paper 004.

Chen et al., *Enhancing Cardiac MRI Segmentation via Classifier-Guided Two-Stage Network and All-Slice Information
Fusion Transformer*, section 2.2. What the paper leaves open is in docs/methods/classifier_guided.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import torch
from scipy.special import logit
from torch import Tensor, nn

from nnunet_cardiac_ext.architectures.blocks import Layers, LevelPlan, cropped_like, he_initialize, planned_levels
from nnunet_cardiac_ext.architectures.selective_kernel import SelectiveKernel

FEATURES = (32, 64, 128, 256, 512)
# Of a structure in a pixel before training; of 60 ACDC patients each takes 1 to 2 % of the pixels.
START_PROBABILITY = 0.01


class SKUNet(nn.Module):
    """U-Net whose levels end in a selective-kernel unit, in encoder and decoder.

    The arguments that nnU-Net's own networks have too are named as there, so that a plans file can hold them. Any size
    goes through: pooling rounds up and what is up-sampled is cropped.

    Args:
        input_channels: Channels of the image.
        num_classes: Channels of each output.
        deep_supervision: Whether the levels above the bottom all have an output.
        strides: For each level, finest first, by how much it is smaller than the one before (row, column).
        features_per_stage: Channels of each level.
        n_stages: Number of levels, for plans files.
        conv_op: `nn.Conv2d`; here because plans files name it.
        kernel_sizes: Kernel for all levels and axes, or per level and axis; odd.
        n_conv_per_stage: Convolution blocks of each level, the last one a selective-kernel unit.
        conv_bias: Whether convolutions before a normalisation have a bias.
        norm_op: "batch", "instance" or a class.
        norm_op_kwargs: Further arguments of the normalisation.

    Raises:
        ValueError: Lists of different lengths, a stride in the first level, or an unknown kind of layer.
    """

    def __init__(
        self,
        input_channels: int,
        num_classes: int,
        deep_supervision: bool = False,
        *,
        strides: Sequence[Sequence[int]],
        features_per_stage: Sequence[int] = FEATURES,
        n_stages: int | None = None,
        conv_op: type[nn.Module] = nn.Conv2d,
        kernel_sizes: int | Sequence[Sequence[int]] = 3,
        n_conv_per_stage: int | Sequence[int] = 2,
        conv_bias: bool = True,
        norm_op: str | type[nn.Module] = "batch",
        norm_op_kwargs: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__()
        layers = Layers(conv_op, norm_op, norm_op_kwargs, conv_bias=conv_bias)
        if layers.dimensions != 2:
            raise ValueError(f"expected the convolution Conv2d, slices are convolved one by one, got {conv_op}")
        plan = planned_levels(
            2, strides, features=features_per_stage, kernel_sizes=kernel_sizes, counts=n_conv_per_stage,
            n_stages=n_stages,
        )  # fmt: skip
        self.encoder = SKEncoder(layers, plan, input_channels)
        self.decoder = SKDecoder(layers, plan, num_classes, deep_supervision=deep_supervision)

    def forward(self, image: Tensor) -> Tensor | list[Tensor]:
        """Return logits, with deep supervision a list of them, finest first.

        Args:
            image: Shape (B, input_channels, row, column).
        """
        return self.decoder(self.encoder(image))

    @staticmethod
    def initialize(module: nn.Module) -> None:
        """Set the weights of one module before training; `network.apply(network.initialize)` sets all.

        Convolutions as `he_initialize`. Outputs are random, their first channel, the background, begins above the
        others by the log odds of `START_PROBABILITY` (the prior of Lin et al., *Focal Loss for Dense Object
        Detection*, ICCV 2017, section 4.1). Cross-entropy else spends its first steps on the rarity of structures,
        and with outputs that start at 0 it moves all structures alike: the features become detectors of background
        that are 0 in the heart, where no gradient passes any more.
        """
        he_initialize(module)
        if isinstance(module, SKDecoder):
            for head in module.heads:
                nn.init.kaiming_normal_(head.weight, nonlinearity="linear")
                nn.init.constant_(head.bias, logit(START_PROBABILITY))
                nn.init.zeros_(head.bias[:1])


class SKEncoder(nn.Module):
    """Returns the features of each level, finest first."""

    def __init__(self, layers: Layers, plan: LevelPlan, input_channels: int) -> None:
        super().__init__()
        widths = [input_channels, *(width for width, *_ in plan)]
        self.poolings = nn.ModuleList(layers.pooling(stride) for _, stride, _, _ in plan[1:])
        self.levels = nn.ModuleList(
            _level(layers, before, width, kernel, count)
            for before, (width, _, kernel, count) in zip(widths, plan, strict=False)
        )

    def forward(self, image: Tensor) -> list[Tensor]:
        """Return the features of all levels."""
        maps = [self.levels[0](image)]
        for pooling, level in zip(self.poolings, self.levels[1:], strict=True):
            maps.append(level(pooling(maps[-1])))
        return maps


class SKDecoder(nn.Module):
    """Transposed convolutions, skips, levels, and one output per level above the bottom.

    The outputs of the coarser levels are built in any case, so that weights load with and without deep supervision;
    without it they are not trained.

    Attributes:
        deep_supervision: Whether all outputs are returned; nnU-Net's trainers switch it.
    """

    def __init__(self, layers: Layers, plan: LevelPlan, num_classes: int, *, deep_supervision: bool = False) -> None:
        super().__init__()
        self.deep_supervision = deep_supervision
        self.upsamplings = nn.ModuleList(
            layers.upsampling(below, above, stride)
            for (above, *_), (below, stride, *_) in pairwise(plan)
        )  # fmt: skip
        self.levels = nn.ModuleList(
            _level(layers, 2 * width, width, kernel, count) for width, _, kernel, count in plan[:-1]
        )
        self.heads = nn.ModuleList(layers.point(width, num_classes) for width, *_ in plan[:-1])
        # Outputs that are not asked for get no gradient, which distributed training would wait for.
        self.heads[1:].requires_grad_(deep_supervision)

    def forward(self, encoded: Sequence[Tensor]) -> Tensor | list[Tensor]:
        """Return logits, with deep supervision a list of them, finest first.

        Args:
            encoded: The encoder's features, finest first.
        """
        *finer, maps = encoded
        outputs: list[Tensor] = []
        for number in reversed(range(len(finer))):
            below = cropped_like(self.upsamplings[number](maps), finer[number])
            maps = self.levels[number](torch.cat([finer[number], below], dim=1))
            if number == 0 or self.deep_supervision:
                outputs.insert(0, self.heads[number](maps))
        return outputs if self.deep_supervision else outputs[0]


def _level(layers: Layers, channels: int, features: int, kernel_size: Sequence[int], count: int) -> nn.Sequential:
    """Return the blocks of a level: plain ones, then the selective-kernel unit."""
    plain = layers.stack(channels, features, kernel_size, count - 1)
    unit = SelectiveKernel(layers, features if count > 1 else channels, features, kernel_size)
    return nn.Sequential(*plain, unit)
