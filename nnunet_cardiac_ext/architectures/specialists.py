"""The second stage of CroCNet: one network per anatomy, with shared weights, coupled in the encoder (paper 003)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from scipy.special import logit
from torch import Tensor, nn

from nnunet_cardiac_ext.architectures.cross_attention import CrossAttentionBlock
from nnunet_cardiac_ext.architectures.e2a_blocks import Design
from nnunet_cardiac_ext.architectures.e2a_unet import Decoder, Encoder, checked_strides

# C1 to C5 of the paper's section 3.3.
SPECIALIST_FEATURES = (16, 32, 64, 128, 256)
# Of an anatomy in a pixel of the crop before training. From 1/2 one was seen to take the background's place there and
# to keep it: the Dice of the background, most of which is outside the crop, hardly falls by that.
START_PROBABILITY = 0.1


class SpecialistNetworks(nn.Module):
    """Binary segmentation of each anatomy in the crop, by one network that runs once for each (paper 003, section 3.3).

    All streams run as one batch, anatomy by anatomy, so that a batch norm sees them together, in training as later.
    Only the cross-attention blocks, one after each encoder stage, have weights of their own for each stream.

    Args:
        input_channels: Channels of the image.
        anatomies: Number of anatomies.
        features: Width of each stage, the bottom last.
        design: "paper" or "released".
        coupled: False for the paper's ablation (Table 2): one network sees the image and all probabilities, and has an
            output for each anatomy; no cross-attention.
    """

    def __init__(
        self,
        input_channels: int,
        anatomies: int,
        *,
        features: Sequence[int] = SPECIALIST_FEATURES,
        design: Design = "paper",
        coupled: bool = True,
    ) -> None:
        super().__init__()
        self.coupled = coupled
        self.strides = checked_strides(features, None)
        couplings = [CrossAttentionBlock(width, anatomies) for width in features] if coupled else None
        masks, outputs = (1, 1) if coupled else (anatomies, anatomies)
        self.encoder = Encoder(input_channels + masks, features, self.strides, design, couplings)
        self.decoder = Decoder(features, self.strides, outputs, design)
        for layer in self.decoder.seg_layers:
            nn.init.constant_(layer.bias, logit(START_PROBABILITY))
        self.to(memory_format=torch.channels_last)

    def forward(self, image: Tensor, probabilities: Tensor) -> Tensor:
        """Return the logit of each anatomy's mask, shape (batch, anatomy, row, column).

        Args:
            image: Shape (batch, channel, row, column).
            probabilities: Those of the first stage, shape (batch, anatomy, row, column).
        """
        if not self.coupled:
            return self.decoder(self.encoder(torch.cat([image, probabilities], dim=1)))
        streams = [torch.cat([image, mask[:, None]], dim=1) for mask in probabilities.unbind(dim=1)]
        logits = self.decoder(self.encoder(torch.cat(streams)))
        return logits.unflatten(0, (len(streams), -1)).squeeze(2).transpose(0, 1)
