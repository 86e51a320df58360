"""The generalized Dice loss: overlap of all classes, small classes weighing as much as large ones."""

from __future__ import annotations

import torch
from torch import Tensor

from nnunet_cardiac_ext.losses.targets import Prepared, SegmentationLoss, mean_where, over_voxels


class GeneralizedDiceLoss(SegmentationLoss):
    """1 - 2 sum_l w_l sum(p_l g_l) / sum_l w_l sum(p_l + g_l), with w_l = 1 / (sum g_l)^2.

    Sudre et al., *Generalised Dice Overlap as a Deep Learning Loss Function for Highly Unbalanced Segmentations*,
    DLMIA 2017. p is the probability and g the label (0 or 1) of class l, the background being one of the classes. A
    region of a sigmoid network counts as two classes, the region and the rest; the loss is the mean over the regions.
    No smoothing. From 0 (perfect) to 1.

    A class without a voxel would weigh infinitely much: it weighs as much as the smallest class that has one. A
    binary mask that is empty so gives the mean probability of the foreground. An image in which nothing is to be
    learnt (all ignored) is left out of the mean; if none is left, the loss is 0.

    Example:
        A 3x3 mask of one row, predicted with 0.8 in it and 0.1 elsewhere: w is 1/9 in the mask and 1/36 outside, the
        overlaps are 2.4 and 5.4, the sums of p + g are 3.0 + 3 and 6.0 + 6, so the loss is
        1 - 2 (2.4/9 + 5.4/36) / (6/9 + 12/36) = 1/6.

        >>> mask = torch.zeros(1, 1, 3, 3); mask[..., 1, :] = 1
        >>> output = torch.logit(torch.where(mask == 1, 0.8, 0.1))
        >>> round(float(GeneralizedDiceLoss(regions=True)(output, mask)), 4)
        0.1667

    Args:
        regions, ignore_label, batch, gather: As for every `SegmentationLoss`.
    """

    def of(self, prepared: Prepared) -> Tensor:
        """Return the loss of what `prepare` returned."""
        probability = prepared.probability()
        overlap, predicted, actual = self.pooled(
            over_voxels(torch.where(prepared.reference, probability, 0.0), 3),
            over_voxels(probability, 3),
            over_voxels(prepared.reference.to(probability.dtype), 3),
        )
        weight = _weights(actual)
        total = (weight * (predicted + actual)).sum(dim=-1)
        defined = actual.sum(dim=-1) > 0
        dice = 2 * (weight * overlap).sum(dim=-1) / torch.where(defined, total, 1.0)
        return mean_where(1 - dice, defined)


def _weights(actual: Tensor) -> Tensor:
    """Inverse squares of the classes' sizes (last axis), relative to the largest weight: only ratios count."""
    present = actual > 0
    smallest = torch.where(present, actual, torch.inf).amin(dim=-1, keepdim=True)
    smallest = torch.where(smallest.isinf(), 1.0, smallest)
    return (smallest / torch.maximum(actual, smallest)).square()
