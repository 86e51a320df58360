import pytest
import torch
from torch import nn

from nnunet_cardiac_ext.architectures.deepmedic import DeepMedic
from nnunet_cardiac_ext.errors import UsageError

WIDTHS = [3, 4, 5]


def small(dims=3, **options):
    torch.manual_seed(0)
    lists = {
        "features_per_stage": WIDTHS, "strides": [[1] * dims] * 3, "kernel_sizes": [[3] * dims] * 3,
        "conv_op": {2: nn.Conv2d, 3: nn.Conv3d}[dims],
    }  # fmt: skip
    return DeepMedic(1, 2, **(lists | options))


@pytest.mark.parametrize("size", [(9, 12), (10, 11), (1, 2, 4), (9, 7, 8)])
def test_any_size_goes_through(size):
    assert small(len(size)).eval()(torch.randn(1, 1, *size)).shape == (1, 2, *size)


def test_parameters_by_formula():
    def layer(before, after, voxels):  # convolution with bias, batch normalisation, one slope per channel
        return voxels * before * after + after + 2 * after + after

    path = layer(1, 3, 27) + layer(3, 4, 27) + layer(4, 5, 27)
    hidden = layer(2 * 5, 15, 1) + layer(15, 15, 1)
    assert sum(p.numel() for p in small().parameters()) == 2 * path + hidden + 15 * 2 + 2


def test_the_context_path_sees_the_mean_of_27_voxels_and_farther():
    network = small().eval()
    image = torch.randn(1, 1, 27, 27, 27, requires_grad=True)
    network.detail.requires_grad_(False)
    with torch.no_grad():
        for module in network.detail:
            if isinstance(module, nn.Conv3d):
                module.weight.zero_()
    network(image)[0, 0, 13, 13, 13].backward()
    reached = image.grad[0, 0].nonzero()
    # Three 3x3x3 convolutions on voxels three times as large: seven of these, 21 voxels.
    assert (reached.amin(0).tolist(), reached.amax(0).tolist()) == ([3] * 3, [23] * 3)
    cells = image.grad[0, 0, 3:24, 3:24, 3:24].unflatten(0, (7, 3)).unflatten(2, (7, 3)).unflatten(4, (7, 3))
    assert torch.allclose(cells, cells[:, :1, :, :1, :, :1].expand_as(cells))


def test_the_detail_path_sees_its_neighbourhood_only():
    network = small().eval()
    with torch.no_grad():
        for module in network.context:
            if isinstance(module, nn.Conv3d):
                module.weight.zero_()
    image = torch.randn(1, 1, 15, 15, 15, requires_grad=True)
    network(image)[0, 0, 7, 7, 7].backward()
    reached = image.grad[0, 0].nonzero()
    assert (reached.amin(0).tolist(), reached.amax(0).tolist()) == ([4] * 3, [10] * 3)


def test_every_parameter_gets_a_gradient():
    network = small(conv_bias=False)
    network.apply(network.initialize)
    (network(torch.randn(2, 1, 9, 9, 9)) * torch.randn(2, 2, 9, 9, 9)).sum().backward()
    assert not [name for name, p in network.named_parameters() if p.grad is None or not p.grad.any()]


def test_nnunet_can_switch_what_it_calls_the_decoder():
    network = small().eval()
    network.decoder.deep_supervision = True
    assert network(torch.randn(1, 1, 6, 6, 6)).shape == (1, 2, 6, 6, 6)


@pytest.mark.parametrize(
    "wrong",
    [
        {"deep_supervision": True},
        {"n_stages": 4},
        {"strides": [[1, 1, 1], [2, 2, 2], [1, 1, 1]]},
        {"strides": [[1, 1, 1]]},
        {"kernel_sizes": [[3, 3, 3]]},
    ],
)
def test_what_does_not_fit_is_refused(wrong):
    with pytest.raises(UsageError, match="expected"):
        small(**wrong)
