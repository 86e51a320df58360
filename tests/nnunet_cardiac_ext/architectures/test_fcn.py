import pytest
import torch
from torch import nn
from torch.nn import functional

from nnunet_cardiac_ext.architectures.fcn import FullyConvolutionalNetwork
from nnunet_cardiac_ext.errors import UsageError


def small(dims=3, **options):
    torch.manual_seed(0)
    lists = {
        "features_per_stage": [3, 4, 5], "strides": [[1] * dims, [2] * dims, [2] * dims],
        "kernel_sizes": [[3] * dims] * 3, "n_conv_per_stage": [3, 4, 4],
        "conv_op": {2: nn.Conv2d, 3: nn.Conv3d}[dims],
    }  # fmt: skip
    return FullyConvolutionalNetwork(1, 2, **(lists | options))


@pytest.mark.parametrize("size", [(8, 12), (9, 11), (5, 7, 10), (8, 8, 8)])
def test_any_size_goes_through(size):
    assert small(len(size)).eval()(torch.randn(1, 1, *size)).shape == (1, 2, *size)


def test_parameters_by_formula():
    def block(before, after):  # convolution with bias, scale and shift of the normalisation
        return 27 * before * after + after + 2 * after

    levels = block(1, 3) + 2 * block(3, 3) + block(3, 4) + 3 * block(4, 4) + block(4, 5) + 3 * block(5, 5)
    scores = sum(width * 2 + 2 for width in (3, 4, 5))
    upsampling = 2 * (2 * 2 * 8 + 2)
    assert sum(p.numel() for p in small().parameters()) == levels + scores + upsampling


def test_scores_are_averaged_level_by_level():
    network = small(2).decoder
    features = [torch.randn(1, width, edge, edge) for width, edge in ((3, 8), (4, 4), (5, 2))]
    finest, middle, deepest = (
        functional.conv2d(x, score.weight, score.bias) for x, score in zip(features, network.scores, strict=True)
    )

    def enlarged(x, layer):
        return functional.conv_transpose2d(x, layer.weight, layer.bias, stride=2)

    fused = (middle + enlarged(deepest, network.upsamplings[1])) / 2
    fused = (finest + enlarged(fused, network.upsamplings[0])) / 2
    assert torch.allclose(network(features), fused, atol=1e-6)


def test_activations_are_normalised_after_the_relu_as_published():
    kinds = [type(module) for module in small(norm_op_kwargs={"affine": False}).levels[0]]
    assert kinds == [nn.Conv3d, nn.ReLU, nn.InstanceNorm3d] * 3


def test_every_parameter_gets_a_gradient():
    network = small(dropout=0.0)
    network.apply(network.initialize)
    (network(torch.randn(2, 1, 8, 8, 8)) * torch.randn(2, 2, 8, 8, 8)).sum().backward()
    assert not [name for name, p in network.named_parameters() if p.grad is None or not p.grad.any()]


@pytest.mark.parametrize(
    "wrong", [{"deep_supervision": True}, {"n_stages": 2}, {"n_conv_per_stage": [1]}, {"strides": [[1, 1, 1]]}]
)
def test_what_does_not_fit_is_refused(wrong):
    with pytest.raises(UsageError, match="expected"):
        small(**wrong)
