import pytest
import torch

from nnunet_cardiac_ext.architectures.specialists import SpecialistNetworks

SMALL = (4, 8, 12)


def parameters(module):
    return sum(p.numel() for p in module.parameters())


@pytest.mark.parametrize(("base", "used"), [(16, 5_250_233), (32, 20_925_041)])
def test_released_design_has_the_used_parameters_of_the_released_network(base, used):
    widths = [base * 2**level for level in range(5)]
    # The released right ventricle borrows the myocardium's output layers, so that its own never count as used.
    own_outputs = sum(width * width + width for width in widths)
    assert parameters(SpecialistNetworks(1, 3, features=widths, design="released")) == used + own_outputs


@pytest.mark.parametrize(
    ("design", "part", "expected"),
    [("released", "encoder.couplings", 14_713_344), ("released", "decoder", 3_049_760 + 33)],
)
def test_parts_of_the_released_design_have_the_counted_parameters(design, part, expected):
    network = SpecialistNetworks(1, 3, features=(32, 64, 128, 256, 512), design=design)
    assert parameters(network.get_submodule(part)) == expected


def test_cross_attention_has_the_parameters_of_the_closed_form():
    network = SpecialistNetworks(1, 3)
    for width, block in zip((16, 32, 64, 128, 256), network.encoder.couplings, strict=True):
        attention = 18 * width**2 + 21 * width
        perceptrons = 3 * (2 * width + 8 * width**2 + 5 * width)
        assert parameters(block) == attention + perceptrons + 6 * width


def test_single_network_has_the_parameters_of_the_specialists_without_coupling():
    coupled, single = SpecialistNetworks(1, 3), SpecialistNetworks(1, 3, coupled=False)
    two_more_inputs, two_more_outputs = 9 * 2 * 8, 2 * 17
    shared = parameters(coupled) - parameters(coupled.encoder.couplings)
    assert parameters(single) == shared + two_more_inputs + two_more_outputs


@pytest.mark.parametrize("coupled", [True, False])
@pytest.mark.parametrize("design", ["paper", "released"])
@pytest.mark.parametrize("anatomies", [1, 3])
def test_each_anatomy_gets_a_map_of_the_image_size(coupled, design, anatomies):
    network = SpecialistNetworks(2, anatomies, features=SMALL, design=design, coupled=coupled)
    logits = network(torch.randn(2, 2, 14, 17), torch.rand(2, anatomies, 14, 17))
    assert logits.shape == (2, anatomies, 14, 17)


@pytest.mark.parametrize("coupled", [True, False])
def test_before_training_most_of_the_crop_is_background(coupled):
    torch.manual_seed(0)
    network = SpecialistNetworks(1, 3, features=SMALL, coupled=coupled)
    logits = network(torch.randn(4, 1, 32, 32), torch.rand(4, 3, 32, 32))
    # By hand: 10 % against 90 % is -ln 9; the rest is random, small, and of mean 0 over networks.
    assert network.decoder.seg_layers[0].bias.tolist() == pytest.approx([-2.19722] * (1 if coupled else 3), abs=1e-5)
    assert (logits < 0).float().mean() > 0.9


@pytest.mark.parametrize("coupled", [True, False])
def test_every_parameter_receives_a_gradient(coupled):
    torch.manual_seed(0)
    network = SpecialistNetworks(1, 3, features=SMALL, coupled=coupled)
    network(torch.randn(2, 1, 16, 16), torch.rand(2, 3, 16, 16)).square().sum().backward()
    assert [name for name, p in network.named_parameters() if p.grad is None or not p.grad.any()] == []


def test_released_design_leaves_no_parameter_out():
    network = SpecialistNetworks(1, 3, features=SMALL, design="released")
    network(torch.randn(2, 1, 16, 16), torch.rand(2, 3, 16, 16)).square().sum().backward()
    assert [name for name, p in network.named_parameters() if p.grad is None] == []


def test_streams_keep_to_their_image_and_anatomy():
    torch.manual_seed(0)
    network = SpecialistNetworks(1, 3, features=SMALL).eval()
    image, masks = torch.randn(2, 1, 16, 16), torch.rand(2, 3, 16, 16)
    both = network(image, masks)
    torch.testing.assert_close(both[1:], network(image[1:], masks[1:]))
    # Without coupling, a stream depends on its own mask alone.
    for block in network.encoder.couplings:
        torch.nn.init.zeros_(block.attention_scale)
    alone = network(image, masks)
    moved = network(image, torch.cat([masks[:, :1], torch.rand(2, 2, 16, 16)], dim=1))
    torch.testing.assert_close(moved[:, 0], alone[:, 0])
    assert (moved[:, 1] - alone[:, 1]).abs().max() > 1e-5


def test_coupling_lets_each_mask_change_every_anatomy():
    torch.manual_seed(0)
    network = SpecialistNetworks(1, 3, features=SMALL).eval()
    for block in network.encoder.couplings:
        torch.nn.init.ones_(block.attention_scale)
    image, masks = torch.randn(1, 1, 16, 16), torch.rand(1, 3, 16, 16)
    moved = torch.cat([1 - masks[:, :1], masks[:, 1:]], dim=1)
    change = (network(image, moved) - network(image, masks)).abs().amax(dim=(0, 2, 3))
    assert (change > 1e-4).all()
