"""E2AUNet, a 2-D U-Net with efficient additive attention at every level: stage 1 of CroCNet (paper 003)."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from nnunet_cardiac_ext.architectures.e2a_blocks import Design, decoder_level, downsampling, encoder_level, stem
from nnunet_cardiac_ext.errors import UsageError

# C1 to C5 of the paper's section 3.1.
PAPER_FEATURES = (32, 64, 128, 256, 512)


class E2AUNet(nn.Module):
    """E2AUNet of paper 003 (section 3.1): double 3x3 convolutions and E-2A at each level of encoder and decoder.

    The last width belongs to the bottom, which a strided convolution alone fills. Everything runs channels-last.

    Args:
        input_channels: Channels of the image.
        num_classes: Classes, one logit each.
        deep_supervision: Whether the decoder has an output at every level and returns them all.
        features_per_stage: Widths from the finest level to the bottom, even numbers.
        strides: Stride of each stage, [1, 1] first; None halves both axes at each. nnU-Net reads it from the plans.
        n_stages: Number of widths, where nnU-Net's plans name it.
        design: "paper", or "released" for the depthwise blocks of the published stage 2.

    Raises:
        UsageError: Widths, strides and number of stages do not fit together.
    """

    def __init__(
        self,
        input_channels: int,
        num_classes: int,
        deep_supervision: bool = False,
        *,
        features_per_stage: Sequence[int] = PAPER_FEATURES,
        strides: Sequence[Sequence[int]] | None = None,
        n_stages: int | None = None,
        design: Design = "paper",
    ) -> None:
        super().__init__()
        pairs = checked_strides(features_per_stage, strides, n_stages)
        if design not in ("paper", "released"):
            raise UsageError(f"design: expected paper or released, got {design!r}")
        self.encoder = Encoder(input_channels, features_per_stage, pairs, design)
        self.decoder = Decoder(features_per_stage, pairs, num_classes, design, deep_supervision=deep_supervision)
        self.to(memory_format=torch.channels_last)

    def forward(self, image: Tensor) -> Tensor | list[Tensor]:
        """Return logits, with deep supervision a list of them from the finest to the coarsest level.

        Args:
            image: Shape (batch, channel, row, column), any size.
        """
        return self.decoder(self.encoder(image))


class Encoder(nn.Module):
    """The stages of the encoder, each followed by what couples its streams, if anything does.

    In the paper's design a stage downsamples and then convolves and attends; in the released one the blocks come before
    the downsampling, so that the stem's features are the first skip.

    Args:
        input_channels: Channels of the image.
        features: Width of each stage.
        strides: Stride of each stage, rows and columns.
        design: "paper" or "released".
        couplings: One module per stage that takes and returns its feature maps; None leaves them as they are.
    """

    def __init__(
        self,
        input_channels: int,
        features: Sequence[int],
        strides: Sequence[tuple[int, int]],
        design: Design,
        couplings: Sequence[nn.Module] | None = None,
    ) -> None:
        super().__init__()
        levels = [encoder_level(width, design) for width in features[:-1]]
        first: nn.Module = stem(input_channels, features[0], design)
        downs: list[nn.Module] = [
            downsampling(*pair, stride, design)
            for pair, stride in zip(itertools.pairwise(features), strides[1:], strict=True)
        ]
        if design == "released":
            stages = [first, *(nn.Sequential(level, down) for level, down in zip(levels, downs, strict=True))]
        else:
            tops = [first, *downs[:-1]]
            stages = [*(nn.Sequential(top, level) for top, level in zip(tops, levels, strict=True)), downs[-1]]
        self.stages = nn.ModuleList(stages)
        self.couplings = nn.ModuleList(couplings if couplings is not None else [nn.Identity() for _ in stages])

    def forward(self, image: Tensor) -> list[Tensor]:
        """Return the feature maps of all stages, finest first."""
        maps, kept = image, []
        for stage, coupling in zip(self.stages, self.couplings, strict=True):
            maps = coupling(stage(maps))
            kept.append(maps)
        return kept


class Decoder(nn.Module):
    """Transposed convolutions, skips and levels up to full size, with a 1x1 convolution as output.

    The outputs of the coarser levels exist only if `deep_supervision` was set at the start: without it they would never
    be trained. A state with them loads all the same, so that nnU-Net can predict with what it trained.

    Args:
        features: Width of each stage.
        strides: Stride of each stage, rows and columns.
        num_classes: Number of logits.
        design: "paper" or "released".
        deep_supervision: Whether there is an output at every level.

    Attributes:
        deep_supervision: Whether `forward` returns all outputs that there are; nnU-Net switches it.
    """

    def __init__(
        self,
        features: Sequence[int],
        strides: Sequence[tuple[int, int]],
        num_classes: int,
        design: Design,
        *,
        deep_supervision: bool = False,
    ) -> None:
        super().__init__()
        self.deep_supervision = deep_supervision
        self.ups = nn.ModuleList(
            nn.ConvTranspose2d(below, width, stride, stride=stride)
            for (width, below), stride in zip(itertools.pairwise(features), strides[1:], strict=True)
        )
        self.levels = nn.ModuleList(decoder_level(width, design) for width in features[:-1])
        outputs = len(features) - 1 if deep_supervision else 1
        self.seg_layers = nn.ModuleList(nn.Conv2d(width, num_classes, 1) for width in features[:outputs])

    def forward(self, skips: list[Tensor]) -> Tensor | list[Tensor]:
        """Return logits, with deep supervision a list of them from the finest to the coarsest level.

        Args:
            skips: The encoder's feature maps, finest first.
        """
        *finer, maps = skips
        outputs: list[Tensor] = []
        for index in reversed(range(len(finer))):
            rows, columns = finer[index].shape[2:]
            maps = torch.cat([finer[index], self.ups[index](maps)[:, :, :rows, :columns]], dim=1)
            maps = self.levels[index](maps)
            if index == 0 or (self.deep_supervision and index < len(self.seg_layers)):
                outputs.insert(0, self.seg_layers[index](maps))
        return outputs if self.deep_supervision else outputs[0]

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *args: Any) -> None:
        for key in [key for key in state_dict if key.startswith(f"{prefix}seg_layers.")]:
            if int(key.removeprefix(f"{prefix}seg_layers.").split(".")[0]) >= len(self.seg_layers):
                del state_dict[key]
        super()._load_from_state_dict(state_dict, prefix, *args)


def checked_strides(
    features: Sequence[int], strides: Sequence[Sequence[int]] | None, n_stages: int | None = None
) -> list[tuple[int, int]]:
    """Return the stride of each stage as (rows, columns); None stands for halving both at each stage but the first.

    Raises:
        UsageError: There are fewer than two widths, one is odd, or strides or number of stages do not fit them.
    """
    if len(features) < 2 or any(type(width) is not int or width < 2 or width % 2 for width in features):
        raise UsageError(f"features_per_stage: expected at least two even whole numbers, got {list(features)}")
    if n_stages is not None and n_stages != len(features):
        raise UsageError(f"n_stages: expected {len(features)}, one for each width, got {n_stages}")
    if strides is None:
        return [(1, 1)] + [(2, 2)] * (len(features) - 1)
    given = [tuple(stride) for stride in strides]
    fits = len(given) == len(features) and given[0] == (1, 1)
    if not fits or any(len(stride) != 2 or not {1, 2}.issuperset(stride) for stride in given):
        raise UsageError(
            f"strides: expected [1, 1] and then {len(features) - 1} pairs of 1 or 2 (2-D networks only), "
            f"got {[list(stride) for stride in given]}"
        )
    return [(rows, columns) for rows, columns in given]
