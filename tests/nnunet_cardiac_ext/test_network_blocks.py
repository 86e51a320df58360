"""Architecture blocks of the papers' networks, made of a stock configuration's."""

import copy

import pytest
import torch
from helpers.tiny_plans import tiny_plans
from helpers.tiny_volume import KERNELS, STRIDES, with_3d_configuration
from nnunetv2.utilities.get_network_from_plans import get_network_from_plans

from nnunet_cardiac_ext.architectures.attention_mnet import PAPER_FEATURES
from nnunet_cardiac_ext.architectures.crocnet import CROP_SIZE
from nnunet_cardiac_ext.architectures.dual_attention_gate import GATES
from nnunet_cardiac_ext.architectures.e2a_unet import PAPER_FEATURES as E2A
from nnunet_cardiac_ext.architectures.heart_crop import PAPER_MARGIN
from nnunet_cardiac_ext.architectures.specialists import SPECIALIST_FEATURES as SPECIALISTS
from nnunet_cardiac_ext.errors import UsageError
from nnunet_cardiac_ext.network_blocks import NETWORKS, SINGLE_OUTPUT, with_network
from nnunet_cardiac_ext.network_blocks.attention_mnet import DEEPMEDIC, attention_mnet_block
from nnunet_cardiac_ext.network_blocks.attention_unet import ATTENTION_UNET, attention_unet_block
from nnunet_cardiac_ext.network_blocks.crocnet import crocnet_block, e2a_unet_block
from nnunet_cardiac_ext.network_plan import GATES as PLANNED_GATES
from nnunet_cardiac_ext.network_plan import with_design, with_features

# Networks for 2D configurations only.
FLAT = ("e2a-unet", "crocnet")
PAPER_PATCH = (36, 96, 96)
# Networks that convolve slices, also where the stock one convolves volumes.
SLICE_WISE = ("sk-unet", "classifier-guided")


@pytest.fixture
def flat():
    return tiny_plans()["configurations"]["2d"]["architecture"]


@pytest.fixture
def deep():
    """A 3D U-Net of five levels, as nnU-Net plans mouse hearts."""
    block = with_3d_configuration(tiny_plans())["configurations"]["3d_fullres"]["architecture"]
    block["arch_kwargs"] |= {
        "n_stages": 5, "features_per_stage": [32, 64, 128, 256, 320], "kernel_sizes": [[3, 3, 3]] * 5,
        "strides": [[1, 1, 1], [2, 2, 2], [2, 2, 2], [2, 2, 2], [1, 2, 2]], "n_conv_per_stage": [2] * 5,
        "n_conv_per_stage_decoder": [2] * 4,
    }  # fmt: skip
    return block


def build(block, num_classes=3):
    return get_network_from_plans(
        block["network_class_name"], block["arch_kwargs"], block["_kw_requires_import"],
        1, num_classes, allow_init=True, deep_supervision=False,
    )  # fmt: skip


@pytest.mark.parametrize("network", [name for name in NETWORKS if name not in SLICE_WISE])
def test_every_network_is_built_from_its_block_in_2d_and_3d(network, flat):
    anisotropic = with_3d_configuration(tiny_plans())["configurations"]["3d_fullres"]["architecture"]
    for block, size in [(flat, (32, 32)), (anisotropic, (4, 16, 16))][: 1 if network in FLAT else 2]:
        small = with_features(with_network(block, network, size), [2, 4, 6], size)
        assert build(small)(torch.randn(2, 1, *size)).shape == (2, 3, *size)


def test_networks_of_slices_are_built_from_2d_and_3d_blocks_alike(flat):
    anisotropic = with_3d_configuration(tiny_plans())["configurations"]["3d_fullres"]["architecture"]
    for network, image in (("sk-unet", (2, 1, 32, 32)), ("classifier-guided", (2, 1, 3, 32, 32))):
        blocks = [with_network(flat, network, (32, 32)), with_network(anisotropic, network, (4, 32, 32))]
        assert blocks[0] == blocks[1]
        small = with_features(blocks[0], [2, 3, 8], (32, 32))
        assert build(small)(torch.randn(image)).shape == (2, 3, *image[2:])


def test_the_networks_of_paper_004_have_its_parts_and_the_widths_of_the_docs(deep):
    single, guided = (NETWORKS[name](deep, PAPER_PATCH)["arch_kwargs"] for name in SLICE_WISE)
    assert (single["features_per_stage"], single["n_conv_per_stage"]) == ([32, 64, 128, 256, 512], [2] * 5)
    assert single["strides"] == [[1, 1], [2, 2], [2, 2], [2, 2], [2, 2]]
    assert guided == single | {"fusion": True, "refinement": True, "presence": True, "heads": 8, "depth": 2}
    for name in SLICE_WISE:
        block = NETWORKS[name](deep, PAPER_PATCH)
        assert NETWORKS[name](block, PAPER_PATCH) is block


@pytest.mark.parametrize("network", NETWORKS)
def test_the_stock_block_is_left_alone(network, flat, deep):
    stock, patch = (flat, (32, 32)) if network in FLAT else (deep, PAPER_PATCH)
    before = copy.deepcopy(stock)
    changed = with_network(stock, network, patch)
    changed["arch_kwargs"]["strides"][0][0] = 9
    changed["arch_kwargs"].get("kernel_sizes", [[3]])[0][0] = 9
    assert stock == before


@pytest.mark.parametrize("network", FLAT)
def test_a_3d_configuration_has_no_2d_network(network, deep):
    with pytest.raises(
        UsageError, match=r"^network: e2a-unet and crocnet take 2D configurations, got patches \[36, 96"
    ):
        with_network(deep, network, PAPER_PATCH)


def test_crocnet_of_a_planned_u_net_is_the_papers(flat):
    flat["arch_kwargs"] |= {"strides": [[1, 1], *[[2, 2]] * 5, [1, 2]], "kernel_sizes": [[3, 3]] * 7}
    block = with_network(flat, "crocnet", (256, 224))
    kwargs = block["arch_kwargs"]
    assert (kwargs["features_per_stage"], kwargs["specialist_features"]) == (list(E2A), list(SPECIALISTS))
    assert (kwargs["crop_size"], kwargs["margin"], kwargs["strides"]) == (
        CROP_SIZE,
        PAPER_MARGIN,
        [[1, 1], *[[2, 2]] * 4],
    )
    with torch.device("meta"):
        assert sum(p.numel() for p in build(block, num_classes=4).parameters()) == 14_062_101
        stage1 = build(e2a_unet_block(block, (256, 224)), num_classes=4)
    assert sum(p.numel() for p in stage1.parameters()) == 8_293_460


def test_both_stages_and_the_first_alone_lead_to_each_other(flat):
    first = with_design(with_network(flat, "e2a-unet", (32, 32)), "released")
    both = crocnet_block(first, (32, 32))
    assert (both["arch_kwargs"]["stage1_design"], both["arch_kwargs"]["design"]) == ("released", "paper")
    assert e2a_unet_block(both, (32, 32)) == first
    assert crocnet_block(both, (32, 32)) is both
    assert e2a_unet_block(first, (32, 32)) is first


def test_the_attention_mnet_of_the_papers_patch_is_the_papers(deep):
    block = with_network(deep, "attention-mnet", PAPER_PATCH)
    assert block["arch_kwargs"]["strides"] == [[1, 1, 1], [1, 2, 2], [2, 2, 2], [2, 2, 2]]
    with torch.device("meta"):
        network = build(block, num_classes=1)
    assert sum(p.numel() for p in network.parameters()) == 24_648_916
    assert block["arch_kwargs"]["features_per_stage"] == list(PAPER_FEATURES)


def test_strides_and_kernels_are_those_of_the_data_where_they_divide_the_patch(flat, deep):
    cubic = with_network(deep, "attention-mnet", (48, 96, 96))["arch_kwargs"]
    assert cubic["strides"] == deep["arch_kwargs"]["strides"][:4]
    anisotropic = with_3d_configuration(tiny_plans())["configurations"]["3d_fullres"]["architecture"]
    for network in ("attention-mnet", "fcn"):
        kwargs = with_network(anisotropic, network, (4, 16, 16))["arch_kwargs"]
        assert (kwargs["strides"], kwargs["kernel_sizes"], kwargs["n_stages"]) == (STRIDES, KERNELS, 3)
    assert with_network(flat, "unet", (32, 32)) == flat


def test_the_u_net_takes_a_patch_that_its_strides_do_not_divide(deep):
    strides = with_network(deep, "unet", PAPER_PATCH)["arch_kwargs"]["strides"]
    assert strides == [[1, 1, 1], [1, 2, 2], [2, 2, 2], [2, 2, 2], [1, 2, 2]]
    assert with_network(deep, "unet", (7, 96, 96))["arch_kwargs"]["strides"][1] == [1, 2, 2]


def test_residual_u_nets_serve_as_well(deep):
    kwargs = deep["arch_kwargs"]
    kwargs["n_blocks_per_stage"] = kwargs.pop("n_conv_per_stage")
    for module in ("unet", "residual_unet"):  # the second in plans of an older nnU-Net
        deep["network_class_name"] = f"dynamic_network_architectures.architectures.{module}.ResidualEncoderUNet"
        block = with_network(deep, "attention-mnet", PAPER_PATCH)
        assert block["arch_kwargs"]["n_conv_per_stage"] == [4, 4, 4, 4]


def test_the_residual_u_net_has_as_many_blocks_as_the_u_net_has_convolutions(flat):
    flat["arch_kwargs"] |= {"n_conv_per_stage": [1, 2, 2]}
    block = with_network(flat, "residual-unet", (32, 32))
    network = build(block)
    assert type(network).__name__ == "ResidualEncoderUNet"
    assert [len(stage.blocks) for stage in network.encoder.stages] == [1, 2, 2]
    assert block["arch_kwargs"]["strides"] == flat["arch_kwargs"]["strides"]
    assert with_network(block, "residual-unet", (32, 32)) == block


def test_an_attention_mnet_is_taken_as_it_is(deep):
    block = with_network(deep, "attention-mnet", PAPER_PATCH)
    assert attention_mnet_block(block, (48, 96, 96)) is block


def test_attention_goes_into_the_plain_u_net_only(flat, deep):
    block = with_network(flat, "attention-unet", (32, 32))
    assert block == flat | {"network_class_name": ATTENTION_UNET}
    assert attention_unet_block(block, (32, 32)) is block
    deep["network_class_name"] = "dynamic_network_architectures.architectures.unet.ResidualEncoderUNet"
    with pytest.raises(UsageError, match=r"^plans: expected .* nnU-Net's PlainConvUNet .*Residual"):
        attention_unet_block(deep, PAPER_PATCH)


def test_deepmedic_makes_no_image_smaller_and_has_its_eight_layers(deep):
    kwargs = with_network(deep, "deepmedic", PAPER_PATCH)["arch_kwargs"]
    assert kwargs["strides"] == [[1, 1, 1]] * 8
    assert kwargs["features_per_stage"] == [30, 30, 40, 40, 40, 40, 50, 50]


def test_the_comparators_have_the_papers_number_of_parameters_at_the_widths_of_the_docs(flat, deep):
    flat["arch_kwargs"] |= {
        "n_stages": 5, "features_per_stage": [32, 64, 128, 256, 512], "kernel_sizes": [[3, 3]] * 5,
        "strides": [[1, 1]] + [[2, 2]] * 4, "n_conv_per_stage": [2] * 5, "n_conv_per_stage_decoder": [2] * 4,
    }  # fmt: skip
    rows = [
        (flat, "unet", (96, 96), [57, 114, 228, 456, 924], 24_902_996),
        (deep, "unet", (48, 96, 96), [32, 64, 128, 256, 576], 24_502_812),
        (deep, "deepmedic", PAPER_PATCH, [184, 184, 245, 245, 245, 245, 306, 306], 24_505_161),
        (deep, "fcn", PAPER_PATCH, [55, 110, 220, 439], 24_128_560),
    ]
    for block, network, patch, features, published in rows:
        with torch.device("meta"):
            built = build(with_features(with_network(block, network, patch), features, patch), num_classes=2)
        assert sum(p.numel() for p in built.parameters()) == pytest.approx(published, rel=0.003)


@pytest.mark.parametrize("name", [DEEPMEDIC, "somewhere.TheirUNet"])
def test_another_network_to_build_on_is_refused(deep, name):
    deep["network_class_name"] = name
    with pytest.raises(UsageError, match=f"^plans: expected the architecture of a U-Net of nnU-Net .*, got {name}$"):
        with_network(deep, "attention-mnet", PAPER_PATCH)


def test_a_u_net_of_one_level_is_refused(flat):
    flat["arch_kwargs"] |= {"strides": [[1, 1]], "kernel_sizes": [[3, 3]]}
    with pytest.raises(UsageError, match=r"at least two levels to build on, got one$"):
        with_network(flat, "fcn", (32, 32))


@pytest.mark.parametrize("network", ["vgg", ["unet"]])
def test_an_unknown_network_is_refused(flat, network):
    known = ", ".join(NETWORKS)
    with pytest.raises(UsageError, match=f"^network: expected one of {known}, got "):
        with_network(flat, network, (32, 32))


def test_gates_and_single_outputs_are_those_of_the_networks(flat):
    assert PLANNED_GATES == GATES
    # That of paper 004 has another meaning of nnU-Net's switch; its trainer refuses the setting.
    for network in set(SINGLE_OUTPUT) - {"classifier-guided"}:
        block = with_network(flat, network, (32, 32))
        with pytest.raises(UsageError, match=r"^deep_supervision: expected false"):
            get_network_from_plans(
                block["network_class_name"], block["arch_kwargs"], block["_kw_requires_import"], 1, 2,
                deep_supervision=True,
            )  # fmt: skip
