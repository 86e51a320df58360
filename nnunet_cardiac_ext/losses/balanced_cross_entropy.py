"""The class-balanced cross-entropy: each class weighs by the share of voxels that are not of it."""

from __future__ import annotations

import torch
from torch import Tensor

from nnunet_cardiac_ext.losses.targets import Prepared, SegmentationLoss, mean_where, over_voxels


class BalancedCrossEntropyLoss(SegmentationLoss):
    """-(1/N) sum_l b_l sum_{g = l} log p_l, with b_l = 1 - N_l / N, the share of voxels that are not of class l.

    With two classes this is the loss of Xie and Tu, *Holistically-Nested Edge Detection*, ICCV 2015: b for the
    foreground is the share of negatives, 1 - b for the background. They sum over the voxels; here it is the mean, so
    that the loss does not grow with the patch. More than two classes follow the same rule. A region of a sigmoid
    network counts as two classes, the region and the rest; the loss is the mean over the regions.

    Where all voxels are of one class (an empty mask) that class weighs 0: the loss is 0 and teaches nothing, as in the
    paper. An image in which nothing is to be learnt (all ignored) is left out of the mean; if none is left, the loss
    is 0.

    Example:
        A 3x3 mask of one row, predicted with 0.8 in it and 0.1 elsewhere: b is 6/9 in the mask and 3/9 outside, so the
        loss is -(6/9 * 3 log 0.8 + 3/9 * 6 log 0.9) / 9 = 0.073.

        >>> mask = torch.zeros(1, 1, 3, 3); mask[..., 1, :] = 1
        >>> output = torch.logit(torch.where(mask == 1, 0.8, 0.1))
        >>> round(float(BalancedCrossEntropyLoss(regions=True)(output, mask)), 4)
        0.073

    Args:
        regions, ignore_label, batch, gather: As for every `SegmentationLoss`. With `batch` the shares are those of
            the batch.
    """

    def of(self, prepared: Prepared) -> Tensor:
        """Return the loss of what `prepare` returned."""
        log_probability = prepared.log_probability
        surprise, count = self.pooled(
            -over_voxels(torch.where(prepared.reference, log_probability, 0.0), 3),
            over_voxels(prepared.reference.to(log_probability.dtype), 3),
        )
        total = count.sum(dim=-1, keepdim=True)
        everything = total.clamp(min=1)
        balance = (total - count) / everything
        return mean_where((balance * surprise / everything).sum(dim=-1), total.squeeze(-1) > 0)
