import pytest
import torch
from dynamic_network_architectures.architectures.unet import PlainConvUNet
from helpers.network_sizes import all_convolution_outputs
from torch import nn

from nnunet_cardiac_ext.architectures.attention_unet import AttendedBlock, AttentionUNet

WIDTHS = [3, 4, 5]


def small(dims=2, kind=AttentionUNet, **options):
    torch.manual_seed(0)
    convolution, norm = {2: (nn.Conv2d, nn.InstanceNorm2d), 3: (nn.Conv3d, nn.InstanceNorm3d)}[dims]
    flat, whole = [[1] * dims, [1, 2, 2][-dims:]], [2] * dims
    lists = {
        "n_stages": 3, "features_per_stage": WIDTHS, "conv_op": convolution,
        "kernel_sizes": [[1, 3, 3][-dims:], [3] * dims, [3] * dims],
        "strides": [*flat, whole], "n_conv_per_stage": [2, 1, 2], "n_conv_per_stage_decoder": [1, 2],
        "conv_bias": True, "norm_op": norm, "norm_op_kwargs": {"affine": True}, "nonlin": nn.LeakyReLU,
    }  # fmt: skip
    return kind(input_channels=1, num_classes=2, **(lists | options))


@pytest.mark.parametrize("size", [(16, 24), (4, 16, 8)])
def test_outputs_have_the_sizes_of_the_u_net(size):
    image = torch.randn(2, 1, *size)
    for deep in (False, True):
        ours, plain = (small(len(size), kind, deep_supervision=deep)(image) for kind in (AttentionUNet, PlainConvUNet))
        listed = (ours, plain) if deep else ([ours], [plain])
        assert [output.shape for output in listed[0]] == [output.shape for output in listed[1]]


@pytest.mark.parametrize("dims", [2, 3])
def test_without_attention_it_is_the_plain_u_net(dims):
    plain, ours = small(dims, PlainConvUNet), small(dims, attention=False)
    ours.load_state_dict(plain.state_dict())
    image = torch.randn(1, 1, *[8] * dims)
    assert torch.equal(ours(image), plain(image))


def test_maps_that_are_open_leave_the_u_net_and_maps_that_are_shut_leave_its_biases():
    network, plain = small(), small(kind=PlainConvUNet)
    blocks = [module for module in network.modules() if isinstance(module, AttendedBlock)]
    assert len(blocks) == 5
    weights = {name.replace(".block.", "."): value for name, value in network.state_dict().items()}
    plain.load_state_dict({name: value for name, value in weights.items() if ".attention." not in name})
    image = torch.randn(1, 1, 8, 8)
    for bias, expected in ((100.0, plain(image)), (-200.0, network.decoder.seg_layers[-1].bias.view(1, 2, 1, 1))):
        for block in blocks:
            nn.init.zeros_(block.attention[1].conv.weight)
            nn.init.constant_(block.attention[1].conv.bias, bias)
        assert torch.allclose(network(image), expected.expand(1, 2, 8, 8), atol=1e-6)


def test_the_map_is_the_sigmoid_of_two_convolutions_of_the_blocks_input():
    block = small().encoder.stages[1]
    features = torch.randn(2, 3, 8, 8)
    first, second = block.attention
    hidden = nn.functional.conv2d(features, first.conv.weight, first.conv.bias, stride=2, padding=1)
    hidden = nn.functional.leaky_relu(nn.functional.instance_norm(hidden))
    gate = torch.sigmoid(nn.functional.conv2d(hidden, second.conv.weight, second.conv.bias, padding=1))
    assert gate.shape == (2, 4, 4, 4)
    assert torch.allclose(block(features), gate * block.block(features), atol=1e-6)


def test_parameters_by_formula():
    def block(before, after, kernel=9):
        return kernel * before * after + after + 2 * after

    def attention(before, after):  # the second convolution has no normalisation
        return block(before, after) + 9 * after * after + after

    plain = sum(p.numel() for p in small(kind=PlainConvUNet).parameters())
    maps = attention(1, 3) + attention(3, 4) + attention(4, 5) + attention(8, 4) + attention(6, 3)
    assert sum(p.numel() for p in small().parameters()) == plain + maps


@pytest.mark.parametrize("dims", [2, 3])
def test_every_parameter_gets_a_gradient(dims):
    network = small(dims, deep_supervision=True)
    network.apply(network.initialize)
    outputs = network(torch.randn(2, 1, *[8] * dims))
    sum((output * torch.randn_like(output)).sum() for output in outputs).backward()
    # A bias before a normalisation has none but rounding errors.
    silent = [name for name, p in network.named_parameters() if p.grad is None or not p.grad.any()]
    assert not silent


@pytest.mark.parametrize("dims", [2, 3])
def test_the_size_of_all_feature_maps_is_that_of_the_convolutions(dims):
    network = small(dims, deep_supervision=True)
    size = [8] * dims
    assert network.compute_conv_feature_map_size(size) == all_convolution_outputs(network, size)
