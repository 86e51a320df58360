"""The attention M-net of paper 000, and the networks without a U-Net's skips that its Table I compares it with."""

from __future__ import annotations

from collections.abc import Sequence

from nnunet_cardiac_ext.network_blocks.stock import Block, convolutional_block, levels_of, strides_of

ATTENTION_MNET = "nnunet_cardiac_ext.architectures.attention_mnet.AttentionMNet"
DEEPMEDIC = "nnunet_cardiac_ext.architectures.deepmedic.DeepMedic"
FCN = "nnunet_cardiac_ext.architectures.fcn.FullyConvolutionalNetwork"

# Widths and convolutions per level of the networks as published.
ATTENTION_MNET_FEATURES, ATTENTION_MNET_CONVOLUTIONS = (32, 64, 128, 256), (4, 4, 4, 4)
DEEPMEDIC_FEATURES = (30, 30, 40, 40, 40, 40, 50, 50)
FCN_FEATURES, FCN_CONVOLUTIONS = (64, 128, 256, 512), (3, 4, 4, 4)


def attention_mnet_block(architecture: Block, patch_size: Sequence[int]) -> Block:
    """Return the attention M-net of paper 000 on the first four levels of a U-Net, or on all where it has fewer.

    Args:
        architecture: The block of a U-Net of nnU-Net; an attention M-net's is returned as it is.
        patch_size: Patch in voxels. An axis that the strides of the levels do not divide is halved later.

    Raises:
        UsageError: The block is of another network, or has a single level.
    """
    if architecture["network_class_name"] == ATTENTION_MNET:
        return architecture
    levels = levels_of(architecture, patch_size, ATTENTION_MNET_FEATURES, ATTENTION_MNET_CONVOLUTIONS)
    return convolutional_block(ATTENTION_MNET, architecture, "batchnorm.BatchNorm", levels | {"gate": "dual"})


def fcn_block(architecture: Block, patch_size: Sequence[int]) -> Block:
    """Return the fully convolutional network of Tran (2016) on the levels that an attention M-net would have."""
    levels = levels_of(architecture, patch_size, FCN_FEATURES, FCN_CONVOLUTIONS)
    return convolutional_block(FCN, architecture, "instancenorm.InstanceNorm", levels, affine=False)


def deepmedic_block(architecture: Block, _patch_size: Sequence[int]) -> Block:
    """Return DeepMedic (2017), whose layers each count as a level that leaves the image as large as it is."""
    axes, count = len(strides_of(architecture)[0]), len(DEEPMEDIC_FEATURES)
    levels = {
        "n_stages": count,
        "features_per_stage": list(DEEPMEDIC_FEATURES),
        "kernel_sizes": [[3] * axes for _ in range(count)],
        "strides": [[1] * axes for _ in range(count)],
    }
    return convolutional_block(DEEPMEDIC, architecture, "batchnorm.BatchNorm", levels)
