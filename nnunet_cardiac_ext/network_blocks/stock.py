"""Blocks of nnU-Net's own U-Nets, and what others take over from them."""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence
from typing import Any

from nnunet_cardiac_ext.errors import UsageError

Block = dict[str, Any]

PLAIN_UNET = "dynamic_network_architectures.architectures.unet.PlainConvUNet"
RESIDUAL_UNET = "dynamic_network_architectures.architectures.unet.ResidualEncoderUNet"


def unet_block(architecture: Block, patch_size: Sequence[int]) -> Block:
    """Return the U-Net itself, each axis of the patch halved as often as it can be.

    Raises:
        UsageError: The block is of another network.
    """
    block = copy.deepcopy(architecture)
    block["arch_kwargs"]["strides"] = dividing(strides_of(architecture), patch_size)
    return block


def residual_unet_block(architecture: Block, patch_size: Sequence[int]) -> Block:
    """Return the U-Net with residual blocks in its encoder, as many in each stage as it has convolutions there."""
    block = unet_block(architecture, patch_size)
    kwargs = block["arch_kwargs"]
    if "n_conv_per_stage" in kwargs:
        kwargs["n_blocks_per_stage"] = kwargs.pop("n_conv_per_stage")
    return block | {"network_class_name": RESIDUAL_UNET}


def strides_of(architecture: Block) -> list[list[int]]:
    """Return a U-Net's strides.

    Raises:
        UsageError: The block is of another network.
    """
    name = architecture["network_class_name"]
    if not (name.startswith("dynamic_network_architectures.") and name.endswith("UNet")):
        raise UsageError(f"plans: expected the architecture of a U-Net of nnU-Net to build on, got {name}")
    return architecture["arch_kwargs"]["strides"]


def levels_of(
    architecture: Block, patch_size: Sequence[int], features: Sequence[int], convolutions: Sequence[int]
) -> dict[str, Any]:
    """Return what is listed per level, for as many levels as both the U-Net and the widths have."""
    strides = first_strides(architecture, patch_size, len(features))
    count, kernels = len(strides), architecture["arch_kwargs"]["kernel_sizes"]
    return {
        "n_stages": count,
        "features_per_stage": list(features[:count]),
        "kernel_sizes": copy.deepcopy(kernels[:count]) if isinstance(kernels, list) else kernels,
        "strides": strides,
        "n_conv_per_stage": list(convolutions[:count]),
    }


def first_strides(architecture: Block, patch_size: Sequence[int], count: int) -> list[list[int]]:
    """Return the strides of a U-Net's first levels, at least two, so that they divide the patch."""
    strides = strides_of(architecture)[:count]
    if len(strides) < 2:
        raise UsageError("plans: expected a U-Net with at least two levels to build on, got one")
    return dividing(strides, patch_size)


def dividing(strides: Sequence[Sequence[int]], patch_size: Sequence[int]) -> list[list[int]]:
    """Return strides that divide the patch: along an axis where they do not, the first ones are left out.

    So 36 slices, which eight does not divide, come as 36, 36, 18 and 9.
    """
    axes = [list(along) for along in zip(*strides, strict=True)]
    for along, edge in zip(axes, patch_size, strict=True):
        for level in range(len(along)):
            if edge % math.prod(along):
                along[level] = 1
    return [list(stride) for stride in zip(*axes, strict=True)]


def convolutional_block(
    name: str, architecture: Block, norm: str, levels: dict[str, Any], *, affine: bool = True
) -> Block:
    """Return a block of nnU-Net's form; the convolution is the stock network's."""
    convolution = architecture["arch_kwargs"]["conv_op"]
    kwargs = levels | {
        "conv_op": convolution,
        "conv_bias": True,
        "norm_op": f"torch.nn.modules.{norm}{convolution[-2:]}",
        "norm_op_kwargs": {"eps": 1e-5, "affine": affine},
    }
    return {"network_class_name": name, "arch_kwargs": kwargs, "_kw_requires_import": ["conv_op", "norm_op"]}
