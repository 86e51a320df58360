"""Paper 002, approach 1: basal and apical slices are drawn more often."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from nnunetv2.training.dataloading.data_loader import nnUNetDataLoader
from nnunetv2.training.dataloading.nnunet_dataset import nnUNetBaseDataset

from nnunet_cardiac_ext.data.region_sampling import RegionSamplingDataLoader, slice_laws
from nnunet_cardiac_ext.registry import PRESETS
from nnunet_cardiac_ext.trainers.slice_wise import SliceWiseTrainer


class RegionSamplingTrainer(SliceWiseTrainer):
    """nnU-Net's 2D training on slices drawn by a quadratic law over the heart (setting `sampling_ratio`).

    Mariscal-Harana et al., Improved AI-based Segmentation of Apical and Basal Slices from Clinical Cine CMR.
    Validation batches are nnU-Net's own, so that its curves can be compared between trainers.
    """

    method_defaults: ClassVar[Mapping[str, Any]] = PRESETS["region-sampling"].settings

    def build_loader(
        self, dataset: nnUNetBaseDataset, patch_size: Any, transforms: Any, *, training: bool
    ) -> nnUNetDataLoader:
        """Return the loader; for training the slices follow the law of their case."""
        if not training:
            return super().build_loader(dataset, patch_size, transforms, training=training)
        laws = slice_laws(
            dataset,
            self.settings.sampling_ratio,
            ignore_label=self.label_manager.ignore_label,
            quiet=self.local_rank != 0,
        )
        return RegionSamplingDataLoader(
            *self._loader_arguments(dataset, patch_size), laws=laws, **self._loader_options(transforms)
        )
