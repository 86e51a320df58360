"""Paper 002, approach 2: nnU-Net's 2D training on the slices of one region of the heart."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from nnunetv2.training.dataloading.data_loader import nnUNetDataLoader
from nnunetv2.training.dataloading.nnunet_dataset import nnUNetBaseDataset

from nnunet_cardiac_ext.data.region_sampling import RegionSamplingDataLoader
from nnunet_cardiac_ext.data.slice_law import SliceLaw, region_law
from nnunet_cardiac_ext.data.stack_regions import each_stack, label_map_of, stack_regions
from nnunet_cardiac_ext.errors import UsageError
from nnunet_cardiac_ext.regions import REGION_NAMES, Region
from nnunet_cardiac_ext.trainers.slice_wise import SliceWiseTrainer


class RegionTrainer(SliceWiseTrainer):
    """nnU-Net's 2D training on slices of one region; its subclasses say which.

    Mariscal-Harana et al., Improved AI-based Segmentation of Apical and Basal Slices from Clinical Cine CMR. Number and
    size of the batches are those of any other training, so that as many images are seen. Validation batches come from
    the same region; the final validation predicts whole stacks, of which the cascade uses the slices of the region.

    Attributes:
        region: The region whose slices are seen.
    """

    region: ClassVar[Region]

    def build_loader(
        self, dataset: nnUNetBaseDataset, patch_size: Any, transforms: Any, *, training: bool
    ) -> nnUNetDataLoader:
        """Return the loader of slices of the region, for training and for validation.

        Raises:
            UsageError: No case has a slice of the region.
        """
        laws = self._laws(dataset)
        if not laws:
            part, name = "training" if training else "validation", REGION_NAMES[self.region]
            raise UsageError(f"{type(self).__name__}: expected {part} cases with a slice of the {name}")
        return RegionSamplingDataLoader(
            *self._loader_arguments(dataset, patch_size), laws=laws, **self._loader_options(transforms)
        )

    def _laws(self, dataset: nnUNetBaseDataset) -> Mapping[str, SliceLaw]:
        labels = self.label_manager
        classes = labels.foreground_regions if labels.has_regions else labels.foreground_labels
        label_map, ignore_label = label_map_of(self.dataset_json), labels.ignore_label

        def law(stack: np.ndarray) -> SliceLaw | None:
            in_region = stack_regions(stack, label_map, ignore_label=ignore_label) == self.region
            return region_law(stack, in_region, classes)

        laws = each_stack(dataset, law, quiet=self.local_rank != 0)
        return {case: found for case, found in laws.items() if found is not None}


class BaseRegionTrainer(RegionTrainer):
    """Sees basal slices only."""

    region = Region.BASE


class MiddleRegionTrainer(RegionTrainer):
    """Sees middle slices only."""

    region = Region.MIDDLE


class ApexRegionTrainer(RegionTrainer):
    """Sees apical slices only."""

    region = Region.APEX
