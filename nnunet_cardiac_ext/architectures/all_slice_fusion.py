"""A 2-D U-Net over all slices of a stack, which tell each other what they hold at the bottom (paper 004).

Chen et al., *Enhancing Cardiac MRI Segmentation via Classifier-Guided Two-Stage Network and All-Slice Information
Fusion Transformer*, section 2.2, after AFTer-UNet (Yan et al., WACV 2022).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor, nn

from nnunet_cardiac_ext.architectures.sk_unet import FEATURES, SKUNet
from nnunet_cardiac_ext.architectures.slice_transformer import SliceTransformer, spread


class AllSliceFusionUNet(nn.Module):
    """SKUNet on every slice of a stack, with a `SliceTransformer` between encoder and decoder.

    Stacks may have any number of slices. Slices that are 0 in all channels are padding (`real_slices`): they are taken
    out before the first convolution, so that no statistic of a batch normalisation and no attention sees them, and
    their logits are 0, for which the first class is chosen.

    Args:
        input_channels: Channels of the image.
        num_classes: Channels of each output.
        deep_supervision: Whether the levels above the bottom all have an output.
        fusion: False leaves the transformer out: every slice by itself (the paper's single-slice models).
        heads: Heads of the transformer.
        depth: Layers of its two parts, each.
        features_per_stage: Channels of each level; `heads` divides the last.
        unet: Further arguments of `SKUNet`.

    Raises:
        ValueError: As `SKUNet` and `SliceTransformer`.
    """

    def __init__(
        self,
        input_channels: int,
        num_classes: int,
        deep_supervision: bool = False,
        *,
        fusion: bool = True,
        heads: int = 8,
        depth: int = 2,
        features_per_stage: Sequence[int] = FEATURES,
        **unet: Any,
    ) -> None:
        super().__init__()
        slice_wise = SKUNet(
            input_channels, num_classes, deep_supervision, features_per_stage=features_per_stage, **unet
        )  # fmt: skip
        self.encoder, self.decoder = slice_wise.encoder, slice_wise.decoder
        self.fusion = SliceTransformer(features_per_stage[-1], heads=heads, depth=depth) if fusion else None

    def forward(self, image: Tensor) -> Tensor | list[Tensor]:
        """Return logits (B, num_classes, slice, row, column), with deep supervision a list of them, finest first.

        Args:
            image: Shape (B, input_channels, slice, row, column).
        """
        real = real_slices(image)
        outputs, _ = self.of_slices(only_real(image, real), real)
        stacks = [as_stacks(output, real) for output in outputs]
        return stacks if self.decoder.deep_supervision else stacks[0]

    def of_slices(self, slices: Tensor, real: Tensor) -> tuple[list[Tensor], Tensor]:
        """Return the outputs of slices without padding, finest first, and the encoder's features at the bottom.

        Args:
            slices: Shape (N, input_channels, row, column).
            real: Which slices of the stacks these are, shape (stack, slice).
        """
        encoded = self.encoder(slices)
        bottom = encoded[-1]
        if self.fusion is not None:
            encoded[-1] = self.fusion(bottom, real)
        decoded = self.decoder(encoded)
        return decoded if isinstance(decoded, list) else [decoded], bottom

    initialize = staticmethod(SKUNet.initialize)


def real_slices(image: Tensor) -> Tensor:
    """Tell real slices from padding: nnU-Net and our loader pad with 0, which no normalised slice is all over.

    A real slice of nothing but 0 (nnU-Net puts 0 outside its mask, if it normalises within one) holds nothing to
    segment and counts as padding. A stack of nothing else is taken as it is, so that there is something to compute.

    Args:
        image: Shape (B, channel, slice, row, column).

    Returns:
        Booleans, shape (B, slice), at least one of each stack true.
    """
    real = (image != 0).flatten(3).any(dim=3).any(dim=1)
    return real | ~real.any(dim=1, keepdim=True)


def only_real(stacks: Tensor, real: Tensor) -> Tensor:
    """Return the slices that are no padding, stack after stack, shape (N, channel, row, column).

    Args:
        stacks: Shape (B, channel, slice, row, column).
        real: Shape (B, slice).
    """
    return stacks.transpose(1, 2)[real]


def as_stacks(slices: Tensor, real: Tensor) -> Tensor:
    """Return slices as stacks (B, channel, slice, row, column), 0 where there is padding: the way back."""
    return spread(slices, real).transpose(1, 2)
