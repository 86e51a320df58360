"""What trainers that work slice by slice share: they take 2D configurations only."""

from __future__ import annotations

from nnunetv2.utilities.plans_handling.plans_handler import PlansManager

from nnunet_cardiac_ext.errors import UsageError
from nnunet_cardiac_ext.settings import CardiacSettings
from nnunet_cardiac_ext.trainers.base import CardiacTrainer


class SliceWiseTrainer(CardiacTrainer):
    """A trainer of 2D networks; a 3D configuration is refused before anything starts."""

    @classmethod
    def read_settings(cls, plans: dict, configuration: str) -> CardiacSettings:
        """Return the settings of a configuration.

        Raises:
            UsageError: The block is wrong, or the configuration is not two-dimensional.
        """
        patch_size = PlansManager(plans).get_configuration(configuration).patch_size
        if len(patch_size) != 2:
            raise UsageError(f"{cls.__name__}: expected a 2D configuration, got {configuration}, patches {patch_size}")
        return super().read_settings(plans, configuration)
