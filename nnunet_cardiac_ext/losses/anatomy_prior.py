"""The loss of paper 001: automated weighted cross-entropy and neighbourhood penalty."""

from __future__ import annotations

from torch import Tensor, nn

from nnunet_cardiac_ext.losses.automated_weighted_cross_entropy import AutomatedWeightedCrossEntropyLoss
from nnunet_cardiac_ext.losses.neighborhood_penalty import NeighborhoodPenalty


class AnatomyPriorLoss(nn.Module):
    """Weighted cross-entropy plus coefficient times neighbourhood penalty.

    Args:
        penalty: The penalty; None for the cross-entropy alone.
        coefficient: The paper's is 0.01.
    """

    def __init__(self, penalty: NeighborhoodPenalty | None = None, *, coefficient: float = 0.01) -> None:
        super().__init__()
        self.cross_entropy = AutomatedWeightedCrossEntropyLoss()
        self.penalty = penalty
        self.coefficient = coefficient

    def forward(self, net_output: Tensor, target: Tensor, weights: Tensor | None = None) -> Tensor:
        """Return the loss; arguments as in `AutomatedWeightedCrossEntropyLoss`."""
        loss = self.cross_entropy(net_output, target, weights)
        return loss if self.penalty is None else loss + self.coefficient * self.penalty(net_output, target)
