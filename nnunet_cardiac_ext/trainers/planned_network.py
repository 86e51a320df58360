"""Build a network from a block of nnU-Net's form, as training and prediction both do."""

from __future__ import annotations

from typing import Any

from nnunetv2.utilities.get_network_from_plans import get_network_from_plans
from torch import nn


def build_from_block(
    block: dict[str, Any], input_channels: int, output_channels: int, *, deep_supervision: bool, **arguments: Any
) -> nn.Module:
    """Return the network of an `architecture` block, its weights as nnU-Net starts them.

    Args:
        block: `network_class_name`, `arch_kwargs` and `_kw_requires_import`.
        input_channels: Channels of the image.
        output_channels: Number of logits.
        deep_supervision: Whether the network returns the outputs of coarser levels too.
        arguments: Further arguments of the network, put over those of the block.
    """
    return get_network_from_plans(
        block["network_class_name"], block["arch_kwargs"] | arguments, block["_kw_requires_import"],
        input_channels, output_channels, allow_init=True, deep_supervision=deep_supervision,
    )  # fmt: skip
