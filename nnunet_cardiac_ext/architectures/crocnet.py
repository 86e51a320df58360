"""CroCNet, crop and couple: a first network finds the heart, coupled specialists redraw it (paper 003)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import nullcontext
from typing import NamedTuple

import torch
from scipy.special import logit
from torch import Tensor, nn

from nnunet_cardiac_ext.architectures.e2a_blocks import Design
from nnunet_cardiac_ext.architectures.e2a_unet import PAPER_FEATURES, Decoder, E2AUNet
from nnunet_cardiac_ext.architectures.efficient_additive_attention import at_least_float32
from nnunet_cardiac_ext.architectures.heart_crop import PAPER_MARGIN, HeartCrop, central_box, find_hearts
from nnunet_cardiac_ext.architectures.specialists import SPECIALIST_FEATURES, SpecialistNetworks
from nnunet_cardiac_ext.errors import UsageError

# Edge of the specialists' input in pixels, as in the released data loader.
CROP_SIZE = 128
# Largest log odds that a structure keeps outside the crop when predicting: 1 %.
OUTSIDE_LOG_ODDS = float(logit(0.01))


class Stages(NamedTuple):
    """What CroCNet computes on the way, finest level only.

    Attributes:
        stage1: Logits of the first network, shape (batch, class, row, column).
        boxes: Box of the heart in pixels, shape (batch, 4): first row, row after the last, first column, column after
            the last; where no heart was found, zeros.
        specialists: Log odds of each anatomy's mask at its place, zero outside the box, shape
            (batch, anatomy, row, column). Images without a heart have zeros.
        fused: Log odds of each class against the background, shape (batch, class, row, column).
        coarser: The first network's coarser outputs under deep supervision, finest first.
    """

    stage1: Tensor
    boxes: Tensor
    specialists: Tensor
    fused: Tensor
    coarser: list[Tensor]


class CroCNet(nn.Module):
    """Both stages of paper 003 as one network from image to logits of nnU-Net's classes; 2-D only.

    The result is a map of log odds against the background, which is 0 everywhere; a softmax turns it into
    probabilities. In the heart's box the log odds of an anatomy are its specialist's logit: that is the probability of
    each mask given that at most one holds at a pixel. Everywhere else they are stage 1's. When predicting, stage 1's
    regions outside the box are dropped (paper, figure 2): no anatomy keeps more than 1 % there. In training they stay,
    so that the loss reaches them. An image without a heart keeps stage 1's result.

    Gradients reach stage 1 through the pixels outside the box and through the probabilities that the specialists see,
    not through the choice of the box.

    Args:
        input_channels: Channels of the image.
        num_classes: Classes, the background among them.
        deep_supervision: Whether stage 1's coarser outputs follow the result.
        features_per_stage: Widths of stage 1.
        strides: Strides of stage 1; None halves both axes at each stage. nnU-Net reads it from the plans.
        n_stages: Number of widths, where nnU-Net's plans name it.
        background: Class that is the background.
        anatomies: Classes with a specialist; None for all but the background. Their order only orders the weights.
        specialist_features: Widths of the specialists.
        crop_size: Edge of the specialists' input in pixels; no more than the image, rounded up, is used.
        margin: Pixels around the heart.
        coupled: False for one network in stage 2 without cross-attention (Table 2).
        design: Blocks of the specialists, "paper" or "released".
        stage1_design: Blocks of stage 1.
        freeze_stage1: Keep stage 1 as it is, its batch norms included.
        stage1_output: Whether in training stage 1's logits follow as the last output, to be supervised.

    Raises:
        UsageError: An argument does not fit the others.
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
        background: int = 0,
        anatomies: Sequence[int] | None = None,
        specialist_features: Sequence[int] = SPECIALIST_FEATURES,
        crop_size: int = CROP_SIZE,
        margin: int = PAPER_MARGIN,
        coupled: bool = True,
        design: Design = "paper",
        stage1_design: Design = "paper",
        freeze_stage1: bool = False,
        stage1_output: bool = False,
    ) -> None:
        super().__init__()
        self.background, self.anatomies = background, _checked_anatomies(num_classes, background, anatomies)
        if crop_size < 1 or margin < 0:
            raise UsageError(f"crop_size, margin: expected at least 1 and 0, got {crop_size} and {margin}")
        self.crop_size, self.margin, self.freeze_stage1 = crop_size, margin, freeze_stage1
        self.stage1_output = stage1_output
        self.stage1 = E2AUNet(
            input_channels, num_classes, deep_supervision,
            features_per_stage=features_per_stage, strides=strides, n_stages=n_stages, design=stage1_design,
        )  # fmt: skip
        self.stage2 = SpecialistNetworks(
            input_channels, len(self.anatomies), features=specialist_features, design=design, coupled=coupled
        )
        self.stage1.requires_grad_(not freeze_stage1)

    @property
    def decoder(self) -> Decoder:
        """Stage 1's decoder, whose `deep_supervision` nnU-Net switches."""
        return self.stage1.decoder

    def train(self, mode: bool = True) -> CroCNet:
        """Switch between training and prediction; a frozen stage 1 stays in prediction."""
        super().train(mode)
        if self.freeze_stage1:
            self.stage1.eval()
        return self

    def forward(self, image: Tensor) -> Tensor | list[Tensor]:
        """Return the fused log odds; a list with deep supervision and, in training, with `stage1_output`.

        Args:
            image: Shape (batch, channel, row, column), any size.

        Returns:
            The fused log odds, or a list of them, stage 1's coarser logits and, last, stage 1's own.
        """
        stages = self.forward_stages(image)
        own = [stages.stage1] if self.stage1_output and self.training else []
        outputs = [stages.fused, *stages.coarser, *own]
        return outputs if self.decoder.deep_supervision or own else stages.fused

    def forward_stages(self, image: Tensor) -> Stages:
        """Return what both stages give, to supervise or show them one by one.

        Args:
            image: Shape (batch, channel, row, column), any size.
        """
        with torch.no_grad() if self.freeze_stage1 else nullcontext():
            outputs = self.stage1(image)
        stage1, *coarser = outputs if isinstance(outputs, list) else [outputs]
        logits = at_least_float32(stage1)
        probability = logits.softmax(dim=1)
        boxes, found = find_hearts(1 - probability[:, self.background], margin=self.margin)
        specialists, inside = self._specialists(image, probability[:, self.anatomies], boxes, found)
        odds = logits - logits[:, self.background, None]
        fused = self._fused(odds, specialists, inside, found.to(image.device))
        return Stages(stage1, boxes, specialists, fused, coarser)

    def _specialists(self, image: Tensor, probability: Tensor, boxes: Tensor, found: Tensor) -> tuple[Tensor, Tensor]:
        """Return the specialists' logits at their place, and which pixels they are for."""
        shape = (image.shape[2], image.shape[3])
        size = self._window(shape)
        chosen = torch.ones_like(found)
        if self.training:
            # They are trained on whole batches: an image without a heart lends its middle, and its result is dropped.
            boxes = torch.where(found[:, None], boxes, central_box(shape, size))
        else:
            chosen = found
        places = chosen.nonzero().squeeze(1).to(image.device)
        pasted = probability.new_zeros(probability.shape)
        inside = torch.zeros(len(image), 1, *shape, dtype=torch.bool, device=image.device)
        if len(places):
            crop = HeartCrop(boxes[chosen], shape, size, image.device)
            logits = self.stage2(crop.crop(image[places]), crop.crop(probability[places]))
            pasted = pasted.index_copy(0, places, crop.paste(logits).to(pasted.dtype))
            inside = inside.index_copy(0, places, crop.inside)
        inside = inside & found.to(image.device)[:, None, None, None]
        return torch.where(inside, pasted, 0), inside

    def _window(self, shape: tuple[int, int]) -> tuple[int, int]:
        """Return the size of the crops: `crop_size`, or a smaller image up to the next multiple of the strides."""
        step = 2 ** (len(self.stage2.strides) - 1)
        rows, columns = (min(self.crop_size, math.ceil(extent / step) * step) for extent in shape)
        return rows, columns

    def _fused(self, odds: Tensor, specialists: Tensor, inside: Tensor, found: Tensor) -> Tensor:
        """Return stage 1's log odds with the specialists' in the box and, when predicting, nothing outside it."""
        refined = odds.clone()
        refined[:, self.anatomies] = specialists
        if self.training:
            return torch.where(inside, refined, odds)
        outside = odds.clamp_max(OUTSIDE_LOG_ODDS)
        outside[:, self.background] = 0
        outside = torch.where(found[:, None, None, None], outside, odds)
        return torch.where(inside, refined, outside)


def _checked_anatomies(num_classes: int, background: int, anatomies: Sequence[int] | None) -> list[int]:
    if not 0 <= background < num_classes:
        raise UsageError(f"background: expected a class from 0 to {num_classes - 1}, got {background}")
    others = [index for index in range(num_classes) if index != background]
    chosen = others if anatomies is None else list(anatomies)
    if not chosen or len(set(chosen)) != len(chosen) or not set(others).issuperset(chosen):
        raise UsageError(f"anatomies: expected distinct classes out of {others}, got {chosen}")
    return chosen
