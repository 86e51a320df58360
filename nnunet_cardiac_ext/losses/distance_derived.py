"""The distance-derived loss of paper 000: errors weigh less the farther they lie from the mask."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from nnunet_cardiac_ext.losses.distance_transform import euclidean_distance_transform
from nnunet_cardiac_ext.losses.targets import Gather, Prepared, SegmentationLoss, mean_where, over_voxels

# Axes whose spacing differs by less count as equal; whole numbers of voxels are faster to measure.
SAME_SPACING = 1e-3


class DistanceDerivedLoss(SegmentationLoss):
    """sum(W |p - g|) / sum(g), with W = 1 / (1 + d) and d the distance to the nearest voxel of the mask.

    Huang et al., *3D Attention M-net for Short-axis Left Ventricular Myocardium Segmentation in Mice MR Cardiac
    Images*, equation 1. p is the probability, where the paper writes the predicted label, which has no gradient. The
    loss is computed for each foreground class (each region with sigmoid) and averaged over those that occur.

    W is 1 in the whole mask. So an error of given size costs the more the nearer it is to the mask: a detached false
    region costs more when it comes closer. What costs less is a contour that is off by less, as the error shrinks.

    The distance is measured within each slice, as the equation has it. A slice without mask has no distance; its W is
    0 and false positives there cost nothing (they do with `dims=3`, where the nearest mask may lie in another slice).
    An image (with `batch`: a batch) without the class divides by zero; it is left out of the mean, and if nothing is
    left the loss is 0.

    Example:
        A 3x3 mask of one row, predicted with 0.8 in it and 0.1 elsewhere: W is 1 in the mask and 1/2 outside, so the
        loss is (3 * 0.2 + 6 * 0.1 / 2) / 3 = 0.3.

        >>> mask = torch.zeros(1, 1, 3, 3); mask[..., 1, :] = 1
        >>> output = torch.logit(torch.where(mask == 1, 0.8, 0.1))
        >>> round(float(DistanceDerivedLoss(regions=True)(output, mask)), 4)
        0.3

    Args:
        dims: 2 measures distances within each slice, 3 through the stack.
        spacing: Spacing of these axes, in their order; d is in its unit. None counts voxels, as the paper does.
        extent: Instead of a spacing, how long the whole image is along these axes, in any unit. d then counts steps of
            the last axis, at whatever resolution the image comes: for the coarser outputs of deep supervision, of
            which not all axes are coarser.
        regions, ignore_label, batch, gather: As for every `SegmentationLoss`. Ignored voxels are no mask to which a
            distance could be measured.
    """

    def __init__(
        self,
        *,
        dims: int = 2,
        spacing: Sequence[float] | None = None,
        extent: Sequence[float] | None = None,
        regions: bool = False,
        ignore_label: int | None = None,
        batch: bool = False,
        gather: Gather | None = None,
    ) -> None:
        super().__init__(regions=regions, ignore_label=ignore_label, batch=batch, gather=gather)
        self.dims = dims
        self.spacing = spacing
        self.extent = extent

    def of(self, prepared: Prepared) -> Tensor:
        """Return the loss of what `prepare` returned."""
        probability, reference = prepared.foreground()
        spacing = self.spacing if self.extent is None else _steps(self.extent, reference.shape[-self.dims :])
        weight = 1 / (1 + euclidean_distance_transform(reference, spacing=spacing, dims=self.dims))
        # |p - g| where g is 0 or 1; where nothing is to be learnt p and g are both 0.
        error = weight * torch.where(reference, 1 - probability, probability)
        summed, size = self.pooled(over_voxels(error, 2), over_voxels(reference.to(error.dtype), 2))
        return mean_where(summed / size.clamp(min=1), size > 0)


def _steps(extent: Sequence[float], size: Sequence[int]) -> list[float] | None:
    """Return the spacing of an image of that extent and size, in steps of its last axis; None where all are equal."""
    steps = [length / voxels for length, voxels in zip(extent, size, strict=True)]
    relative = [step / steps[-1] for step in steps]
    return None if max(abs(step - 1) for step in relative) < SAME_SPACING else relative
