"""The cross-entropy of paper 001, whose class weights a network makes, and what keeps these from collapse."""

from __future__ import annotations

from torch import Tensor, nn

from nnunet_cardiac_ext.losses.soft_targets import class_shares, log_probabilities

# Far below any weight in use; keeps the logarithm finite where a weight has become 0 all the same.
SMALLEST_WEIGHT = 1e-8


class AutomatedWeightedCrossEntropyLoss(nn.Module):
    """-(1/N) sum_x sum_i w_i Y_i(x) log p_i(x).

    Zhou et al., *Anatomy Prior Based U-net for Pathology Segmentation with Attention*, STACOM 2020, equation 3. Y is a
    label or a soft label map, N the number of voxels that count, in all images together. With weights of 1 it is the
    plain cross-entropy. Where no voxel counts it is 0.

    Example:
        Two voxels, three classes, p = (0.7, 0.2, 0.1) and (0.1, 0.3, 0.6), labels 0 and 2, weights (0.5, 1, 1.5):
        -(0.5 log 0.7 + 1.5 log 0.6) / 2 = 0.4723.

        >>> p = torch.tensor([[[0.7, 0.1], [0.2, 0.3], [0.1, 0.6]]])[:, :, None]
        >>> labels = torch.tensor([[0, 2]])[:, None, None]
        >>> loss = AutomatedWeightedCrossEntropyLoss()(p.log(), labels, torch.tensor([[0.5, 1.0, 1.5]]))
        >>> round(float(loss), 4)
        0.4723
    """

    def forward(self, net_output: Tensor, target: Tensor, weights: Tensor | None = None) -> Tensor:
        """Return the loss, a single number.

        Args:
            net_output: Logits, shape (B, C, [D,] H, W).
            target: Labels or shares, see `class_shares`.
            weights: Weight of each class, for each image (B, C) or for all (C,); None stands for 1.

        Raises:
            ValueError: The target has another number of channels.
        """
        shares = class_shares(target, net_output.shape[1])
        surprise = -(shares * log_probabilities(net_output)).flatten(2).sum(dim=-1)
        if weights is not None:
            surprise = surprise * weights
        return surprise.sum() / shares.sum().clamp(min=1)


def collapse_barrier(weights: Tensor) -> Tensor:
    """Return the mean of -log w over all weights: 0 where all are 1, without bound as one goes to 0.

    The loss alone is smallest where all weight lies on the class that costs least, which may be one that is not in the
    image. With weights of mean 1 the barrier is never below 0 (Jensen).

    Args:
        weights: Above 0, shape (B, C).
    """
    return -weights.clamp(min=SMALLEST_WEIGHT).log().mean()
