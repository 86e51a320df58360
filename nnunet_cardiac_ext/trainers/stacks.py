"""What trainers of whole stacks share: batches of all slices, augmentation in the plane, the network's two ways."""

from __future__ import annotations

import math
from typing import Any

from batchgeneratorsv2.transforms.utils.compose import ComposeTransforms
from nnunetv2.training.data_augmentation.compute_initial_patch_size import get_patch_size
from nnunetv2.training.dataloading.data_loader import nnUNetDataLoader
from nnunetv2.training.dataloading.nnunet_dataset import nnUNetBaseDataset
from nnunetv2.utilities.plans_handling.plans_handler import PlansManager

from nnunet_cardiac_ext.data.whole_stacks import StackLoader, slice_wise
from nnunet_cardiac_ext.errors import UsageError
from nnunet_cardiac_ext.settings import BLOCK, CardiacSettings
from nnunet_cardiac_ext.trainers.base import CardiacTrainer

# Axes of (slice, row, column) that are mirrored: those of the plane.
MIRROR_AXES = (1, 2)
# Range of scaling for which nnU-Net leaves room around a patch.
SCALES = (0.85, 1.25)


class StackTrainer(CardiacTrainer):
    """A trainer of networks that take whole stacks and return all that they know in training.

    Its networks have `all_outputs`: nnU-Net's switch of deep supervision turns that one, so that `loss` gets
    everything, and validation, prediction and export only the final logits.
    """

    @classmethod
    def read_settings(cls, plans: dict, configuration: str) -> CardiacSettings:
        """Return the settings of a configuration.

        Raises:
            UsageError: The block is wrong, or the configuration is not one of stacks.
        """
        settings = super().read_settings(plans, configuration)
        patch_size = PlansManager(plans).get_configuration(configuration).patch_size
        if len(patch_size) != 3:
            raise UsageError(
                f"{cls.__name__}: expected a configuration of stacks (3d_fullres, or one that nnunet-cardiac plan "
                f"--preset all-slice writes), got {configuration}, patches {list(patch_size)}"
            )
        if settings.deep_supervision:
            raise UsageError(
                f"plans, configuration {configuration}, {BLOCK}.deep_supervision: expected false, this network has no "
                "outputs at coarser levels; got true"
            )
        return settings

    def build_loader(
        self, dataset: nnUNetBaseDataset, patch_size: Any, transforms: Any, *, training: bool
    ) -> nnUNetDataLoader:
        """Return the loader of whole stacks."""
        return StackLoader(*self._loader_arguments(dataset, patch_size), **self._loader_options(transforms))

    def set_deep_supervision_enabled(self, enabled: bool) -> None:
        """Let the network return all it knows, or the final logits only."""
        self.bare_network.all_outputs = enabled

    def configure_rotation_dummyDA_mirroring_and_inital_patch_size(self) -> tuple[Any, bool, Any, Any]:  # noqa: N802
        """Return nnU-Net's augmentation parameters for the plane."""
        _, _, patch_size, _ = super().configure_rotation_dummyDA_mirroring_and_inital_patch_size()
        slices, *plane = self.configuration_manager.patch_size
        rotation = (-math.pi, math.pi)
        if self.settings.augmentation in ("nnunet", "light"):
            patch_size = [slices, *get_patch_size(plane, rotation, rotation, rotation, SCALES)]
        mirror_axes = MIRROR_AXES if self.settings.mirroring else None
        self.inference_allowed_mirroring_axes = mirror_axes
        return rotation, False, patch_size, mirror_axes

    @staticmethod
    def get_training_transforms(
        patch_size: Any,
        rotation_for_DA: Any,  # noqa: N803
        deep_supervision_scales: Any,
        mirror_axes: Any,
        do_dummy_2d_data_aug: bool,
        **options: Any,
    ) -> ComposeTransforms:
        """Return nnU-Net's 2D transforms with the slices as channels (`data.whole_stacks.slice_wise`).

        Args:
            patch_size: Patch (slice, row, column); its slices have no say.
            rotation_for_DA: Angles in radians.
            deep_supervision_scales: Those of one output of full size.
            mirror_axes: Axes of (slice, row, column), or None.
            do_dummy_2d_data_aug: Has no say.
            options: Further arguments of nnU-Net.
        """
        plane = None if mirror_axes is None else tuple(axis - 1 for axis in mirror_axes)
        return slice_wise(
            CardiacTrainer.get_training_transforms(
                patch_size[-2:], rotation_for_DA, deep_supervision_scales, plane, False, **options
            )
        )

    def _apply_settings(self) -> None:
        super()._apply_settings()
        self.enable_deep_supervision = True

    def _get_deep_supervision_scales(self) -> list[list[float]]:
        return [[1.0, 1.0, 1.0]]

    def _do_i_compile(self) -> bool:
        """No: batches change their number of slices, and each number would be compiled anew."""
        return False
