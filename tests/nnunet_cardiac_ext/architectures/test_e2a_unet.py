import itertools

import pytest
import torch
from nnunetv2.utilities.get_network_from_plans import get_network_from_plans
from torch import nn

from nnunet_cardiac_ext.architectures.e2a_blocks import AdditiveAttentionBlock
from nnunet_cardiac_ext.architectures.e2a_unet import E2AUNet, checked_strides
from nnunet_cardiac_ext.errors import UsageError

PAPER = (32, 64, 128, 256, 512)
SMALL = (4, 8, 12, 16)


def parameters(network):
    return sum(p.numel() for p in network.parameters())


def paper_parameters(widths, channels, classes):
    """Closed form: stem, conv block and E-2A block per level, strided convolution, transposed convolution, head."""

    def attention(c):
        return (4 * c * c + 5 * c) + (2 * c + 8 * c * c + 5 * c) + 2 * c

    first, half = widths[0], widths[0] // 2
    total = 9 * channels * half + 2 * half + 9 * half * first + 2 * first
    for c, below in itertools.pairwise(widths):
        total += 18 * c * c + 4 * c + attention(c)  # encoder level
        total += 9 * c * below + 2 * below  # downsampling
        total += 4 * c * below + c  # upsampling
        total += 27 * c * c + 4 * c + attention(c)  # decoder level, from twice the width
    return total + first * classes + classes


@pytest.mark.parametrize(("widths", "channels", "classes"), [(PAPER, 1, 4), ((16, 32, 64, 128, 256), 2, 3)])
def test_paper_design_has_the_parameters_of_the_closed_form(widths, channels, classes):
    network = E2AUNet(channels, classes, features_per_stage=widths)
    assert parameters(network) == paper_parameters(widths, channels, classes)


def test_parameters_at_the_papers_widths():
    assert parameters(E2AUNet(1, 4)) == 8_293_460


@pytest.mark.parametrize(("base", "expected"), [(32, 6_561_828), (16, 1_647_764)])
def test_released_design_has_the_parameters_of_one_released_stream(base, expected):
    widths = [base * 2**level for level in range(5)]
    assert parameters(E2AUNet(1, 4, features_per_stage=widths, design="released")) == expected


@pytest.mark.parametrize("design", ["paper", "released"])
@pytest.mark.parametrize("shape", [(32, 32), (33, 47), (9, 40)])
def test_any_size_comes_back_at_its_size(design, shape):
    network = E2AUNet(2, 3, features_per_stage=SMALL, design=design).eval()
    assert network(torch.randn(2, 2, *shape)).shape == (2, 3, *shape)


def test_every_parameter_receives_a_gradient():
    torch.manual_seed(0)
    network = E2AUNet(1, 4, features_per_stage=SMALL)
    network(torch.randn(2, 1, 33, 30)).square().sum().backward()
    assert [name for name, p in network.named_parameters() if p.grad is None or not p.grad.any()] == []


def test_every_parameter_receives_a_gradient_under_deep_supervision():
    torch.manual_seed(0)
    network = E2AUNet(1, 4, True, features_per_stage=SMALL)
    sum(output.square().sum() for output in network(torch.randn(2, 1, 32, 32))).backward()
    assert [name for name, p in network.named_parameters() if p.grad is None or not p.grad.any()] == []


def test_deep_supervision_gives_outputs_from_the_finest_to_the_coarsest():
    network = E2AUNet(1, 4, True, features_per_stage=SMALL, strides=[[1, 1], [2, 2], [2, 1], [1, 2]])
    outputs = network(torch.randn(2, 1, 32, 32))
    assert [tuple(output.shape[2:]) for output in outputs] == [(32, 32), (16, 16), (8, 16)]


def test_nnunet_predicts_with_a_state_that_it_trained_under_deep_supervision():
    def build(deep_supervision):
        arguments = {"features_per_stage": list(SMALL), "n_stages": 4, "strides": [[1, 1], *[[2, 2]] * 3]}
        name = "nnunet_cardiac_ext.architectures.e2a_unet.E2AUNet"
        return get_network_from_plans(name, arguments, [], 1, 4, deep_supervision=deep_supervision).eval()

    trained, predicting = build(True), build(False)
    predicting.load_state_dict(trained.state_dict())
    image = torch.randn(1, 1, 32, 32)
    with torch.no_grad():
        finest = trained(image)[0]
        trained.decoder.deep_supervision = False  # as nnU-Net does before it validates
        assert torch.equal(trained(image), finest)
        assert torch.equal(predicting(image), finest)


def test_a_foreign_key_is_not_loaded():
    network = E2AUNet(1, 2, features_per_stage=SMALL)
    with pytest.raises(RuntimeError, match=r"decoder\.other"):
        network.load_state_dict({**network.state_dict(), "decoder.other.weight": torch.zeros(1)})


def test_everything_behind_the_first_convolution_runs_channels_last():
    network = E2AUNet(1, 4, features_per_stage=SMALL)
    outputs = []
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d | nn.BatchNorm2d | AdditiveAttentionBlock):
            module.register_forward_hook(lambda _, __, output: outputs.append(output))
    network(torch.randn(2, 1, 16, 16))
    assert len(outputs) > 30
    assert all(output.is_contiguous(memory_format=torch.channels_last) for output in outputs[2:])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"features_per_stage": [8]}, "features_per_stage: expected at least two even"),
        ({"features_per_stage": [8, 15]}, "features_per_stage: expected at least two even"),
        ({"features_per_stage": [8, 16], "n_stages": 3}, "n_stages: expected 2"),
        ({"features_per_stage": [8, 16], "strides": [[1, 1]]}, "strides: expected"),
        ({"features_per_stage": [8, 16], "strides": [[2, 2], [2, 2]]}, "strides: expected"),
        ({"features_per_stage": [8, 16], "strides": [[1, 1, 1], [2, 2, 2]]}, "2-D networks only"),
        ({"features_per_stage": [8, 16], "design": "other"}, "design: expected paper or released"),
    ],
)
def test_wrong_arguments_are_named(arguments, message):
    with pytest.raises(UsageError, match=message):
        E2AUNet(1, 2, **arguments)


def test_without_strides_every_stage_but_the_first_halves_the_size():
    assert checked_strides([2, 4, 8], None) == [(1, 1), (2, 2), (2, 2)]
