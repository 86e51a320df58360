"""Batches of whole slices with their regions, for the region classifier of paper 002."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from batchgeneratorsv2.transforms.base.basic_transform import ImageOnlyTransform
from batchgeneratorsv2.transforms.spatial.mirroring import MirrorTransform
from batchgeneratorsv2.transforms.spatial.spatial import SpatialTransform
from batchgeneratorsv2.transforms.utils.compose import ComposeTransforms
from batchgeneratorsv2.transforms.utils.random import RandomTransform
from nnunetv2.training.dataloading.data_loader import nnUNetDataLoader
from nnunetv2.training.dataloading.nnunet_dataset import nnUNetBaseDataset
from nnunetv2.utilities.label_handling.label_handling import LabelManager

from nnunet_cardiac_ext.anatomy import LabelMap
from nnunet_cardiac_ext.architectures.slice_classifier import fit_slices
from nnunet_cardiac_ext.data.open_cases import OpenCases
from nnunet_cardiac_ext.data.stack_regions import stack_regions
from nnunet_cardiac_ext.errors import UsageError
from nnunet_cardiac_ext.regions import Region

# In the place of a region where the labels do not tell it.
UNKNOWN = -1


def known_regions(labels: np.ndarray, label_map: LabelMap, *, ignore_label: int | None = None) -> np.ndarray:
    """Return the region of each slice as far as the labels tell it.

    Pixels that nobody has annotated count as background. A slice that has such pixels and no structure beside them
    could be cardiac or not: its region is unknown.

    Args:
        labels: Shape (slice, row, column); values of 0 and below are background.
        label_map: What the values mean.
        ignore_label: The label of pixels that nobody has annotated.

    Returns:
        Values of `Region`, or `UNKNOWN`, as int64, shape (slice,).
    """
    regions = stack_regions(labels, label_map, ignore_label=ignore_label)
    if ignore_label is not None:
        unannotated = (labels == ignore_label).any(axis=(1, 2))
        regions[unannotated & (regions == Region.NON_CARDIAC)] = UNKNOWN
    return regions


def image_transforms(transforms: ComposeTransforms) -> ComposeTransforms:
    """Return those of nnU-Net's transforms that change an image by itself: space, intensities, mirroring.

    What needs labels goes: their conversion, and the mask of `use_mask_for_norm`.
    """
    return ComposeTransforms([transform for transform in transforms.transforms if _acts_on_images(transform)])


class WholeSliceLoader(nnUNetDataLoader):
    """Batches of whole slices and their regions; cases are equally likely, and so are the slices of a case.

    Args:
        data: The preprocessed cases.
        batch_size: Slices per batch.
        size: Rows and columns that each slice is fitted to (`fit_slices`).
        label_manager: nnU-Net's knowledge of the labels.
        regions: Region of each slice by case; slices of unknown region, and cases without another one, never come.
        transforms: Called with the fitted slice as `image`, (channel, row, column).

    Raises:
        UsageError: No region of any slice is known.
    """

    def __init__(
        self,
        data: nnUNetBaseDataset,
        batch_size: int,
        size: tuple[int, int],
        label_manager: LabelManager,
        *,
        regions: Mapping[str, np.ndarray],
        transforms: ComposeTransforms,
    ) -> None:
        super().__init__(data, batch_size, size, size, label_manager, transforms=transforms)
        self._size = size
        self._regions = regions
        self._slices = {case: np.flatnonzero(of_case != UNKNOWN) for case, of_case in regions.items()}
        self.indices = [case for case, slices in self._slices.items() if len(slices)]
        if not self.indices:
            raise UsageError("region classifier: expected cases with annotated slices, got none")
        self._stacks = OpenCases(self._stack)

    def generate_train_batch(self) -> dict[str, Any]:
        """Return `data`, images (batch, channel, row, column), and `target`, regions (batch,) as int64."""
        cases = self.get_indices()
        slices = [int(np.random.choice(self._slices[case])) for case in cases]  # noqa: NPY002
        with torch.no_grad():
            images = torch.stack([self._image(case, index) for case, index in zip(cases, slices, strict=True)])
        regions = [int(self._regions[case][index]) for case, index in zip(cases, slices, strict=True)]
        return {"data": images, "target": torch.tensor(regions), "keys": cases}

    def _image(self, case: str, index: int) -> torch.Tensor:
        stack = np.array(self._stacks[case][:, index : index + 1])
        return self.transforms(image=fit_slices(torch.from_numpy(stack), self._size)[0])["image"]

    def _stack(self, case: str) -> Any:
        """Return a case's image, opened and not read."""
        image, _, _, _ = self._data.load_case(case)
        return image


def _acts_on_images(transform: Any) -> bool:
    if isinstance(transform, RandomTransform):
        return isinstance(transform.transform, ImageOnlyTransform)
    return isinstance(transform, SpatialTransform | MirrorTransform | ImageOnlyTransform)
