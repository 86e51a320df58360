"""The classifier-guided two-stage network of paper 004, with all of its ablations.

Chen et al., *Enhancing Cardiac MRI Segmentation via Classifier-Guided Two-Stage Network and All-Slice Information
Fusion Transformer*, sections 2.1 to 2.3.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from nnunet_cardiac_ext.architectures.all_slice_fusion import AllSliceFusionUNet, as_stacks, only_real, real_slices
from nnunet_cardiac_ext.architectures.sk_unet import FEATURES, SKUNet

# A structure is there if its probability is above this.
PRESENT = 0.5
# How far a structure that is not there lies below all others, in logits: e^10 times less probable, and within the
# range of half precision, in which nnU-Net adds logits up.
MARGIN = 10.0


class StageOutputs(NamedTuple):
    """All that the network says of a batch of stacks.

    Attributes:
        final: Logits that count, structures that are not there pushed below all others; shape (B, class, slice, row,
            column), 0 in padding.
        stages: Logits of each stage as they are, of the N slices that are no padding, shape (N, class, row, column).
        presence: Logits of the structures' presence in these slices, shape (N, class - 1); None without classifier.
        real: Which slices of the stacks these are, shape (B, slice).
    """

    final: Tensor
    stages: tuple[Tensor, ...]
    presence: Tensor | None
    real: Tensor


class ClassifierGuidedNet(nn.Module):
    """Seg stage on images, Ref stage on the Seg stage's probabilities alone, and a classifier of what is there.

    Class 0 is the background. The classifier belongs to the last stage. `refinement` and `presence` give the rows of
    the paper's Table 2, with `fusion` (of `AllSliceFusionUNet`) both halves of it:

    | row | fusion | refinement | presence |
    |---|---|---|---|
    | Seg (SS), Table 1: SS SK-UNet | no | no | no |
    | Seg (SS) + Ref (SS w/o MT) | no | yes | no |
    | Seg (SS) + Ref (SS w/ MT) | no | yes | yes |
    | Seg (AS), Table 1: AS After-UNet | yes | no | no |
    | Seg (AS + MT) | yes | no | yes |
    | Seg (AS) + Ref (AS w/o MT) | yes | yes | no |
    | Seg (AS) + Ref (AS w/ MT), Table 1: Proposed | yes | yes | yes |

    Args:
        input_channels: Channels of the image.
        num_classes: Classes with the background.
        deep_supervision: Start with `all_outputs` on; the name is nnU-Net's. There are no outputs at coarser levels.
        refinement: Whether there is a Ref stage.
        presence: Whether there is a classifier.
        features_per_stage: Channels of each level of both stages.
        stage: Further arguments of each stage, an `AllSliceFusionUNet`.

    Attributes:
        all_outputs: Whether `forward` returns `StageOutputs`, for training, instead of the final logits alone.

    Raises:
        ValueError: As `AllSliceFusionUNet`.
    """

    def __init__(
        self,
        input_channels: int,
        num_classes: int,
        deep_supervision: bool = False,
        *,
        refinement: bool = True,
        presence: bool = True,
        features_per_stage: Sequence[int] = FEATURES,
        **stage: Any,
    ) -> None:
        super().__init__()
        self.all_outputs = deep_supervision
        channels = (input_channels, num_classes) if refinement else (input_channels,)
        self.stages = nn.ModuleList(
            AllSliceFusionUNet(count, num_classes, features_per_stage=features_per_stage, **stage)
            for count in channels
        )  # fmt: skip
        self.classifier = PresenceClassifier(features_per_stage[-1], num_classes - 1) if presence else None

    def forward(self, image: Tensor) -> Tensor | StageOutputs:
        """Return the final logits (B, class, slice, row, column), or with `all_outputs` everything.

        Args:
            image: Shape (B, input_channels, slice, row, column); any number of slices, any size.
        """
        outputs = self.examine(image)
        return outputs if self.all_outputs else outputs.final

    def examine(self, image: Tensor) -> StageOutputs:
        """Return everything; arguments as `forward`."""
        real = real_slices(image)
        maps, logits = only_real(image, real), []
        for stage in self.stages:
            (output,), bottom = stage.of_slices(maps, real)
            logits.append(output)
            maps = output.softmax(dim=1)
        presence = None if self.classifier is None else self.classifier(bottom)
        final = logits[-1] if presence is None else without_absent(logits[-1], presence.sigmoid() > PRESENT)
        return StageOutputs(as_stacks(final, real), tuple(logits), presence, real)

    initialize = staticmethod(SKUNet.initialize)


class PresenceClassifier(nn.Module):
    """A perceptron of one hidden layer on the mean over the pixels of the encoder's features at the bottom.

    Args:
        features: Channels at the bottom; the hidden layer is as wide.
        structures: Number of structures.
    """

    def __init__(self, features: int, structures: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(features, features), nn.ReLU(inplace=True), nn.Linear(features, structures)
        )

    def forward(self, bottom: Tensor) -> Tensor:
        """Return a logit per structure, shape (N, structures).

        Args:
            bottom: Shape (N, features, row, column).
        """
        return self.layers(bottom.flatten(2).mean(dim=2))


def without_absent(logits: Tensor, present: Tensor) -> Tensor:
    """Return logits in which structures that are not there lie below every other class.

    Their pixels go to the most probable class that is there.

    Args:
        logits: Shape (N, class, row, column), background first.
        present: Which structures are there, booleans, shape (N, class - 1).
    """
    lowest = logits.amin(dim=1, keepdim=True) - MARGIN
    structures = torch.where(present[:, :, None, None], logits[:, 1:], lowest)
    return torch.cat([logits[:, :1], structures], dim=1)
