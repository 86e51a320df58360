"""The cross-entropy of paper 004's single-stage networks and of its Seg stage."""

from __future__ import annotations

import torch
from torch import Tensor

from nnunet_cardiac_ext.losses.targets import Prepared, SegmentationLoss


class CrossEntropyLoss(SegmentationLoss):
    """Mean of -log p of the true class over all voxels of the batch that are annotated; with regions over these too.

    Chen et al., *Enhancing Cardiac MRI Segmentation via Classifier-Guided Two-Stage Network and All-Slice Information
    Fusion Transformer*, section 2.4, Loss_1. A mask without a structure counts as any other. Where nothing is
    annotated the loss is 0, where torch's own is NaN.
    """

    def of(self, prepared: Prepared) -> Tensor:
        """Return the loss of what `prepare` returned."""
        log_likelihood = torch.where(prepared.reference, prepared.log_probability, 0.0).sum()
        return -log_likelihood / prepared.reference.sum().clamp(min=1)
