"""Paper 001: infarct and no-reflow within a known anatomy, and the ablations of its Table 1."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import torch
from nnunetv2.training.dataloading.data_loader import nnUNetDataLoader
from nnunetv2.training.dataloading.nnunet_dataset import nnUNetBaseDataset
from nnunetv2.utilities.plans_handling.plans_handler import ConfigurationManager, PlansManager
from torch import nn

from nnunet_cardiac_ext.architectures.weight_generator import WeightGenerator
from nnunet_cardiac_ext.data.heart_slices import hearts_of, left_ventricle_labels
from nnunet_cardiac_ext.data.mixup_loader import MixupLoader
from nnunet_cardiac_ext.data.stack_regions import label_map_of
from nnunet_cardiac_ext.errors import UsageError
from nnunet_cardiac_ext.losses.anatomy_prior import AnatomyPriorLoss
from nnunet_cardiac_ext.losses.automated_weighted_cross_entropy import collapse_barrier
from nnunet_cardiac_ext.losses.neighborhood_penalty import NeighborhoodPenalty, nested_pairs
from nnunet_cardiac_ext.registry import PRESETS
from nnunet_cardiac_ext.settings import BLOCK, CardiacSettings
from nnunet_cardiac_ext.trainers.base import Target
from nnunet_cardiac_ext.trainers.class_weight_log import ClassWeightLog
from nnunet_cardiac_ext.trainers.planned_network import PlannedNetworkTrainer

WEIGHT_GENERATOR = "weight_generator"


class AnatomyPriorBaselineTrainer(PlannedNetworkTrainer):
    """The plain U-Net with cross-entropy and pathology mixup: first row of the paper's Table 1.

    Zhou et al., Anatomy Prior Based U-net for Pathology Segmentation with Attention. The validation loss of all four
    trainers is that of hard labels with class weights of 1.

    Attributes:
        attention: Whether the U-Net has attention maps; without them it is the plain one, weight by weight.
    """

    method_defaults: ClassVar[Mapping[str, Any]] = PRESETS["anatomy-prior"].settings
    network_name = "attention-unet"
    # No softmax belongs to them.
    no_regions = "expected a data set with one label per voxel, got regions"
    attention: ClassVar[bool] = False

    @classmethod
    def read_settings(cls, plans: dict, configuration: str) -> CardiacSettings:
        """Return the settings of a configuration; a 3D one is without mixup, which blends slices.

        Raises:
            UsageError: The block is wrong, or wants mixup in a 3D configuration.
        """
        settings = super().read_settings(plans, configuration)
        content = PlansManager(plans).get_configuration(configuration)
        if len(content.patch_size) == 2:
            return settings
        wanted = content.configuration.get(BLOCK, {}).get("mixup_probability", 0)
        if wanted:
            raise UsageError(
                f"cardiac.mixup_probability: expected 0 in the 3D configuration {configuration}, got {wanted:g}"
            )
        return replace(settings, mixup_probability=0.0)

    @classmethod
    def network_arguments(cls, configuration_manager: ConfigurationManager) -> dict[str, Any]:
        """Return whether blocks have attention maps, whatever the configuration says."""
        return {"attention": cls.attention}

    @classmethod
    def coarser_outputs(cls, network: nn.Module) -> nn.Module | None:
        """Return the outputs of the coarser levels."""
        return network.decoder.seg_layers[:-1]

    def build_segmentation_loss(self) -> nn.Module:
        """Return the cross-entropy of labels or shares."""
        return AnatomyPriorLoss()

    def build_loader(
        self, dataset: nnUNetBaseDataset, patch_size: Any, transforms: Any, *, training: bool
    ) -> nnUNetDataLoader:
        """Return the loader; for training the one with mixup, where the settings ask for it.

        Raises:
            UsageError: The data set's labels are no heart's, or not two cases hold one.
        """
        settings = self.settings
        if not training or not settings.mixup_probability:
            return super().build_loader(dataset, patch_size, transforms, training=training)
        label_map = label_map_of(self.dataset_json)
        return MixupLoader(
            *self._loader_arguments(dataset, patch_size),
            hearts=hearts_of(dataset, label_map, quiet=self.local_rank != 0),
            heart_labels=left_ventricle_labels(label_map),
            probability=settings.mixup_probability,
            tolerance=settings.mixup_height,
            **self._loader_options(transforms),
        )


class AnatomyPriorAttentionTrainer(AnatomyPriorBaselineTrainer):
    """The U-Net with attention maps on its blocks, cross-entropy and pathology mixup: second row of Table 1."""

    attention = True


class AnatomyPriorAWCETrainer(AnatomyPriorAttentionTrainer):
    """The attention U-Net whose class weights a second network makes from the image: fourth row of Table 1.

    That network is trained along and is in the checkpoint; prediction does without it. The weights of each epoch are in
    `class_weights.csv` (`ClassWeightLog`).
    """

    def training_only_modules(self) -> dict[str, nn.Module]:
        """Return the weight generator."""
        generator = WeightGenerator(
            self.num_input_channels,
            self.label_manager.num_segmentation_heads,
            dims=len(self.configuration_manager.patch_size),
            mean_one=self.settings.awce_normalization == "mean",
        )
        return {WEIGHT_GENERATOR: generator}

    def compute_loss(self, image: torch.Tensor, target: Target) -> torch.Tensor:
        """Return the loss of a training batch, with the barrier that keeps the class weights from collapse.

        The barrier counts in units of the loss without weights, so that it holds as much at the end of a training, when
        all losses are small, as at its beginning.
        """
        weights = self.training_modules[WEIGHT_GENERATOR](image)
        output = self.network(image)
        listed = isinstance(output, list | tuple)
        self._class_weights.add(weights, target[0] if isinstance(target, list) else target)
        loss = self.loss(output, target, [weights] * len(output) if listed else weights)
        with torch.no_grad():
            unit = self.loss(output, target)
        return loss + self.settings.awce_barrier * unit * collapse_barrier(weights)

    def on_train_epoch_start(self) -> None:
        """Begin an epoch."""
        super().on_train_epoch_start()
        names = {value: name for name, value in self.dataset_json["labels"].items()}
        classes = [names[value] for value in sorted(names)][: self.label_manager.num_segmentation_heads]
        self._class_weights = ClassWeightLog(Path(self.output_folder), classes)

    def on_train_epoch_end(self, train_outputs: list[dict]) -> None:
        """Log the training loss and the class weights."""
        super().on_train_epoch_end(train_outputs)
        means = self._class_weights.means(all_processes=self.is_ddp)
        if self.local_rank == 0:
            self._class_weights.write(self.current_epoch, means)
        self.print_to_log_file("class weights", {name: round(weight, 3) for name, weight, _ in means})


class AnatomyPriorTrainer(AnatomyPriorAWCETrainer):
    """The whole method, with the neighbourhood penalty: third row of Table 1."""

    def build_segmentation_loss(self) -> nn.Module:
        """Return the cross-entropy plus the penalty.

        Raises:
            UsageError: The data set lacks a label that the pairs name.
        """
        settings = self.settings
        if not settings.neighborhood_weight:
            return super().build_segmentation_loss()
        pairs = nested_pairs(settings.neighborhood_pairs, self.dataset_json["labels"])
        penalty = NeighborhoodPenalty(pairs, threshold=settings.neighborhood_threshold)
        return AnatomyPriorLoss(penalty, coefficient=settings.neighborhood_weight)
