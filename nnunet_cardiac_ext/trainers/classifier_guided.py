"""Paper 004: networks over whole stacks, in one stage, or in two with a classifier that guides the second."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import torch
from nnunetv2.utilities.plans_handling.plans_handler import ConfigurationManager
from torch import Tensor, nn

from nnunet_cardiac_ext.architectures.all_slice_fusion import only_real
from nnunet_cardiac_ext.architectures.classifier_guided import StageOutputs
from nnunet_cardiac_ext.architectures.slice_transformer import SliceTransformer
from nnunet_cardiac_ext.losses.classifier_guided import ClassifierGuidedLoss
from nnunet_cardiac_ext.losses.cross_entropy import CrossEntropyLoss
from nnunet_cardiac_ext.registry import PRESETS
from nnunet_cardiac_ext.trainers.planned_network import PlannedNetworkTrainer
from nnunet_cardiac_ext.trainers.stacks import StackTrainer


class ClassifierGuidedTrainer(StackTrainer, PlannedNetworkTrainer):
    """The classifier-guided two-stage network on whole stacks.

    Chen et al., Enhancing Cardiac MRI Segmentation via Classifier-Guided Two-Stage Network and All-Slice Information
    Fusion Transformer: "Proposed" of Table 1. A configuration whose architecture is a classifier-guided network gets
    that one with the parts that its block names (`fusion`, `refinement`, `presence`: the rows of Table 2), a stock
    configuration the paper's on its own first five levels within the slices.
    """

    method_defaults: ClassVar[Mapping[str, Any]] = PRESETS["all-slice"].settings
    network_name = "classifier-guided"
    no_regions = (
        "expected labels that exclude each other, got regions in dataset.json; "
        "the probabilities that the second stage sees sum to 1"
    )

    def parameter_groups(self) -> list[dict[str, Any]]:
        """Return all parameters, those of the transformers in a group with its own rate where the settings say so."""
        (everything,) = super().parameter_groups()
        factor = self.settings.transformer_lr_factor
        transformers = [part for part in self.network.modules() if isinstance(part, SliceTransformer)]
        if factor == 1 or not transformers:
            return [everything]
        theirs = {parameter for part in transformers for parameter in part.parameters()}
        return [
            {"params": [parameter for parameter in everything["params"] if parameter not in theirs]},
            {"params": [parameter for parameter in everything["params"] if parameter in theirs],
             "lr": factor * self.settings.initial_lr},
        ]  # fmt: skip

    def _build_loss(self) -> nn.Module:
        return StageLoss(weight=self.settings.presence_weight, ignore_label=self.label_manager.ignore_label)


class AllSliceFusionTrainer(ClassifierGuidedTrainer):
    """One stage without a classifier on whole stacks: "AS After-UNet" of Table 1, on any configuration of stacks."""

    @classmethod
    def network_arguments(cls, configuration_manager: ConfigurationManager) -> dict[str, Any]:
        """Return that there is neither a second stage nor a classifier."""
        return {"refinement": False, "presence": False}


class StageLoss(nn.Module):
    """Sum of the losses of all stages over the slices that are no padding (section 2.4).

    A stage without classifier has the cross-entropy, the last one with a classifier `ClassifierGuidedLoss`.

    Args:
        weight: Lambda of the classification.
        ignore_label: Label of pixels that do not count.
    """

    def __init__(self, *, weight: float, ignore_label: int | None = None) -> None:
        super().__init__()
        self.plain = CrossEntropyLoss(ignore_label=ignore_label)
        self.guided = ClassifierGuidedLoss(weight=weight, ignore_label=ignore_label)

    def forward(self, outputs: StageOutputs, targets: Sequence[Tensor]) -> Tensor:
        """Return the sum, a single number.

        Args:
            outputs: All that the network says.
            targets: One tensor of labels (B, 1, slice, row, column).
        """
        labels = only_real(targets[0], outputs.real)
        *first, last = outputs.stages
        terms = [self.plain(stage, labels) for stage in first]
        if outputs.presence is None:
            terms.append(self.plain(last, labels))
        else:
            terms.append(self.guided(last, outputs.presence, labels))
        return torch.stack(terms).sum()
