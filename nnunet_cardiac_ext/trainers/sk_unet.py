"""Paper 004: the single-slice U-Net with selective-kernel convolutions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from nnunetv2.utilities.plans_handling.plans_handler import ConfigurationManager, PlansManager
from torch import nn

from nnunet_cardiac_ext.losses.cross_entropy import CrossEntropyLoss
from nnunet_cardiac_ext.network_blocks import sk_unet_block
from nnunet_cardiac_ext.registry import PRESETS
from nnunet_cardiac_ext.trainers.planned_network import build_from_block
from nnunet_cardiac_ext.trainers.slice_wise import SliceWiseTrainer


class SKUNetTrainer(SliceWiseTrainer):
    """SKUNet on 2D patches with cross-entropy and Adam.

    Chen et al., Enhancing Cardiac MRI Segmentation via Classifier-Guided Two-Stage Network and All-Slice Information
    Fusion Transformer: "SS SK-UNet" of Table 1. A configuration whose architecture is an SKUNet gets that one, a stock
    configuration one on its own first five levels.
    """

    method_defaults: ClassVar[Mapping[str, Any]] = PRESETS["sk-unet"].settings

    @staticmethod
    def build_network_architecture(
        plans_manager: PlansManager,
        configuration_manager: ConfigurationManager,
        num_input_channels: int,
        num_output_channels: int,
        enable_deep_supervision: bool = True,
    ) -> nn.Module:
        """Return the network of a configuration.

        Raises:
            UsageError: The configuration's architecture is neither an SKUNet nor a U-Net of nnU-Net.
        """
        block = _architecture(configuration_manager)
        return build_from_block(
            block, num_input_channels, num_output_channels, deep_supervision=enable_deep_supervision
        )  # fmt: skip

    def build_segmentation_loss(self) -> nn.Module:
        """Return the cross-entropy."""
        return CrossEntropyLoss(regions=self.label_manager.has_regions, ignore_label=self.label_manager.ignore_label)

    def _get_deep_supervision_scales(self) -> list[list[float]] | None:
        """Return the size of each output relative to the image: one for each level above the bottom."""
        if not self.enable_deep_supervision:
            return None
        strides = np.array(_architecture(self.configuration_manager)["arch_kwargs"]["strides"])
        return (1 / np.cumprod(strides, axis=0)).tolist()[:-1]


def _architecture(configuration_manager: ConfigurationManager) -> dict[str, Any]:
    return sk_unet_block(configuration_manager.configuration["architecture"], configuration_manager.patch_size)
