"""The attention M-net of paper 000, in 2-D and 3-D.

Huang et al., *3D Attention M-net for Short-axis Left Ventricular Myocardium Segmentation in Mice MR Cardiac Images*.
What the paper leaves open, and what is chosen here, is in docs/methods/attention_mnet.md.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn

from nnunet_cardiac_ext.architectures.blocks import Layers, LevelPlan, cropped_like, he_initialize, planned_levels
from nnunet_cardiac_ext.architectures.dual_attention_gate import DualAttentionGate
from nnunet_cardiac_ext.architectures.multi_scale_fusion import MixedLevels, MultiScaleFusion

PAPER_FEATURES = (32, 64, 128, 256)


class AttentionMNet(nn.Module):
    """Encoder with parallel inputs, decoder with attention gates, and a fusion of all decoder levels.

    The arguments that nnU-Net's own networks have too are named as there, so that a plans file can hold them. With
    `decoder.deep_supervision` the output is a list of logits, one per level and finest first, the first being the
    fusion's; else it is the fusion's alone. Any size goes through, but nnU-Net makes the targets of the deeper outputs
    for patches that the strides divide.

    Args:
        input_channels: Channels of the image.
        num_classes: Channels of each output.
        deep_supervision: Whether all levels have an output.
        strides: For each level, finest first, by how much it is smaller than the one before, per axis; ones for the
            first. Their number is the number of levels.
        features_per_stage: Channels of each level.
        n_stages: Number of levels, for plans files; must agree with the lists.
        conv_op: `nn.Conv3d` or `nn.Conv2d`.
        kernel_sizes: Kernel for all levels and axes, or per level and axis; odd. Stem and fusion have the first's.
        n_conv_per_stage: Convolution blocks of each level, in the encoder and again in the decoder.
        conv_bias: Whether convolutions before a normalisation have a bias.
        norm_op: "batch", "instance" or a class.
        norm_op_kwargs: Further arguments of the normalisation.
        stem_features: Channels of the stem and of the parallel inputs made of it; None for half of the first level's,
            the paper's 16 of 32.
        fusion_features: Channels after the first and second block of the fusion; None for eight times the first
            level's and as many as it has, the paper's 256 and 32.
        gate: "dual", "spatial", "channel" or "none".
        gate_kernel: Edge of the spatial attention's kernel, odd.
        gate_reduction: The channel attention narrows its channels to one in so many.

    Raises:
        ValueError: Lists of different lengths, a stride in the first level, or an unknown kind of layer or gate.
    """

    def __init__(
        self,
        input_channels: int,
        num_classes: int,
        deep_supervision: bool = False,
        *,
        strides: Sequence[Sequence[int]],
        features_per_stage: Sequence[int] = PAPER_FEATURES,
        n_stages: int | None = None,
        conv_op: type[nn.Module] = nn.Conv3d,
        kernel_sizes: int | Sequence[Sequence[int]] = 3,
        n_conv_per_stage: int | Sequence[int] = 4,
        conv_bias: bool = True,
        norm_op: str | type[nn.Module] = "batch",
        norm_op_kwargs: Mapping[str, Any] | None = None,
        stem_features: int | None = None,
        fusion_features: Sequence[int] | None = None,
        gate: str = "dual",
        gate_kernel: int = 7,
        gate_reduction: int = 16,
    ) -> None:
        super().__init__()
        layers = Layers(conv_op, norm_op, norm_op_kwargs, conv_bias=conv_bias)
        axes = layers.dimensions
        plan = planned_levels(
            axes, strides, features=features_per_stage, kernel_sizes=kernel_sizes, counts=n_conv_per_stage,
            n_stages=n_stages,
        )  # fmt: skip
        finest = features_per_stage[0]
        self.input_channels = input_channels
        self.encoder = Encoder(layers, plan, input_channels, stem_features or max(1, finest // 2))
        gates = [
            DualAttentionGate(
                layers, width, width, kind=gate, kernel_size=[gate_kernel] * axes, reduction=gate_reduction
            )
            for width in features_per_stage
        ]
        fusion = MultiScaleFusion(
            layers, features_per_stage, strides,
            fusion_features=fusion_features or (8 * finest, finest), kernel_size=plan[0][2], num_classes=num_classes,
        )  # fmt: skip
        self.decoder = Decoder(layers, plan, gates, fusion, num_classes, deep_supervision)

    def forward(self, image: Tensor) -> Tensor | list[Tensor]:
        """Return logits, or with deep supervision a list of them.

        Args:
            image: Shape (B, input_channels, [D,] H, W).
        """
        return self.decoder(self.encoder(image))

    initialize = staticmethod(he_initialize)

    def compute_conv_feature_map_size(self, input_size: Sequence[int]) -> int:
        """Return how many values all convolutions put out for one image, from which nnU-Net estimates memory.

        Args:
            input_size: Size of the image, ([D,] H, W).
        """
        network, total = copy.deepcopy(self).to("meta"), 0

        def count(_module: nn.Module, _inputs: Any, output: Tensor) -> None:
            nonlocal total
            total += math.prod(output.shape)

        for module in network.modules():
            if isinstance(module, nn.modules.conv._ConvNd | MixedLevels):
                module.register_forward_hook(count)
        with torch.no_grad():
            network.eval()(torch.empty(1, self.input_channels, *input_size, device="meta"))
        return total


class Encoder(nn.Module):
    """Returns the features of each level, finest first.

    Each level but the first gets, beside the level before it, the stem's output pooled to its size and convolved.
    """

    def __init__(self, layers: Layers, plan: LevelPlan, input_channels: int, stem_features: int) -> None:
        super().__init__()
        self.stem = layers.block(input_channels, stem_features, plan[0][2])
        self.poolings = nn.ModuleList(layers.pooling(stride) for _, stride, _, _ in plan[1:])
        self.parallel = nn.ModuleList(layers.block(stem_features, width, kernel) for width, _, kernel, _ in plan[1:])
        widths = [width for width, *_ in plan]
        channels = [stem_features] + [above + width for above, width in pairwise(widths)]
        self.stages = nn.ModuleList(
            layers.stack(before, width, kernel, count)
            for before, (width, _, kernel, count) in zip(channels, plan, strict=True)
        )

    def forward(self, image: Tensor) -> list[Tensor]:
        """Return the features of all levels."""
        stem = self.stem(image)
        levels = [self.stages[0](stem)]
        for pooling, parallel, stage in zip(self.poolings, self.parallel, self.stages[1:], strict=True):
            stem = pooling(stem)
            levels.append(stage(torch.cat([parallel(stem), pooling(levels[-1])], dim=1)))
        return levels


class Decoder(nn.Module):
    """Gates, mirrored levels and outputs.

    Attributes:
        deep_supervision: Whether all levels have an output; nnU-Net's trainers switch it.
    """

    def __init__(
        self,
        layers: Layers,
        plan: LevelPlan,
        gates: Sequence[DualAttentionGate],
        fusion: MultiScaleFusion,
        num_classes: int,
        deep_supervision: bool,
    ) -> None:
        super().__init__()
        self.deep_supervision = deep_supervision
        widths = [width for width, *_ in plan]
        self.gates = nn.ModuleList(gates)
        self.upsamplings = nn.ModuleList(
            layers.upsampling(below, width, stride)
            for width, (below, stride, *_) in zip(widths, plan[1:], strict=False)
        )
        # The deepest level has nothing below it to concatenate.
        channels = [2 * width for width in widths[:-1]] + widths[-1:]
        self.stages = nn.ModuleList(
            layers.stack(before, width, kernel, count)
            for before, (width, _, kernel, count) in zip(channels, plan, strict=True)
        )
        # Built in any case, so that weights load with and without deep supervision.
        self.heads = nn.ModuleList(layers.point(width, num_classes) for width in widths[1:])
        self.fusion = fusion

    def forward(self, encoded: Sequence[Tensor]) -> Tensor | list[Tensor]:
        """Return the fusion's logits, with deep supervision followed by those of the deeper levels.

        Args:
            encoded: The encoder's features, finest first.
        """
        # The deepest gate has no decoder below it: the encoder's features stand in.
        deepest = self.gates[-1](encoded[-1], encoded[-1])
        decoded = [self.stages[-1](deepest)]
        for level in range(len(encoded) - 2, -1, -1):
            below = cropped_like(self.upsamplings[level](decoded[0]), encoded[level])
            gated = self.gates[level](encoded[level], below)
            decoded.insert(0, self.stages[level](torch.cat([gated, below], dim=1)))
        final = self.fusion(decoded)
        if not self.deep_supervision:
            return final
        return [final, *(head(features) for head, features in zip(self.heads, decoded[1:], strict=True))]
