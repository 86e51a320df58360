"""Batches of whole stacks for paper 004: any number of slices, moved together, intensities slice by slice."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from acvl_utils.cropping_and_padding.bounding_boxes import crop_and_pad_nd
from batchgeneratorsv2.transforms.spatial.mirroring import MirrorTransform
from batchgeneratorsv2.transforms.spatial.spatial import SpatialTransform
from batchgeneratorsv2.transforms.utils.compose import ComposeTransforms
from batchgeneratorsv2.transforms.utils.pseudo2d import Convert2DTo3DTransform, Convert3DTo2DTransform
from batchgeneratorsv2.transforms.utils.random import RandomTransform
from nnunetv2.training.dataloading.data_loader import nnUNetDataLoader
from threadpoolctl import threadpool_limits
from torch import Tensor
from torch.nn import functional


class StackLoader(nnUNetDataLoader):
    """nnU-Net's loader whose patches hold all slices of their case, whatever the patch size says of slices.

    Where a patch lies in the plane is nnU-Net's choice. The stacks of a batch are filled up to the longest one with
    slices of 0, behind the transforms, and their labels with background: such slices are padding to the networks
    (`architectures.all_slice_fusion.real_slices`).
    """

    patch_size: Any

    def get_bbox(self, data_shape: Any, force_fg: bool, class_locations: Any, *args: Any) -> tuple[Any, Any]:
        """Return the lower and upper corner of a patch (slice, row, column); arguments as in nnU-Net."""
        slices = int(data_shape[0])
        plane: tuple[int, ...] = tuple(self.patch_size)[1:]
        self.patch_size = (slices, *plane)
        self.need_to_pad[0] = 0
        lower, upper = super().get_bbox(data_shape, force_fg, class_locations, *args)
        # nnU-Net puts a foreground voxel into the middle, along the slices too.
        return [0, *lower[1:]], [slices, *upper[1:]]

    def generate_train_batch(self) -> dict[str, Any]:
        """Return `data` (batch, channel, slice, row, column), `target` as the transforms make it, and `keys`."""
        cases = self.get_indices()
        with torch.no_grad(), threadpool_limits(limits=1, user_api=None):
            samples = [self._sample(case, self.get_do_oversample(k)) for k, case in enumerate(cases)]
        images, targets = zip(*samples, strict=True)
        return {"data": stacked(images), "target": _stacked_targets(targets), "keys": cases}

    def _sample(self, case: str, force_fg: bool) -> tuple[Tensor, Any]:
        image, labels, _, properties = self._data.load_case(case)
        corners = self.get_bbox(image.shape[1:], force_fg, properties["class_locations"])
        box = [list(edges) for edges in zip(*corners, strict=True)]
        cut_image = torch.from_numpy(crop_and_pad_nd(image, box, 0)).float()
        cut_labels = torch.from_numpy(crop_and_pad_nd(labels, box, -1, cast_cropped_to=np.int16)).to(torch.int16)
        if self.transforms is None:
            return cut_image, cut_labels
        changed = self.transforms(image=cut_image, segmentation=cut_labels)
        return changed["image"], changed["segmentation"]


def slice_wise(transforms: ComposeTransforms) -> ComposeTransforms:
    """Return nnU-Net's 2D training transforms for stacks of any number of slices.

    The slices become the channels of one 2D image: they move together in the plane, and every intensity transform that
    nnU-Net draws per channel is drawn per slice. What is no augmentation follows on the stack.

    Args:
        transforms: Made for the plane of the patch, without targets for deep supervision.
    """
    inside = next(
        (k for k, each in enumerate(transforms.transforms) if not _augments(each)), len(transforms.transforms)
    )
    augmenting, rest = transforms.transforms[:inside], transforms.transforms[inside:]
    return ComposeTransforms([Convert3DTo2DTransform(), *augmenting, Convert2DTo3DTransform(), *rest])


def stacked(stacks: Sequence[Tensor]) -> Tensor:
    """Return stacks (channel, slice, row, column) as one batch, filled up with slices of 0 behind the last one."""
    longest = max(stack.shape[1] for stack in stacks)
    return torch.stack([functional.pad(stack, (0, 0, 0, 0, 0, longest - stack.shape[1])) for stack in stacks])


def _stacked_targets(targets: Sequence[Any]) -> Tensor | list[Tensor]:
    if isinstance(targets[0], list):
        return [stacked(level) for level in zip(*targets, strict=True)]
    return stacked(targets)


def _augments(transform: Any) -> bool:
    return isinstance(transform, RandomTransform | SpatialTransform | MirrorTransform)
