"""Paper 004: the single-slice U-Net with selective-kernel convolutions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from torch import nn

from nnunet_cardiac_ext.losses.cross_entropy import CrossEntropyLoss
from nnunet_cardiac_ext.registry import PRESETS
from nnunet_cardiac_ext.trainers.planned_network import PlannedNetworkTrainer
from nnunet_cardiac_ext.trainers.slice_wise import SliceWiseTrainer


class SKUNetTrainer(SliceWiseTrainer, PlannedNetworkTrainer):
    """SKUNet on 2D patches with cross-entropy and Adam.

    Chen et al., Enhancing Cardiac MRI Segmentation via Classifier-Guided Two-Stage Network and All-Slice Information
    Fusion Transformer: "SS SK-UNet" of Table 1. A configuration whose architecture is an SKUNet gets that one, a stock
    configuration one on its own first five levels.
    """

    method_defaults: ClassVar[Mapping[str, Any]] = PRESETS["sk-unet"].settings
    network_name = "sk-unet"

    def build_segmentation_loss(self) -> nn.Module:
        """Return the cross-entropy."""
        return CrossEntropyLoss(regions=self.label_manager.has_regions, ignore_label=self.label_manager.ignore_label)
