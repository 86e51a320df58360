import pytest
import torch
from torch import nn
from torch.nn import functional

from nnunet_cardiac_ext.architectures.blocks import Layers
from nnunet_cardiac_ext.architectures.selective_kernel import SelectiveKernel

LAYERS = Layers(nn.Conv2d, "batch")


def unit(channels=3, features=5, **options):
    torch.manual_seed(0)
    return SelectiveKernel(LAYERS, channels, features, (3, 3), **options).double()


def test_equals_the_formula_written_out():
    network, image = unit().eval(), torch.randn(2, 3, 7, 6, dtype=torch.float64)
    parts = []
    for (convolution, norm, _), dilation in zip(network.branches, (1, 2), strict=True):
        maps = functional.conv2d(image, convolution.weight, convolution.bias, padding=dilation, dilation=dilation)
        maps = (maps - norm.running_mean[:, None, None]) / (norm.running_var[:, None, None] + norm.eps).sqrt()
        parts.append(maps.clamp(min=0))
    squeezed = (parts[0] + parts[1]).mean(dim=(2, 3))
    scores = (squeezed @ network.choice[0].weight.T).clamp(min=0) @ network.choice[2].weight.T
    first = 1 / (1 + (scores[:, 5:] - scores[:, :5]).exp())[:, :, None, None]
    torch.testing.assert_close(network(image), first * parts[0] + (1 - first) * parts[1])


def test_the_second_branch_reaches_as_far_as_five_pixels():
    network = unit(1, 1).eval()
    dot = torch.zeros(1, 1, 9, 9, dtype=torch.float64)
    dot[..., 4, 4] = 1
    changed = [(branch[0](dot) - branch[0](0 * dot)).abs() > 0 for branch in network.branches]
    assert [tuple(mask.nonzero()[:, 2:].amin(dim=0).tolist()) for mask in changed] == [(3, 3), (2, 2)]
    assert [int(mask.sum()) for mask in changed] == [9, 9]


def test_the_weights_of_the_branches_sum_to_one_in_each_channel():
    weights = unit().weights(torch.randn(2, 5, 4, 4, dtype=torch.float64))
    torch.testing.assert_close(sum(weights), torch.ones(2, 5, 1, 1, dtype=torch.float64))


@pytest.mark.parametrize(("features", "hidden"), [(5, 32), (1024, 64)])
def test_the_hidden_layer_is_a_sixteenth_and_not_below_32(features, hidden):
    with torch.device("meta"):
        assert SelectiveKernel(LAYERS, 3, features, (3, 3)).choice[0].out_features == hidden


def test_a_single_slice_trains():
    network = unit()
    network(torch.randn(1, 3, 6, 6, dtype=torch.float64)).sum().backward()
    assert all(parameter.grad is not None for parameter in network.parameters())
