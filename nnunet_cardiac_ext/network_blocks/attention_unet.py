"""The U-Net with attention maps of paper 001."""

from __future__ import annotations

from collections.abc import Sequence

from nnunet_cardiac_ext.errors import UsageError
from nnunet_cardiac_ext.network_blocks.stock import PLAIN_UNET, Block, unet_block

ATTENTION_UNET = "nnunet_cardiac_ext.architectures.attention_unet.AttentionUNet"


def attention_unet_block(architecture: Block, patch_size: Sequence[int]) -> Block:
    """Return the U-Net with the attention maps of paper 001; levels, widths and the rest stay.

    Args:
        architecture: The block of nnU-Net's plain U-Net; one with attention is returned as it is.
        patch_size: Patch in voxels.

    Raises:
        UsageError: The block is of another network.
    """
    if architecture["network_class_name"] == ATTENTION_UNET:
        return architecture
    _check_plain(architecture)
    return unet_block(architecture, patch_size) | {"network_class_name": ATTENTION_UNET}


def _check_plain(architecture: Block) -> None:
    """Refuse all networks but nnU-Net's plain U-Net."""
    name = architecture["network_class_name"]
    if name != PLAIN_UNET:
        raise UsageError(f"plans: expected the architecture of nnU-Net's PlainConvUNet to build on, got {name}")
