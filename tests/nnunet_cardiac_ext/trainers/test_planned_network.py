"""Networks of architecture blocks."""

import torch
from helpers.tiny_plans import tiny_plans

from nnunet_cardiac_ext.network_blocks import with_network
from nnunet_cardiac_ext.trainers.planned_network import build_from_block


def test_arguments_stand_over_those_of_the_block():
    stock = tiny_plans()["configurations"]["2d"]["architecture"]
    block = with_network(stock, "crocnet", (32, 32))
    with torch.device("meta"):
        network = build_from_block(block, 2, 3, deep_supervision=True, coupled=False, margin=4)
    assert (network.stage2.coupled, network.margin, network.crop_size) == (False, 4, 128)
    assert network.decoder.deep_supervision
    assert "coupled" not in block["arch_kwargs"]
    assert network.stage1.decoder.seg_layers[0].out_channels == 3
    assert build_from_block(stock, 1, 3, deep_supervision=False)(torch.zeros(1, 1, 32, 32)).shape == (1, 3, 32, 32)
