"""The architecture block stays consistent when widths, depth or patch change."""

import copy
from typing import get_args

import pytest
import torch
from helpers.tiny_plans import tiny_plans
from nnunetv2.utilities.get_network_from_plans import get_network_from_plans

from nnunet_cardiac_ext.architectures.e2a_blocks import Design
from nnunet_cardiac_ext.errors import UsageError
from nnunet_cardiac_ext.network_blocks import with_network
from nnunet_cardiac_ext.network_plan import (
    DESIGNS,
    check_network,
    check_patch,
    stack_patch,
    with_convolutions,
    with_crop_size,
    with_design,
    with_features,
    with_gate,
    with_margin,
    with_norm,
    with_specialist_features,
    with_switch,
)


@pytest.fixture
def architecture():
    return tiny_plans()["configurations"]["2d"]["architecture"]


def _output_shape(architecture, patch_size):
    network = get_network_from_plans(
        architecture["network_class_name"], architecture["arch_kwargs"], architecture["_kw_requires_import"],
        1, 4, allow_init=True, deep_supervision=False,
    )  # fmt: skip
    return tuple(network(torch.zeros(1, 1, *patch_size)).shape)


@pytest.mark.parametrize("features", [[4, 8], [4, 8, 8], [4, 8, 16, 16]])
def test_fewer_same_and_more_stages_build_a_network(architecture, features):
    changed = with_features(architecture, features, (32, 32))
    assert changed["arch_kwargs"]["n_stages"] == len(features)
    assert _output_shape(changed, (32, 32)) == (1, 4, 32, 32)


def test_a_further_stage_halves_only_axes_that_can_be_halved(architecture):
    strides = with_features(architecture, [4] * 4, (32, 20))["arch_kwargs"]["strides"]
    assert strides == [[1, 1], [2, 2], [2, 2], [2, 1]]


def test_the_given_architecture_is_left_alone(architecture):
    before = copy.deepcopy(architecture)
    with_features(architecture, [4] * 4, (32, 32))
    with_convolutions(architecture, 3)
    assert architecture == before


def test_convolutions_count_for_encoder_and_decoder(architecture):
    kwargs = with_convolutions(architecture, 2)["arch_kwargs"]
    assert (kwargs["n_conv_per_stage"], kwargs["n_conv_per_stage_decoder"]) == ([2, 2, 2], [2, 2])


def test_batch_normalisation_takes_the_place_of_instance_normalisation(architecture):
    changed = with_norm(architecture, "batch")
    assert _output_shape(changed, (32, 32)) == (1, 4, 32, 32)
    assert changed["arch_kwargs"]["norm_op"] == "torch.nn.modules.batchnorm.BatchNorm2d"
    assert with_norm(changed, "instance") == architecture


def test_an_unknown_normalisation_is_refused(architecture):
    with pytest.raises(UsageError, match=r"^norm: expected one of instance, batch, got 'group'$"):
        with_norm(architecture, "group")


def test_too_many_stages_for_the_patch_are_refused(architecture):
    with pytest.raises(UsageError, match=r"^features: expected at most 4 stages for patches of \[32, 32\], got 5$"):
        with_features(architecture, [4] * 5, (32, 32))


@pytest.mark.parametrize("features", [[4], [4, 0], [4, "8"], [4, 8.0], [True, 8]])
def test_widths_that_are_none_are_refused(architecture, features):
    with pytest.raises(UsageError, match=r"^features: expected at least two whole numbers >= 1"):
        with_features(architecture, features, (32, 32))


@pytest.mark.parametrize("convolutions", [0, "2", 1.5])
def test_a_wrong_number_of_convolutions_is_refused(architecture, convolutions):
    with pytest.raises(UsageError, match=r"^convolutions: expected a whole number >= 1"):
        with_convolutions(architecture, convolutions)


@pytest.mark.parametrize("gate", ["dual", "spatial", "channel", "none"])
def test_gates_of_the_attention_mnet(architecture, gate):
    changed = with_gate(with_network(architecture, "attention-mnet", (32, 32)), gate)
    assert changed["arch_kwargs"]["gate"] == gate


def test_gates_of_another_kind_or_network_are_refused(architecture):
    with pytest.raises(UsageError, match=r"^gate: expected one of dual, spatial, channel, none, got 'triple'$"):
        with_gate(architecture, "triple")
    with pytest.raises(UsageError, match=r"^gate: expected the network attention-mnet, got PlainConvUNet$"):
        with_gate(architecture, "none")


def test_further_layers_of_a_network_that_never_pools_do_not_pool(architecture):
    block = with_network(architecture, "deepmedic", (32, 32))
    kwargs = with_features(block, [4] * 10, (32, 32))["arch_kwargs"]
    assert (kwargs["strides"], kwargs["kernel_sizes"]) == ([[1, 1]] * 10, [[3, 3]] * 10)
    assert len(with_features(block, [4, 4], (32, 32))["arch_kwargs"]["strides"]) == 2


def test_convolutions_per_stage_of_a_network_whose_stages_are_single_ones_are_refused(architecture):
    block = with_network(architecture, "deepmedic", (32, 32))
    with pytest.raises(
        UsageError, match=r"^convolutions: DeepMedic has a fixed number per stage; features= sets the stages$"
    ):
        with_convolutions(block, 2)


@pytest.fixture
def crocnet(architecture):
    return with_network(architecture, "crocnet", (32, 32))


@pytest.mark.parametrize(
    ("change", "key", "value"),
    [(with_design, "design", "released"), (with_specialist_features, "specialist_features", [4, 8, 12]),
     (with_crop_size, "crop_size", 96), (with_margin, "margin", 0)],
)  # fmt: skip
def test_arguments_of_crocnet(architecture, crocnet, change, key, value):
    changed = change(crocnet, value)
    assert changed["arch_kwargs"] == crocnet["arch_kwargs"] | {key: value}
    with pytest.raises(UsageError, match=rf"^{key}: expected the network .*crocnet, got PlainConvUNet$"):
        change(architecture, value)


@pytest.mark.parametrize(
    ("change", "value", "message"),
    [
        (with_design, "mine", "design: expected one of paper, released, got 'mine'"),
        (with_design, ["paper"], "design: expected one of paper, released"),
        (
            with_specialist_features,
            [4, 7],
            r"specialist_features: expected at least two even whole numbers >= 2, got \[4, 7",
        ),
        (
            with_specialist_features,
            16,
            r"specialist_features: expected at least two even whole numbers >= 2, got \[16\]",
        ),
        (with_crop_size, 0, "crop_size: expected a whole number >= 1, got 0"),
        (with_crop_size, True, "crop_size: expected a whole number >= 1, got True"),
        (with_margin, -1, "margin: expected a whole number >= 0, got -1"),
        (with_margin, 1.5, "margin: expected a whole number >= 0, got 1.5"),
        (with_norm, "batch", "norm: CroCNet has batch normalisation, which is fixed"),
        (with_convolutions, 3, "convolutions: CroCNet has a fixed number per stage"),
    ],
)
def test_what_crocnet_cannot_have_is_refused(crocnet, change, value, message):
    with pytest.raises(UsageError, match=f"^{message}"):
        change(crocnet, value)


def test_odd_widths_of_an_e2a_unet_are_refused(architecture):
    with pytest.raises(UsageError, match=r"^features: expected at least two even whole numbers >= 2, got \[3, 4\]$"):
        with_features(with_network(architecture, "e2a-unet", (32, 32)), [3, 4], (32, 32))


def test_designs_are_those_of_the_networks():
    assert get_args(Design) == DESIGNS


def test_a_patch_that_the_strides_do_not_divide_is_refused_with_the_nearest(architecture):
    with pytest.raises(UsageError, match=r"total stride \[4, 4\], got \[30, 33\]; the nearest are \[32, 32\]$"):
        check_patch(architecture, (30, 33))


def test_a_patch_of_one_voxel_at_the_bottom_is_refused(architecture):
    with pytest.raises(UsageError, match=r"expected more than the network's total stride \[4, 4\]"):
        check_patch(architecture, (4, 4))
    check_patch(architecture, (4, 8))


@pytest.mark.parametrize("key", ["fusion", "refinement", "presence"])
def test_parts_of_the_classifier_guided_network_are_switched(architecture, key):
    guided = with_network(architecture, "classifier-guided", (32, 32))
    off = with_switch(key, guided, False)
    assert guided["arch_kwargs"][key]
    assert off["arch_kwargs"] == guided["arch_kwargs"] | {key: False}
    with pytest.raises(UsageError, match=rf"^{key}: expected true or false, got 'off'$"):
        with_switch(key, guided, "off")
    with pytest.raises(UsageError, match=rf"^{key}: expected the network classifier-guided, got PlainConvUNet$"):
        with_switch(key, architecture, True)


@pytest.mark.parametrize(
    ("spacing", "new", "patch"),
    [((1.5, 1.5), (1.5, 1.5), [24, 32, 48]), ((1.3, 1.3), (1.3, 1.3), [24, 32, 48]),
     ((1.5, 1.5), (0.75, 1.0), [24, 64, 80]), ((1.5, 1.5), (3.0, 3.1), [24, 16, 32])],
)  # fmt: skip
def test_a_patch_of_stacks_covers_what_the_2d_patch_covers(spacing, new, patch):
    found = stack_patch(24, (32, 48), spacing, new)
    assert found == patch
    assert all(a * b >= c * d for a, b, c, d in zip(found[1:], new, (32, 48), spacing, strict=True))


def test_heads_and_axes_that_do_not_fit_are_refused(architecture):
    guided = with_network(architecture, "classifier-guided", (32, 32))
    with pytest.raises(UsageError, match=r"^features: expected a multiple of 8 \(attention heads\) .* got 12$"):
        check_network(with_features(guided, [4, 8, 12], (32, 32)), (32, 32))
    with pytest.raises(UsageError, match=r"^network: ClassifierGuidedNet takes single slices; .* got 3D patches$"):
        check_network(guided, (4, 32, 32))
