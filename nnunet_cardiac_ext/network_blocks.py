"""The `architecture` block of each network that a plans file may name, made of a stock configuration's own.

So a network gets its dimensions, strides and kernels from what nnU-Net has planned for the data, and the rest from its
paper. The same functions serve `nnunet-cardiac plan` and trainers on stock configurations.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from nnunet_cardiac_ext.errors import UsageError

Block = dict[str, Any]

ATTENTION_MNET = "nnunet_cardiac_ext.architectures.attention_mnet.AttentionMNet"
CROCNET = "nnunet_cardiac_ext.architectures.crocnet.CroCNet"
ATTENTION_UNET = "nnunet_cardiac_ext.architectures.attention_unet.AttentionUNet"
DEEPMEDIC = "nnunet_cardiac_ext.architectures.deepmedic.DeepMedic"
E2A_UNET = "nnunet_cardiac_ext.architectures.e2a_unet.E2AUNet"
FCN = "nnunet_cardiac_ext.architectures.fcn.FullyConvolutionalNetwork"
RESIDUAL_UNET = "dynamic_network_architectures.architectures.unet.ResidualEncoderUNet"
PLAIN_UNET = "dynamic_network_architectures.architectures.unet.PlainConvUNet"
CLASSIFIER_GUIDED = "nnunet_cardiac_ext.architectures.classifier_guided.ClassifierGuidedNet"
SK_UNET = "nnunet_cardiac_ext.architectures.sk_unet.SKUNet"

# Widths and convolutions per level of the networks as published.
ATTENTION_MNET_FEATURES, ATTENTION_MNET_CONVOLUTIONS = (32, 64, 128, 256), (4, 4, 4, 4)
E2A_FEATURES, SPECIALIST_FEATURES = (32, 64, 128, 256, 512), (16, 32, 64, 128, 256)
DEEPMEDIC_FEATURES = (30, 30, 40, 40, 40, 40, 50, 50)
SK_UNET_FEATURES, SK_UNET_CONVOLUTIONS = (32, 64, 128, 256, 512), (2, 2, 2, 2, 2)
FCN_FEATURES, FCN_CONVOLUTIONS = (64, 128, 256, 512), (3, 4, 4, 4)

# Edge of CroCNet's crops and the room around the heart, in pixels.
CROP_SIZE, MARGIN = 128, 15

# Networks without outputs at coarser levels: nothing that deep supervision could reach.
SINGLE_OUTPUT = ("deepmedic", "fcn", "classifier-guided")
# Networks that convolve slices and take whole stacks.
STACK_NETWORKS = ("classifier-guided",)


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


def unet_block(architecture: Block, patch_size: Sequence[int]) -> Block:
    """Return the U-Net itself, each axis of the patch halved as often as it can be.

    Raises:
        UsageError: The block is of another network.
    """
    block = copy.deepcopy(architecture)
    block["arch_kwargs"]["strides"] = _dividing(_strides(architecture), patch_size)
    return block


def residual_unet_block(architecture: Block, patch_size: Sequence[int]) -> Block:
    """Return the U-Net with residual blocks in its encoder, as many in each stage as it has convolutions there."""
    block = unet_block(architecture, patch_size)
    kwargs = block["arch_kwargs"]
    if "n_conv_per_stage" in kwargs:
        kwargs["n_blocks_per_stage"] = kwargs.pop("n_conv_per_stage")
    return block | {"network_class_name": RESIDUAL_UNET}


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
    levels = _levels(architecture, patch_size, ATTENTION_MNET_FEATURES, ATTENTION_MNET_CONVOLUTIONS)
    return _block(ATTENTION_MNET, architecture, "batchnorm.BatchNorm", levels | {"gate": "dual"})


def e2a_unet_block(architecture: Block, patch_size: Sequence[int]) -> Block:
    """Return the E2AUNet of paper 003 on the first five levels of a 2D U-Net, or on all where it has fewer.

    Args:
        architecture: The block of a U-Net of nnU-Net; an E2AUNet's is returned as it is, of a CroCNet the first stage.
        patch_size: Patch in pixels. An axis that the strides of the levels do not divide is halved later.

    Raises:
        UsageError: The block is of another network or three-dimensional, or has a single level.
    """
    if architecture["network_class_name"] == E2A_UNET:
        return architecture
    if architecture["network_class_name"] == CROCNET:
        kwargs = copy.deepcopy(architecture["arch_kwargs"])
        levels = {key: kwargs[key] for key in ("n_stages", "features_per_stage", "strides")}
        return _e2a_block(E2A_UNET, levels | {"design": kwargs["stage1_design"]})
    strides = _first_strides(architecture, patch_size, len(E2A_FEATURES))
    if len(patch_size) != 2:
        raise UsageError(f"network: e2a-unet and crocnet take 2D configurations, got patches {list(patch_size)}")
    count = len(strides)
    levels = {"n_stages": count, "features_per_stage": list(E2A_FEATURES[:count]), "strides": strides}
    return _e2a_block(E2A_UNET, levels | {"design": "paper"})


def crocnet_block(architecture: Block, patch_size: Sequence[int]) -> Block:
    """Return CroCNet, paper 003's two stages, on the E2AUNet that `e2a_unet_block` gives; a CroCNet's as it is."""
    if architecture["network_class_name"] == CROCNET:
        return architecture
    stage1 = copy.deepcopy(e2a_unet_block(architecture, patch_size)["arch_kwargs"])
    stage2 = {
        "stage1_design": stage1.pop("design"),
        "specialist_features": list(SPECIALIST_FEATURES),
        "crop_size": CROP_SIZE,
        "margin": MARGIN,
        "design": "paper",
    }
    return _e2a_block(CROCNET, stage1 | stage2)


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


def fcn_block(architecture: Block, patch_size: Sequence[int]) -> Block:
    """Return the fully convolutional network of Tran (2016) on the levels that an attention M-net would have."""
    levels = _levels(architecture, patch_size, FCN_FEATURES, FCN_CONVOLUTIONS)
    return _block(FCN, architecture, "instancenorm.InstanceNorm", levels, affine=False)


def deepmedic_block(architecture: Block, _patch_size: Sequence[int]) -> Block:
    """Return DeepMedic (2017), whose layers each count as a level that leaves the image as large as it is."""
    axes, count = len(_strides(architecture)[0]), len(DEEPMEDIC_FEATURES)
    levels = {
        "n_stages": count,
        "features_per_stage": list(DEEPMEDIC_FEATURES),
        "kernel_sizes": [[3] * axes for _ in range(count)],
        "strides": [[1] * axes for _ in range(count)],
    }
    return _block(DEEPMEDIC, architecture, "batchnorm.BatchNorm", levels)


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
    levels = _levels(plane, patch_size[-2:], SK_UNET_FEATURES, SK_UNET_CONVOLUTIONS)
    return _block(SK_UNET, plane, "batchnorm.BatchNorm", levels)


def classifier_guided_block(architecture: Block, patch_size: Sequence[int]) -> Block:
    """Return the two-stage network of paper 004, whose stages are SKUNets; arguments and errors as `sk_unet_block`."""
    if architecture["network_class_name"] == CLASSIFIER_GUIDED:
        return architecture
    block = copy.deepcopy(sk_unet_block(architecture, patch_size))
    block["arch_kwargs"] |= {"fusion": True, "refinement": True, "presence": True, "heads": 8, "depth": 2}
    return block | {"network_class_name": CLASSIFIER_GUIDED}


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


def _strides(architecture: Block) -> list[list[int]]:
    """Return a U-Net's strides.

    Raises:
        UsageError: The block is of another network.
    """
    name = architecture["network_class_name"]
    if not (name.startswith("dynamic_network_architectures.") and name.endswith("UNet")):
        raise UsageError(f"plans: expected the architecture of a U-Net of nnU-Net to build on, got {name}")
    return architecture["arch_kwargs"]["strides"]


def _check_plain(architecture: Block) -> None:
    """Refuse all networks but nnU-Net's plain U-Net."""
    name = architecture["network_class_name"]
    if name != PLAIN_UNET:
        raise UsageError(f"plans: expected the architecture of nnU-Net's PlainConvUNet to build on, got {name}")


def _in_plane(architecture: Block) -> Block:
    """Return a U-Net's block without what it does along the slices."""
    strides, kwargs = _strides(architecture), architecture["arch_kwargs"]
    kernels = kwargs["kernel_sizes"]
    changes = {
        "strides": [list(stride[-2:]) for stride in strides],
        "kernel_sizes": [list(kernel[-2:]) for kernel in kernels] if isinstance(kernels, list) else kernels,
        "conv_op": "torch.nn.modules.conv.Conv2d",
    }
    return {**architecture, "arch_kwargs": {**kwargs, **changes}}


def _levels(
    architecture: Block, patch_size: Sequence[int], features: Sequence[int], convolutions: Sequence[int]
) -> dict[str, Any]:
    """Return what is listed per level, for as many levels as both the U-Net and the widths have."""
    strides = _first_strides(architecture, patch_size, len(features))
    count, kernels = len(strides), architecture["arch_kwargs"]["kernel_sizes"]
    return {
        "n_stages": count,
        "features_per_stage": list(features[:count]),
        "kernel_sizes": copy.deepcopy(kernels[:count]) if isinstance(kernels, list) else kernels,
        "strides": strides,
        "n_conv_per_stage": list(convolutions[:count]),
    }


def _first_strides(architecture: Block, patch_size: Sequence[int], count: int) -> list[list[int]]:
    """Return the strides of a U-Net's first levels, at least two, so that they divide the patch."""
    strides = _strides(architecture)[:count]
    if len(strides) < 2:
        raise UsageError("plans: expected a U-Net with at least two levels to build on, got one")
    return _dividing(strides, patch_size)


def _dividing(strides: Sequence[Sequence[int]], patch_size: Sequence[int]) -> list[list[int]]:
    """Return strides that divide the patch: along an axis where they do not, the first ones are left out.

    So 36 slices, which eight does not divide, come as 36, 36, 18 and 9.
    """
    axes = [list(along) for along in zip(*strides, strict=True)]
    for along, edge in zip(axes, patch_size, strict=True):
        for level in range(len(along)):
            if edge % math.prod(along):
                along[level] = 1
    return [list(stride) for stride in zip(*axes, strict=True)]


def _block(name: str, architecture: Block, norm: str, levels: dict[str, Any], *, affine: bool = True) -> Block:
    """Return a block of nnU-Net's form; the convolution is the stock network's."""
    convolution = architecture["arch_kwargs"]["conv_op"]
    kwargs = levels | {
        "conv_op": convolution,
        "conv_bias": True,
        "norm_op": f"torch.nn.modules.{norm}{convolution[-2:]}",
        "norm_op_kwargs": {"eps": 1e-5, "affine": affine},
    }
    return {"network_class_name": name, "arch_kwargs": kwargs, "_kw_requires_import": ["conv_op", "norm_op"]}


def _e2a_block(name: str, kwargs: dict[str, Any]) -> Block:
    return {"network_class_name": name, "arch_kwargs": kwargs, "_kw_requires_import": []}
