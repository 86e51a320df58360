"""What trainers of networks other than nnU-Net's share: the plans, or a stock configuration, say what is built."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from nnunetv2.utilities.get_network_from_plans import get_network_from_plans
from nnunetv2.utilities.plans_handling.plans_handler import ConfigurationManager, PlansManager
from torch import nn

from nnunet_cardiac_ext.network_blocks import NETWORKS, Block
from nnunet_cardiac_ext.trainers.base import CardiacTrainer


class PlannedNetworkTrainer(CardiacTrainer):
    """A trainer that builds the network of `architecture`, in training and in prediction alike.

    Attributes:
        network_name: Name in `network_blocks.NETWORKS`. A configuration that has this network keeps it as it is, a
            stock configuration gets it on its own strides.
        output_at_bottom: Whether deep supervision reaches the coarsest level too; nnU-Net's networks end above it.
    """

    network_name: ClassVar[str] = "unet"
    output_at_bottom: ClassVar[bool] = False

    @classmethod
    def architecture(cls, configuration_manager: ConfigurationManager) -> Block:
        """Return the block of the network that a configuration gets, made of its own.

        Raises:
            UsageError: The configuration's architecture is none to build on.
        """
        own = configuration_manager.configuration["architecture"]
        return NETWORKS[cls.network_name](own, configuration_manager.patch_size)

    @classmethod
    def network_arguments(cls, configuration_manager: ConfigurationManager) -> dict[str, Any]:
        """Return what the trainer and its settings say of the network over its block."""
        return {}

    @classmethod
    def coarser_outputs(cls, network: nn.Module) -> nn.Module | None:
        """Return the layers that deep supervision alone trains, unless the network sees to them itself."""
        return None

    @classmethod
    def build_network_architecture(
        cls,
        plans_manager: PlansManager,
        configuration_manager: ConfigurationManager,
        num_input_channels: int,
        num_output_channels: int,
        enable_deep_supervision: bool = True,
    ) -> nn.Module:
        """Return the network of a configuration, its weights as nnU-Net starts them; nnU-Net's signature.

        Raises:
            UsageError: The configuration's architecture is none to build on.
        """
        block = cls.architecture(configuration_manager)
        arguments = block["arch_kwargs"] | cls.network_arguments(configuration_manager)
        network = get_network_from_plans(
            block["network_class_name"], arguments, block["_kw_requires_import"],
            num_input_channels, num_output_channels, allow_init=True, deep_supervision=enable_deep_supervision,
        )  # fmt: skip
        coarser = cls.coarser_outputs(network)
        if coarser is not None:
            # Outputs that are not asked for get no gradient, which distributed training would wait for.
            coarser.requires_grad_(enable_deep_supervision)
        return network

    def _get_deep_supervision_scales(self) -> list[list[float]] | None:
        """Return the size of each output relative to the image, by the strides of the network that is built."""
        if not self.enable_deep_supervision:
            return None
        strides = np.array(self.architecture(self.configuration_manager)["arch_kwargs"]["strides"])
        scales = (1 / np.cumprod(strides, axis=0)).tolist()
        return scales if self.output_at_bottom else scales[:-1]
