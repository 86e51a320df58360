"""The networks of paper 004, which convolve slices."""

from __future__ import annotations

import copy
from collections.abc import Sequence

from nnunet_cardiac_ext.network_blocks.stock import Block, convolutional_block, levels_of, strides_of

CLASSIFIER_GUIDED = "nnunet_cardiac_ext.architectures.classifier_guided.ClassifierGuidedNet"
SK_UNET = "nnunet_cardiac_ext.architectures.sk_unet.SKUNet"
SK_UNET_FEATURES, SK_UNET_CONVOLUTIONS = (32, 64, 128, 256, 512), (2, 2, 2, 2, 2)


def sk_unet_block(architecture: Block, patch_size: Sequence[int]) -> Block:
    """Return the U-Net of paper 004 with selective kernels, on the first five levels of a U-Net within the slices.

    Args:
        architecture: The block of a U-Net of nnU-Net, 2D or 3D; an SKUNet's is returned as it is.
        patch_size: Patch in pixels; of a stack the slices are passed over.

    Raises:
        UsageError: The block is of another network, or has a single level.
    """
    if architecture["network_class_name"] == SK_UNET:
        return architecture
    plane = _in_plane(architecture)
    levels = levels_of(plane, patch_size[-2:], SK_UNET_FEATURES, SK_UNET_CONVOLUTIONS)
    return convolutional_block(SK_UNET, plane, "batchnorm.BatchNorm", levels)


def classifier_guided_block(architecture: Block, patch_size: Sequence[int]) -> Block:
    """Return the two-stage network of paper 004, whose stages are SKUNets; arguments and errors as `sk_unet_block`."""
    if architecture["network_class_name"] == CLASSIFIER_GUIDED:
        return architecture
    block = copy.deepcopy(sk_unet_block(architecture, patch_size))
    block["arch_kwargs"] |= {"fusion": True, "refinement": True, "presence": True, "heads": 8, "depth": 2}
    return block | {"network_class_name": CLASSIFIER_GUIDED}


def _in_plane(architecture: Block) -> Block:
    """Return a U-Net's block without what it does along the slices."""
    strides, kwargs = strides_of(architecture), architecture["arch_kwargs"]
    kernels = kwargs["kernel_sizes"]
    changes = {
        "strides": [list(stride[-2:]) for stride in strides],
        "kernel_sizes": [list(kernel[-2:]) for kernel in kernels] if isinstance(kernels, list) else kernels,
        "conv_op": "torch.nn.modules.conv.Conv2d",
    }
    return {**architecture, "arch_kwargs": {**kwargs, **changes}}
