"""nnU-Net's 2D loader with pathology mixup before the augmentation, and targets as shares of the classes."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from nnunetv2.training.dataloading.data_loader import nnUNetDataLoader
from nnunetv2.training.dataloading.nnunet_dataset import nnUNetBaseDataset
from nnunetv2.utilities.label_handling.label_handling import LabelManager
from torch import Tensor

from nnunet_cardiac_ext.data.heart_slices import HeartSlice, Partners
from nnunet_cardiac_ext.data.open_cases import OpenCases
from nnunet_cardiac_ext.data.pathology_mixup import Registration, mix
from nnunet_cardiac_ext.errors import UsageError


class MixupLoader(nnUNetDataLoader):
    """nnU-Net's batches, some of whose slices are blended with the heart of another case (`pathology_mixup.mix`).

    Cases, slices and patches are drawn as in nnU-Net. A blended patch goes through nnU-Net's transforms with two label
    maps, its own and the other heart's; what comes out, at every resolution that deep supervision asks for, becomes
    shares of the classes. So `target` is float32 with one channel per class; the channels of a voxel sum to 1, or to 0
    where either label map has the ignore label.

    Args:
        data: The preprocessed cases.
        batch_size: Slices per batch.
        patch_size: Size of the patches (row, column) before augmentation.
        final_patch_size: Their size after it.
        label_manager: nnU-Net's knowledge of the labels.
        hearts: The slices with a heart, by case.
        heart_labels: Labels of cavity and wall.
        probability: Share of the slices with a heart that are blended.
        tolerance: How far the heights of two slices that are blended may differ.
        transforms: nnU-Net's training transforms.
        options: Further keyword arguments of nnU-Net's loader.

    Raises:
        UsageError: The patches are not two-dimensional, the data set has regions, or not two cases hold a heart.
    """

    def __init__(
        self,
        data: nnUNetBaseDataset,
        batch_size: int,
        patch_size: Sequence[int],
        final_patch_size: Sequence[int],
        label_manager: LabelManager,
        *,
        hearts: Mapping[str, Collection[HeartSlice]],
        heart_labels: Sequence[int],
        probability: float,
        tolerance: float,
        transforms: Any,
        **options: Any,
    ) -> None:
        if len(patch_size) != 2:
            raise UsageError(f"pathology mixup: expected 2D patches, got {len(patch_size)} dimensions")
        if label_manager.has_regions:
            raise UsageError("pathology mixup: expected a data set with one label per voxel, got one with regions")
        self._cases = _CurrentCase(data)
        super().__init__(
            self._cases, batch_size, patch_size, final_patch_size, label_manager, transforms=self._transformed,
            **options,
        )  # fmt: skip
        self._partners = Partners(dict(hearts), tolerance=tolerance)
        self._hearts = {case: {each.index: each for each in slices} for case, slices in hearts.items()}
        self._heart_labels = list(heart_labels)
        self._probability = probability
        self._classes = label_manager.num_segmentation_heads
        self._augment = transforms
        self._corner: list[int] = []

    def get_bbox(self, *arguments: Any, **options: Any) -> tuple[list[int], list[int]]:
        """Return the lower and upper corner of a patch (slice, row, column), nnU-Net's; its place is kept in mind."""
        lower, upper = super().get_bbox(*arguments, **options)
        self._corner = [int(edge) for edge in lower]
        return lower, upper

    def _transformed(self, image: Tensor, segmentation: Tensor) -> dict[str, Any]:
        """Blend a patch perhaps, let nnU-Net augment it and turn its labels into shares."""
        share = 1.0
        partner = self._partner()
        if partner is not None:
            share = float(np.random.uniform())  # noqa: NPY002
            image, segmentation = self._mixed(image, segmentation, *partner, share=share)
        done = self._augment(image=image, segmentation=segmentation)
        labels = done["segmentation"]
        listed = labels if isinstance(labels, list) else [labels]
        shares = [soft_labels(each, share, self._classes) for each in listed]
        return {"image": done["image"], "segmentation": shares if isinstance(labels, list) else shares[0]}

    def _partner(self) -> tuple[HeartSlice, str, HeartSlice] | None:
        """Draw whether the present slice is blended, and with which; None where it stays as it is."""
        case = self._cases.current
        fixed = self._hearts.get(case, {}).get(self._corner[0])
        if fixed is None or np.random.uniform() >= self._probability:  # noqa: NPY002
            return None
        drawn = self._partners.draw(case, fixed.height)
        return None if drawn is None else (fixed, *drawn)

    def _mixed(
        self, image: Tensor, labels: Tensor, fixed: HeartSlice, other: str, moving: HeartSlice, *, share: float
    ) -> tuple[Tensor, Tensor]:
        images, references = self._cases.opened[other][:2]
        blended, second = mix(
            image.numpy(), labels[0].numpy(),
            np.asarray(images[:, moving.index]), np.asarray(references[0, moving.index], dtype=np.int16),
            Registration.of(fixed, moving), share=share, heart=self._heart_labels, corner=self._corner[1:],
        )  # fmt: skip
        return torch.from_numpy(blended), torch.stack([labels[0], torch.from_numpy(second)])


def soft_labels(labels: Tensor, share: float, num_classes: int) -> Tensor:
    """Return share * onehot(first) + (1 - share) * onehot(second), 0 where either is no class.

    Args:
        labels: Shape (1 or 2, row, column); a single one counts fully.
        share: Weight of the first.
        num_classes: Number of classes.

    Returns:
        float32, shape (num_classes, row, column).
    """
    known = ((labels >= 0) & (labels < num_classes)).all(dim=0)
    index = (labels * known).long()
    shares = torch.zeros((num_classes, *labels.shape[1:]))
    shares.scatter_(0, index[:1], 1.0 if len(labels) == 1 else share)
    if len(labels) > 1:
        shares.scatter_add_(0, index[1:], torch.full(shares[:1].shape, 1 - share))
    return shares if known.all() else shares * known


class _CurrentCase:
    """A data set that remembers which case was loaded last."""

    def __init__(self, cases: nnUNetBaseDataset) -> None:
        self.opened = OpenCases(cases.load_case)
        self.identifiers = cases.identifiers
        self.current = ""

    def load_case(self, identifier: str) -> Any:
        """Return image, labels, labels of an earlier stage and properties."""
        self.current = identifier
        return self.opened[identifier]
