"""Several losses of the same output, weighted and added."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from nnunet_cardiac_ext.losses.targets import SegmentationLoss


class WeightedSumLoss(nn.Module):
    """sum_i weight_i loss_i. Output and labels are prepared once for all of them.

    Paper 000 (Huang et al.) adds generalized Dice, balanced cross-entropy and distance-derived loss with the weights
    1, 1 and 3. What an empty mask gives is what the losses give.

    Args:
        losses: At least one; all with the same `regions` and `ignore_label`.
        weights: As many numbers. A loss of weight 0 is not computed.

    Raises:
        ValueError: Another number of weights, none but 0, or losses that read the labels differently.
    """

    def __init__(self, losses: Sequence[SegmentationLoss], weights: Sequence[float]) -> None:
        super().__init__()
        if len(losses) != len(weights) or not any(weights):
            raise ValueError(f"expected a weight for each loss, one of them not 0, got {len(losses)} and {weights}")
        if len({(loss.regions, loss.ignore_label) for loss in losses}) > 1:
            raise ValueError("expected losses with the same regions and ignore_label")
        self.losses = nn.ModuleList(losses)
        self.weights = tuple(float(weight) for weight in weights)

    def forward(self, net_output: Tensor, target: Tensor) -> Tensor:
        """Return the sum.

        Args:
            net_output: Logits, shape (B, C, [D,] H, W).
            target: Labels as the losses take them.

        Raises:
            ValueError: The labels' shape does not belong to the output's.
        """
        prepared = self.losses[0].prepare(net_output, target)
        terms = [weight * loss.of(prepared) for loss, weight in zip(self.losses, self.weights, strict=True) if weight]
        return torch.stack(terms).sum()

    @torch.no_grad()
    def terms(self, net_output: Tensor, target: Tensor) -> dict[str, float]:
        """Return each loss by its class name, not weighted, for a log."""
        prepared = self.losses[0].prepare(net_output, target)
        return {type(loss).__name__: float(loss.of(prepared)) for loss in self.losses}
