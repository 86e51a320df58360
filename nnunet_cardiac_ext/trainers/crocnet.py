"""Paper 003: CroCNet, its first stage alone, and its second stage without specialists."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import torch
from nnunetv2.utilities.plans_handling.plans_handler import ConfigurationManager
from torch import nn

from nnunet_cardiac_ext.errors import UsageError
from nnunet_cardiac_ext.registry import PRESETS
from nnunet_cardiac_ext.settings import BLOCK, CardiacSettings, read_settings
from nnunet_cardiac_ext.trainers.base import Target
from nnunet_cardiac_ext.trainers.initial_weights import checkpoint_path, load_initial_weights
from nnunet_cardiac_ext.trainers.planned_network import PlannedNetworkTrainer
from nnunet_cardiac_ext.trainers.slice_wise import SliceWiseTrainer


class E2AUNetTrainer(SliceWiseTrainer, PlannedNetworkTrainer):
    """The E2AUNet, stage 1 of CroCNet, by itself.

    Khan et al., Crop and Couple: Cardiac Image Segmentation Using Interlinked Specialist Networks. nnU-Net's Dice loss
    alone. A configuration whose architecture is an E2AUNet gets that one, of a CroCNet the first stage, and a stock
    configuration the paper's on its own strides; in training and in prediction alike.
    """

    method_defaults: ClassVar[Mapping[str, Any]] = PRESETS["e2a-unet"].settings
    network_name = "e2a-unet"

    def build_segmentation_loss(self) -> nn.Module:
        """Return nnU-Net's Dice loss without its cross-entropy, the background as one of the classes.

        The heart is cropped by the prediction of the background, and nothing but this loss trains it: without it a
        thin structure may take the background's place.
        """
        loss = super().build_segmentation_loss()
        loss.weight_ce = 0
        loss.dc.do_bg = True
        return loss


class CroCNetTrainer(E2AUNetTrainer):
    """CroCNet, both stages together, or the second on a trained first one (setting `stage1_checkpoint`).

    As in the paper each stage has its Dice loss: that of the result and, weighted by `stage1_loss_weight`, that of
    stage 1's own result.

    Attributes:
        coupled: Whether stage 2 has one specialist for each anatomy, coupled by cross-attention.
    """

    method_defaults: ClassVar[Mapping[str, Any]] = PRESETS["crocnet"].settings
    network_name = "crocnet"
    # They have no background, which it crops by.
    no_regions = "expected labels, got regions, which lack a background"
    coupled: ClassVar[bool] = True

    @classmethod
    def read_settings(cls, plans: dict, configuration: str) -> CardiacSettings:
        """Return the settings of a configuration.

        Raises:
            UsageError: The block is wrong, or stage 1 would start from two files or be frozen without one.
        """
        settings = super().read_settings(plans, configuration)
        where = f"plans, configuration {configuration}, {BLOCK}"
        given = [settings.stage1_checkpoint, settings.initial_weights]
        if None not in given:
            raise UsageError(f"{where}: expected stage1_checkpoint or initial_weights, got both")
        if settings.freeze_stage1 and given == [None, None]:
            raise UsageError(f"{where}.freeze_stage1: expected stage1_checkpoint too, else stage 1 is never trained")
        return settings

    @classmethod
    def network_arguments(cls, configuration_manager: ConfigurationManager) -> dict[str, Any]:
        """Return whether specialists are coupled and what becomes of stage 1."""
        settings = read_settings(configuration_manager.configuration.get(BLOCK), defaults=cls.method_defaults)
        supervised = settings.stage1_loss_weight > 0 and not settings.freeze_stage1
        return {"coupled": cls.coupled, "freeze_stage1": settings.freeze_stage1, "stage1_output": supervised}

    def load_start_weights(self) -> Path | None:
        """Load stage 1 where the setting `stage1_checkpoint` names it; otherwise as in any other training."""
        if self.settings.stage1_checkpoint is None:
            return super().load_start_weights()
        results = Path(self.output_folder_base).parent
        file = checkpoint_path(self.settings.stage1_checkpoint, results=results, fold=self.fold)
        load_initial_weights(self.bare_network.stage1, file, setting="stage1_checkpoint")
        return file

    def compute_loss(self, image: torch.Tensor, target: Target) -> torch.Tensor:
        """Return the loss of the result, and of stage 1's own where that is supervised."""
        outputs = self.network(image)
        if not self.bare_network.stage1_output:
            return self.loss(outputs, target)
        *result, stage1 = outputs
        if self.enable_deep_supervision:
            # Weighted as the finest output is.
            own = self.loss([stage1], target[:1])
        else:
            result, own = result[0], self.loss(stage1, target)
        return self.loss(result, target) + self.settings.stage1_loss_weight * own


class CroCNetSingleTrainer(CroCNetTrainer):
    """CroCNet with one network in stage 2 for all anatomies, without cross-attention (Table 2)."""

    coupled = False
