"""The `architecture` block of each network that a plans file may name, made of a stock configuration's own.

So a network gets its dimensions, strides and kernels from what nnU-Net has planned for the data, and the rest from its
paper. The same functions serve `nnunet-cardiac plan` and trainers on stock configurations. A new network is a module
here and a line in `NETWORKS`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

from nnunet_cardiac_ext.errors import UsageError
from nnunet_cardiac_ext.network_blocks.all_slice import classifier_guided_block, sk_unet_block
from nnunet_cardiac_ext.network_blocks.attention_mnet import attention_mnet_block, deepmedic_block, fcn_block
from nnunet_cardiac_ext.network_blocks.attention_unet import attention_unet_block
from nnunet_cardiac_ext.network_blocks.crocnet import crocnet_block, e2a_unet_block
from nnunet_cardiac_ext.network_blocks.stock import Block, residual_unet_block, unet_block

__all__ = ["NETWORKS", "SINGLE_OUTPUT", "STACK_NETWORKS", "WHOLE_IMAGE_NETWORKS", "Block", "with_network"]

NETWORKS: Mapping[str, Callable[[Block, Sequence[int]], Block]] = MappingProxyType(
    {
        "unet": unet_block,
        "residual-unet": residual_unet_block,
        "attention-mnet": attention_mnet_block,
        "attention-unet": attention_unet_block,
        "deepmedic": deepmedic_block,
        "fcn": fcn_block,
        "e2a-unet": e2a_unet_block,
        "crocnet": crocnet_block,
        "sk-unet": sk_unet_block,
        "classifier-guided": classifier_guided_block,
    }
)

# Networks without outputs at coarser levels: nothing that deep supervision could reach.
SINGLE_OUTPUT = ("deepmedic", "fcn", "classifier-guided")
# Networks that convolve slices and take whole stacks.
STACK_NETWORKS = ("classifier-guided",)
# Networks that look at an image as a whole: a heart region to crop, attention over all positions.
WHOLE_IMAGE_NETWORKS = ("e2a-unet", "crocnet", "classifier-guided")


def with_network(architecture: Block, network: str, patch_size: Sequence[int]) -> Block:
    """Return the block of a network in place of a stock configuration's.

    Args:
        architecture: The block of a U-Net of nnU-Net.
        network: One of `NETWORKS`.
        patch_size: Patch in voxels.

    Raises:
        UsageError: Another network, or the block is not of a U-Net.
    """
    if not isinstance(network, str) or network not in NETWORKS:
        raise UsageError(f"network: expected one of {', '.join(NETWORKS)}, got {network!r}")
    return NETWORKS[network](architecture, patch_size)
