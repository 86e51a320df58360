import pytest
import torch
from torch import nn

from nnunet_cardiac_ext.architectures.blocks import Layers, cropped_like, he_initialize


@pytest.mark.parametrize("conv_op", [nn.Conv2d, nn.Conv3d])
@pytest.mark.parametrize("norm", ["batch", "instance"])
def test_a_block_is_convolution_normalisation_and_relu(conv_op, norm):
    layers = Layers(conv_op, norm)
    size = (9, 7, 6)[-layers.dimensions :]
    block = layers.block(3, 5, [3] * layers.dimensions)
    out = block(torch.randn(2, 3, *size))
    assert out.shape == (2, 5, *size)
    assert out.min() == 0
    assert sum(p.numel() for p in block.parameters()) == (3 * 3**layers.dimensions + 1) * 5 + 2 * 5
    block[1].weight.data.fill_(0)
    assert not block(torch.randn(2, 3, *size)).any()


def test_the_normalisation_may_be_a_class_with_arguments():
    layers = Layers(nn.Conv2d, nn.InstanceNorm2d, {"eps": 0.5, "affine": False}, conv_bias=False)
    block = layers.block(1, 2, [3, 3])
    assert block[1].eps == 0.5
    assert [tuple(p.shape) for p in block.parameters()] == [(2, 1, 3, 3)]


def test_a_plain_convolution_keeps_the_size_and_may_have_a_bias():
    layers = Layers(nn.Conv2d, "batch")
    for bias in (True, False):
        convolution = layers.plain(2, 3, [5, 3], bias=bias)
        assert convolution(torch.zeros(1, 2, 6, 7)).shape == (1, 3, 6, 7)
        assert (convolution.bias is not None) == bias


def test_he_initialisation_changes_convolutions_only():
    convolution, norm = nn.ConvTranspose2d(50, 40, 2), nn.BatchNorm2d(4)
    norm.bias.data.fill_(7)
    for module in (convolution, norm):
        he_initialize(module)
    assert convolution.weight.std().item() == pytest.approx((2 / (40 * 4)) ** 0.5, rel=0.05)
    assert not convolution.bias.any()
    assert (norm.bias == 7).all()


def test_pooling_loses_no_voxel_and_upsampling_reaches_the_size_again():
    layers = Layers(nn.Conv3d, "batch")
    image = torch.zeros(1, 1, 5, 7, 4)
    image[..., 4, 6, 3] = 1
    pooled = layers.pooling([2, 2, 1])(image)
    assert pooled.shape == (1, 1, 3, 4, 4)
    assert pooled[..., 2, 3, 3] == 1
    upsampled = layers.upsampling(1, 2, [2, 2, 1])(pooled)
    assert upsampled.shape == (1, 2, 6, 8, 4)
    assert torch.equal(cropped_like(upsampled, image), upsampled[..., :5, :7, :])


@pytest.mark.parametrize(("conv_op", "norm"), [(nn.Conv1d, "batch"), (nn.Conv3d, "layer")])
def test_other_layers_are_refused(conv_op, norm):
    with pytest.raises(ValueError, match="expected"):
        Layers(conv_op, norm)
