import math
from itertools import pairwise

import pytest
import torch
from nnunetv2.utilities.get_network_from_plans import get_network_from_plans
from torch import nn

from nnunet_cardiac_ext.architectures.attention_mnet import PAPER_FEATURES, AttentionMNet

PAPER_COUNT = 24_657_034
CUBIC = [[1, 1, 1], [2, 2, 2], [2, 2, 2], [2, 2, 2]]
# Halves the slices one level later: 36, 36, 18, 9.
SPARING_SLICES = [[1, 1, 1], [1, 2, 2], [2, 2, 2], [2, 2, 2]]
SMALL = {"features_per_stage": [3, 4, 5, 6], "stem_features": 2, "fusion_features": [4, 3], "gate_kernel": 3}


def small(dims=3, *, num_classes=2, deep_supervision=True, **options):
    torch.manual_seed(0)
    defaults = {"conv_op": {2: nn.Conv2d, 3: nn.Conv3d}[dims], "strides": [s[-dims:] for s in SPARING_SLICES]}
    return AttentionMNet(1, num_classes, deep_supervision, **{**SMALL, **defaults, **options})


def count(module):
    return sum(p.numel() for p in module.parameters())


def formulas(strides, *, widths=PAPER_FEATURES, stem=16, fusion=(256, 32), classes=1, dims=3, kernel=7, reduction=16):
    """Trainable numbers of each module: convolutions with bias, two numbers per channel of batch normalisation."""

    def block(before, after):
        return 3**dims * before * after + after + 2 * after

    def stage(before, width):
        return block(before, width) + 3 * block(width, width)

    def gate(width):
        few = max(1, width // reduction)
        spatial = 2 * (width + 1) + 2 * (3 * kernel**dims + 1)
        return spatial + 4 * (width * few + few) + few * width + width

    def upsampling(below, width, stride):
        return below * width * math.prod(stride) + width

    above = list(pairwise(widths))
    return {
        "encoder.stem": block(1, stem),
        "encoder.parallel": sum(block(stem, width) for width in widths[1:]),
        "encoder.stages": stage(stem, widths[0]) + sum(stage(finer + width, width) for finer, width in above),
        "decoder.gates": sum(gate(width) for width in widths),
        "decoder.upsamplings": sum(upsampling(b, w, s) for (w, b), s in zip(above, strides[1:], strict=True)),
        "decoder.stages": sum(stage(2 * width, width) for width in widths[:-1]) + stage(widths[-1], widths[-1]),
        "decoder.heads": sum(width * classes + classes for width in widths[1:]),
        "decoder.fusion": block(sum(widths), fusion[0]) + block(*fusion) + fusion[1] * classes + classes,
    }


def modules_of(network):
    return {
        f"{part}.{name}": module
        for part in ("encoder", "decoder")
        for name, module in getattr(network, part).named_children()
        if count(module)
    }


@pytest.mark.parametrize(("strides", "total"), [(CUBIC, 24_657_108), (SPARING_SLICES, 24_648_916)])
def test_the_papers_configuration_has_its_number_of_parameters(strides, total):
    with torch.device("meta"):
        network = AttentionMNet(1, 1, True, strides=strides)
    assert {name: count(module) for name, module in modules_of(network).items()} == formulas(strides)
    assert count(network) == sum(formulas(strides).values()) == total
    assert abs(count(network) / PAPER_COUNT - 1) < 0.001


def test_stem_and_fusion_grow_with_the_first_level_unless_they_are_given():
    network = AttentionMNet(1, 2, strides=[[1, 1], [2, 2]], features_per_stage=[6, 8], conv_op=nn.Conv2d)
    assert network.encoder.stem[0].out_channels == 3
    assert [network.decoder.fusion.mix.convolution.out_channels, network.decoder.fusion.head.in_channels] == [48, 6]
    assert small().encoder.stem[0].out_channels == 2


def test_small_and_flat_networks_follow_the_same_formulas():
    strides = [s[1:] for s in SPARING_SLICES]
    network = small(2, num_classes=3, strides=strides)
    expected = formulas(strides, widths=[3, 4, 5, 6], stem=2, fusion=(4, 3), classes=3, dims=2, kernel=3)
    assert {name: count(module) for name, module in modules_of(network).items()} == expected


@pytest.mark.parametrize(
    ("strides", "sizes"),
    [
        (SPARING_SLICES, [(36, 32, 40), (36, 16, 20), (18, 8, 10), (9, 4, 5)]),
        (CUBIC, [(36, 32, 40), (18, 16, 20), (9, 8, 10), (5, 4, 5)]),
    ],
)
def test_36_slices_survive(strides, sizes):
    outputs = small(strides=strides)(torch.randn(1, 1, *sizes[0]))
    assert [tuple(x.shape) for x in outputs] == [(1, 2, *size) for size in sizes]


@pytest.mark.parametrize("strides", [CUBIC, SPARING_SLICES])
def test_odd_sizes_go_through(strides):
    network = small(strides=strides, deep_supervision=False, n_conv_per_stage=1).eval()
    assert network(torch.randn(1, 1, 35, 90, 98)).shape == (1, 2, 35, 90, 98)
    assert network(torch.randn(1, 1, 11, 17, 23)).shape == (1, 2, 11, 17, 23)


@pytest.mark.parametrize(("dims", "size"), [(2, (19, 26)), (3, (7, 18, 21))])
@pytest.mark.parametrize("norm", ["batch", "instance"])
@pytest.mark.parametrize("gate", ["dual", "spatial", "channel", "none"])
def test_every_parameter_gets_a_gradient(dims, size, norm, gate):
    # A bias has none to speak of where a normalisation takes the mean away.
    network = small(dims, norm_op=norm, gate=gate, conv_bias=False)
    network.apply(network.initialize)
    outputs = network(torch.randn(2, 1, *size))
    assert outputs[0].shape == (2, 2, *size)
    sum((x * torch.randn_like(x)).sum() for x in outputs).backward()
    without = [name for name, p in network.named_parameters() if p.grad is None or not p.grad.any()]
    assert not without


def test_the_gate_can_be_left_out_or_halved():
    counts = [count(small(gate=gate).decoder.gates) for gate in ("dual", "spatial", "channel", "none")]
    assert counts[0] == counts[1] + counts[2]
    assert counts[3] == 0


@pytest.mark.parametrize("levels", [2, 3, 5])
def test_the_number_of_levels_is_that_of_the_strides(levels):
    strides = [[1, 1]] + [[2, 2]] * (levels - 1)
    network = small(2, strides=strides, features_per_stage=range(3, 3 + levels), n_conv_per_stage=1)
    outputs = network(torch.randn(2, 1, 32, 48))
    assert [x.shape[2] for x in outputs] == [32 // 2**level for level in range(levels)]


def test_deep_supervision_is_switched_at_the_decoder():
    network = small().eval()
    image = torch.randn(1, 1, 4, 16, 16)
    deep = network(image)
    network.decoder.deep_supervision = False
    assert torch.equal(network(image), deep[0])
    assert isinstance(deep, list)
    assert len(deep) == 4


def test_weights_load_with_and_without_deep_supervision():
    small(deep_supervision=False).load_state_dict(small(deep_supervision=True).state_dict())


def test_the_arguments_of_a_plans_file_are_taken():
    network = AttentionMNet(
        2, 3, deep_supervision=True, n_stages=2, features_per_stage=[4, 6], conv_op=nn.Conv3d,
        kernel_sizes=[[1, 3, 3], [3, 3, 3]], strides=[[1, 1, 1], [1, 2, 2]], n_conv_per_stage=[2, 3], conv_bias=True,
        norm_op=nn.InstanceNorm3d, norm_op_kwargs={"eps": 1e-5, "affine": True},
    )  # fmt: skip
    assert [x.shape[2:] for x in network(torch.randn(1, 2, 3, 8, 8))] == [(3, 8, 8), (3, 4, 4)]
    assert [len(stage) for stage in network.encoder.stages] == [2, 3]
    assert network.encoder.stages[0][0][0].kernel_size == (1, 3, 3)
    assert isinstance(network.encoder.stem[1], nn.InstanceNorm3d)


def test_nnunet_builds_it_from_a_plans_file():
    arguments = {
        "n_stages": 4, "features_per_stage": [3, 4, 5, 6], "strides": SPARING_SLICES, "kernel_sizes": [[3, 3, 3]] * 4,
        "n_conv_per_stage": [4, 4, 4, 4], "conv_op": "torch.nn.modules.conv.Conv3d", "conv_bias": True,
        "norm_op": "torch.nn.modules.batchnorm.BatchNorm3d", "norm_op_kwargs": {"eps": 1e-5, "affine": True},
        "stem_features": 2, "fusion_features": [4, 3], "gate": "spatial", "gate_kernel": 3,
    }  # fmt: skip
    name = f"{AttentionMNet.__module__}.{AttentionMNet.__name__}"
    network = get_network_from_plans(name, arguments, ["conv_op", "norm_op"], 1, 2, deep_supervision=True)
    expected = small(gate="spatial")
    assert [p.shape for p in network.parameters()] == [p.shape for p in expected.parameters()]
    assert network.decoder.deep_supervision


def test_the_convolutions_start_as_he_et_al_say():
    network = AttentionMNet(1, 1, strides=CUBIC, features_per_stage=[8, 8, 8, 64], n_conv_per_stage=2)
    network.apply(network.initialize)
    convolution = network.decoder.stages[-1][-1][0]
    assert convolution.weight.std().item() == pytest.approx((2 / (27 * 64)) ** 0.5, rel=0.02)
    assert not convolution.bias.any()


def test_the_size_of_the_feature_maps_is_counted():
    network = AttentionMNet(
        1, 2, True, strides=[[1, 1], [2, 2]], features_per_stage=[3, 5], conv_op=nn.Conv2d, n_conv_per_stage=1,
        stem_features=2, fusion_features=[7, 4], gate="none",
    )  # fmt: skip
    full, half = 8 * 12, 4 * 6
    encoder = 2 * full + 3 * full + 5 * half + 5 * half
    decoder = 5 * half + 3 * full + 3 * full + 2 * half
    fusion = (7 + 4 + 2) * full
    assert network.compute_conv_feature_map_size((8, 12)) == encoder + decoder + fusion
    assert next(network.parameters()).device.type == "cpu"


@pytest.mark.slow
def test_the_network_can_be_compiled_and_switched():
    network = small(strides=[[1, 1, 1], [2, 4, 4]], features_per_stage=[2, 3], n_conv_per_stage=1).eval()
    compiled = torch.compile(network, backend="eager")
    image = torch.randn(1, 1, 5, 16, 18)
    for deep_supervision in (True, False):
        network.decoder.deep_supervision = deep_supervision
        torch.testing.assert_close(compiled(image), network(image))


def test_autocast_gives_finite_outputs():
    with torch.autocast("cpu", dtype=torch.bfloat16):
        outputs = small()(torch.randn(2, 1, 4, 16, 16))
    assert all(x.isfinite().all() for x in outputs)


@pytest.mark.parametrize(
    "wrong",
    [
        {"n_stages": 3},
        {"features_per_stage": [3, 4, 5]},
        {"n_conv_per_stage": [1, 1]},
        {"kernel_sizes": [[3, 3, 3]]},
        {"strides": [[1, 1, 1]], "features_per_stage": [3]},
        {"strides": [s[1:] for s in CUBIC]},
        {"strides": [[2, 2, 2]] * 4},
        {"gate": "triple"},
        {"norm_op": "layer"},
    ],
)
def test_what_does_not_fit_together_is_refused(wrong):
    with pytest.raises(ValueError, match="expected"):
        small(**wrong)
