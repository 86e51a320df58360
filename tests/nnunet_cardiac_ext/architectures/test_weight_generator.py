import pytest
import torch
from torch import nn

from nnunet_cardiac_ext.architectures.weight_generator import WeightGenerator


def trained(**options):
    """A generator whose last layer has left its start."""
    torch.manual_seed(0)
    generator = WeightGenerator(2, 5, **options)
    nn.init.normal_(generator.head.weight)
    return generator


@pytest.mark.parametrize("mean_one", [True, False])
@pytest.mark.parametrize("size", [(1, 3), (40, 33), (2, 9, 17)])
def test_one_weight_above_zero_per_class_for_any_size(size, mean_one):
    weights = trained(dims=len(size), mean_one=mean_one)(torch.randn(3, 2, *size))
    assert weights.shape == (3, 5)
    assert weights.dtype == torch.float32
    assert (weights > 0).all()
    if mean_one:
        assert torch.allclose(weights.mean(dim=1), torch.ones(3))


@pytest.mark.parametrize("mean_one", [True, False])
def test_all_weights_start_at_one(mean_one):
    weights = WeightGenerator(1, 5, mean_one=mean_one)(torch.randn(2, 1, 32, 32))
    assert torch.allclose(weights, torch.ones(2, 5))


def test_it_has_six_convolutions():
    convolutions = [module for module in WeightGenerator(1, 5).modules() if isinstance(module, nn.Conv2d)]
    assert [layer.out_channels for layer in convolutions] == [8, 16, 32, 32, 32, 5]


def test_an_image_has_the_same_weights_in_any_batch():
    generator, images = trained(), torch.randn(4, 2, 32, 32)
    alone = torch.cat([generator(image[None]) for image in images])
    assert torch.allclose(generator(images), alone, atol=1e-5)
    assert not torch.allclose(alone[0], alone[1], atol=1e-3)


def test_every_parameter_gets_a_gradient():
    generator = trained()
    (generator(torch.randn(3, 2, 64, 64)) * torch.randn(3, 5)).sum().backward()
    assert not [name for name, p in generator.named_parameters() if p.grad is None or not p.grad.any()]
