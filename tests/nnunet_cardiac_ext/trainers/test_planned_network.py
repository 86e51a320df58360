"""What trainers of other networks than nnU-Net's share; each network's own tests are those of its trainer."""

import pytest
import torch
from helpers.tiny_plans import tiny_plans
from nnunetv2.utilities.plans_handling.plans_handler import PlansManager

from nnunet_cardiac_ext.network_blocks import with_network
from nnunet_cardiac_ext.trainers.planned_network import PlannedNetworkTrainer


class Single(PlannedNetworkTrainer):
    network_name = "crocnet"

    @classmethod
    def network_arguments(cls, configuration_manager):
        return {"coupled": False, "margin": 4}


class Gated(PlannedNetworkTrainer):
    network_name = "attention-mnet"

    @classmethod
    def coarser_outputs(cls, network):
        return network.decoder.heads


@pytest.fixture
def plans():
    return PlansManager(tiny_plans())


def test_arguments_of_the_trainer_stand_over_those_of_the_block(plans):
    configuration = plans.get_configuration("2d")
    with torch.device("meta"):
        network = Single.build_network_architecture(plans, configuration, 2, 3, True)
    assert (network.stage2.coupled, network.margin, network.crop_size) == (False, 4, 128)
    assert network.decoder.deep_supervision
    assert network.stage1.decoder.seg_layers[0].out_channels == 3
    assert "coupled" not in Single.architecture(configuration)["arch_kwargs"]


def test_a_configuration_that_has_the_network_keeps_it(plans):
    configuration = plans.get_configuration("2d")
    own = with_network(configuration.configuration["architecture"], "crocnet", configuration.patch_size)
    own["arch_kwargs"]["crop_size"] = 48
    configuration.configuration["architecture"] = own
    assert Single.architecture(configuration)["arch_kwargs"]["crop_size"] == 48


@pytest.mark.parametrize("asked_for", [True, False])
def test_outputs_of_coarser_levels_are_trained_only_where_they_are_asked_for(plans, asked_for):
    network = Gated.build_network_architecture(plans, plans.get_configuration("2d"), 1, 3, asked_for)
    assert {parameter.requires_grad for parameter in network.decoder.heads.parameters()} == {asked_for}
    assert all(parameter.requires_grad for parameter in network.encoder.parameters())
