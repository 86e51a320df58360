"""CroCNet of paper 003 and its first stage."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

from nnunet_cardiac_ext.errors import UsageError
from nnunet_cardiac_ext.network_blocks.stock import Block, first_strides

CROCNET = "nnunet_cardiac_ext.architectures.crocnet.CroCNet"
E2A_UNET = "nnunet_cardiac_ext.architectures.e2a_unet.E2AUNet"

# Widths of the first stage and of the specialists.
E2A_FEATURES, SPECIALIST_FEATURES = (32, 64, 128, 256, 512), (16, 32, 64, 128, 256)
# Edge of the crops and the room around the heart, in pixels.
CROP_SIZE, MARGIN = 128, 15


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
    strides = first_strides(architecture, patch_size, len(E2A_FEATURES))
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


def _e2a_block(name: str, kwargs: dict[str, Any]) -> Block:
    return {"network_class_name": name, "arch_kwargs": kwargs, "_kw_requires_import": []}
