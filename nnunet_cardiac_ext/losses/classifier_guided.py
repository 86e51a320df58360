"""The loss of a stage with a classifier in paper 004: segmentation counts where the classifier sees the structure.

Chen et al., *Enhancing Cardiac MRI Segmentation via Classifier-Guided Two-Stage Network and All-Slice Information
Fusion Transformer*, section 2.4, Loss_2.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from nnunet_cardiac_ext.losses.soft_targets import log_probabilities
from nnunet_cardiac_ext.losses.targets import at_least_float32, mean_where

# The paper's weight of the classification.
LAMBDA = 0.1


class ClassifierGuidedLoss(nn.Module):
    """sum_i gate_i CE_seg,i + weight sum_i CE_class,i over the structures i, the mean over the slices.

    gate_i = (sign(p_i - 1/2) + 1) / 2 is 1 where the classifier sees structure i in the slice, 0 where it does not and
    1/2 in between; no gradient passes through it. CE_seg,i is the binary cross-entropy of structure i against
    everything else, the mean over the pixels, with the softmax probability of the class: the paper sums over the
    structures only, and the term -log p_i alone would never teach the background. CE_class,i is the binary
    cross-entropy of its presence.

    Where the classifier sees nothing the segmentation part is 0; the classification part goes on to teach.

    Args:
        weight: Lambda.
        ignore_label: Label of pixels that do not count. A structure that the annotated pixels of a slice lack is of
            unknown presence if the slice has other pixels, and left out of the classification.
    """

    def __init__(self, *, weight: float = LAMBDA, ignore_label: int | None = None) -> None:
        super().__init__()
        self.weight = weight
        self.ignore_label = ignore_label

    def forward(self, logits: Tensor, presence: Tensor, labels: Tensor) -> Tensor:
        """Return the loss, a single number; 0 where nothing is annotated.

        Args:
            logits: Logits of the classes, not gated, shape (N, class, row, column).
            presence: Logits of the structures' presence, shape (N, class - 1).
            labels: Numbers of the classes, shape (N, 1, row, column).
        """
        classes = torch.arange(1, logits.shape[1], device=labels.device).reshape(1, -1, 1, 1)
        reference, valid = labels == classes, labels != (-1 if self.ignore_label is None else self.ignore_label)
        there = reference.flatten(2).any(dim=2)
        known = there | valid.flatten(2).all(dim=2)
        segmentation = gate(presence) * structure_cross_entropy(logits, reference, valid)
        answers = at_least_float32(presence)
        classification = functional.binary_cross_entropy_with_logits(answers, there.to(answers), reduction="none")
        by_structure = (mean_where(*column) for column in zip(classification.unbind(1), known.unbind(1), strict=True))
        return segmentation.sum(dim=1).mean() + self.weight * torch.stack(list(by_structure)).sum()


def gate(presence: Tensor) -> Tensor:
    """Return the weight of each structure's segmentation, from the logits of its presence; without gradient."""
    return (presence.detach().sign() + 1) / 2


def structure_cross_entropy(logits: Tensor, reference: Tensor, valid: Tensor) -> Tensor:
    """Return the binary cross-entropy of each structure against all other classes.

    Args:
        logits: Shape (N, class, row, column).
        reference: Where each structure is, booleans, shape (N, class - 1, row, column).
        valid: Which pixels count, booleans, shape (N, 1, row, column).

    Returns:
        The mean over the pixels that count, shape (N, class - 1), in float32 at least; 0 where none does.
    """
    log_probability = log_probabilities(logits)
    terms = []
    for number, inside in enumerate(reference.unbind(dim=1), start=1):
        others = [other for other in range(logits.shape[1]) if other != number]
        # Of a structure that is nearly certain, 1 - p would be 0 in the arithmetic.
        outside = log_probability[:, others].logsumexp(dim=1)
        terms.append(torch.where(inside, log_probability[:, number], outside))
    counted = torch.where(valid, -torch.stack(terms, dim=1), 0.0)
    return counted.sum(dim=(2, 3)) / valid.sum(dim=(2, 3)).clamp(min=1)
