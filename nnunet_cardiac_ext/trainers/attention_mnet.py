"""Paper 000: the attention M-net, with and without the distance-derived loss."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from nnunetv2.utilities.ddp_allgather import AllGatherGrad
from nnunetv2.utilities.plans_handling.plans_handler import PlansManager
from torch import distributed, nn

from nnunet_cardiac_ext.errors import UsageError
from nnunet_cardiac_ext.losses.balanced_cross_entropy import BalancedCrossEntropyLoss
from nnunet_cardiac_ext.losses.distance_derived import DistanceDerivedLoss
from nnunet_cardiac_ext.losses.generalized_dice import GeneralizedDiceLoss
from nnunet_cardiac_ext.losses.targets import SegmentationLoss
from nnunet_cardiac_ext.losses.weighted_sum import WeightedSumLoss
from nnunet_cardiac_ext.registry import PRESETS
from nnunet_cardiac_ext.settings import CardiacSettings
from nnunet_cardiac_ext.trainers.base import Target
from nnunet_cardiac_ext.trainers.planned_network import PlannedNetworkTrainer

# Weight of the loss at the final output and at each coarser one (section III B).
FINAL_WEIGHT, COARSER_WEIGHT = 1.0, 0.5


class AttMnetTrainer(PlannedNetworkTrainer):
    """The attention M-net with generalized Dice and balanced cross-entropy.

    Huang et al., 3D Attention M-net for Short-axis Left Ventricular Myocardium Segmentation in Mice MR Cardiac Images.
    A configuration whose architecture is an attention M-net gets that one, a stock configuration the paper's on its
    own strides; in training and in prediction alike. The learning rate falls when the generalized Dice loss of the
    final output stops falling on the validation batches.
    """

    method_defaults: ClassVar[Mapping[str, Any]] = PRESETS["attention-mnet"].settings
    network_name = "attention-mnet"
    output_at_bottom = True

    @classmethod
    def coarser_outputs(cls, network: nn.Module) -> nn.Module | None:
        """Return the heads of the coarser levels."""
        return network.decoder.heads

    def weighted_losses(self) -> list[tuple[SegmentationLoss, float]]:
        """Return the losses of one output, each with its weight."""
        options = self._loss_options()
        return [
            (GeneralizedDiceLoss(**options), self.settings.gdl_weight),
            (BalancedCrossEntropyLoss(**options), self.settings.bce_weight),
        ]

    def build_segmentation_loss(self) -> nn.Module:
        """Return the weighted sum of the losses.

        Raises:
            UsageError: All weights are 0.
        """
        losses, weights = zip(*self.weighted_losses(), strict=True)
        if not any(weights):
            raise UsageError(f"cardiac.gdl_weight, bce_weight: expected a weight above 0, got {list(weights)}")
        return WeightedSumLoss(losses, weights)

    def output_weights(self, n_outputs: int) -> Sequence[float]:
        """Return 1 for the final output and 0.5 for each coarser one, unless the settings say otherwise."""
        return super().output_weights(n_outputs) or [FINAL_WEIGHT, *[COARSER_WEIGHT] * (n_outputs - 1)]

    def plateau_quantity(self) -> float:
        """Return the generalized Dice loss of the final output, the mean over the epoch's validation batches."""
        losses = self._final_losses
        if self.is_ddp:
            everywhere: list[list[float]] = [[] for _ in range(distributed.get_world_size())]
            distributed.all_gather_object(everywhere, losses)
            losses = [loss for part in everywhere for loss in part]
        mean = float(np.mean(losses))
        self.print_to_log_file("generalized Dice loss of the final output", round(mean, 4))
        return mean

    def on_validation_epoch_start(self) -> None:
        """Begin the validation of an epoch."""
        super().on_validation_epoch_start()
        self._final_losses: list[float] = []

    def validation_step(self, batch: dict) -> dict:
        """Return loss and overlap of one validation batch; note the generalized Dice loss on the way."""
        # nnU-Net changes the target after the loss has seen it, so it has to be looked at there.
        watch = self.loss.register_forward_pre_hook(self._note_final_loss)
        try:
            return super().validation_step(batch)
        finally:
            watch.remove()

    def _note_final_loss(self, _loss: nn.Module, outputs_and_targets: tuple[Target, Target]) -> None:
        output, target = (part[0] if isinstance(part, list | tuple) else part for part in outputs_and_targets)
        self._final_losses.append(float(GeneralizedDiceLoss(**self._loss_options())(output, target)))

    def _loss_options(self) -> dict[str, Any]:
        batch = self.configuration_manager.batch_dice
        return {
            "regions": self.label_manager.has_regions,
            "ignore_label": self.label_manager.ignore_label,
            "batch": batch,
            "gather": AllGatherGrad.apply if batch and self.is_ddp else None,
        }


class AttMnetDDLTrainer(AttMnetTrainer):
    """The attention M-net with generalized Dice, balanced cross-entropy and the distance-derived loss."""

    @classmethod
    def read_settings(cls, plans: dict, configuration: str) -> CardiacSettings:
        """Return the settings of a configuration.

        Raises:
            UsageError: The block is wrong, or wants distances through the stack in a two-dimensional configuration.
        """
        settings = super().read_settings(plans, configuration)
        axes = len(PlansManager(plans).get_configuration(configuration).patch_size)
        if settings.ddl_dims > axes:
            raise UsageError(f"cardiac.ddl_dims: expected 2 in the 2D configuration {configuration}, got 3")
        return settings

    def weighted_losses(self) -> list[tuple[SegmentationLoss, float]]:
        """Return the losses of one output, each with its weight."""
        settings, extent = self.settings, None
        if settings.ddl_dims == 3:
            plan = self.configuration_manager
            extent = [step * edge for step, edge in zip(plan.spacing, plan.patch_size, strict=True)]
        distance = DistanceDerivedLoss(dims=settings.ddl_dims, extent=extent, **self._loss_options())
        return [*super().weighted_losses(), (distance, settings.ddl_weight)]
