import pytest
import torch
from torch import nn

from nnunet_cardiac_ext.architectures.blocks import Layers
from nnunet_cardiac_ext.architectures.dual_attention_gate import DualAttentionGate

SIZE = (4, 5, 6)


def gate_of(kind, *, encoded=8, decoded=6, kernel=3, reduction=4, conv_op=nn.Conv3d):
    layers = Layers(conv_op, "batch")
    return DualAttentionGate(
        layers, encoded, decoded, kind=kind, kernel_size=[kernel] * layers.dimensions, reduction=reduction
    )


def inputs(size=SIZE):
    torch.manual_seed(0)
    return torch.randn(2, 8, *size), torch.randn(2, 6, *size)


def count(module):
    return sum(p.numel() for p in module.parameters())


@pytest.mark.parametrize(("conv_op", "size"), [(nn.Conv2d, SIZE[1:]), (nn.Conv3d, SIZE)])
@pytest.mark.parametrize("kind", ["dual", "spatial", "channel", "none"])
def test_what_passes_is_the_encoders_attenuated(conv_op, size, kind):
    encoded, decoded = inputs(size)
    passed = gate_of(kind, conv_op=conv_op)(encoded, decoded)
    share = passed / encoded
    assert passed.shape == encoded.shape
    if kind == "none":
        assert torch.equal(passed, encoded)
    else:
        assert share.min() > 0
        assert share.max() < 1


def test_the_spatial_gate_is_the_same_for_all_channels_and_the_channel_gate_for_all_voxels():
    encoded, decoded = inputs()
    spatial = gate_of("spatial")(encoded, decoded) / encoded
    assert torch.allclose(spatial, spatial[:, :1].expand_as(spatial), atol=1e-5)
    assert spatial.flatten(2).std(dim=2).min() > 1e-4
    channel = gate_of("channel")(encoded, decoded) / encoded
    assert torch.allclose(channel, channel[..., :1, :1, :1].expand_as(channel), atol=1e-5)
    assert channel[:, :, 0, 0, 0].std(dim=1).min() > 1e-4


def test_the_dual_gate_is_the_product_of_both():
    encoded, decoded = inputs()
    gate = gate_of("dual")
    expected = encoded * gate.spatial(encoded, decoded) * gate.channel(encoded, decoded)
    assert torch.allclose(gate(encoded, decoded), expected)


@pytest.mark.parametrize("kind", ["dual", "spatial", "channel"])
def test_both_inputs_matter(kind):
    encoded, decoded = inputs()
    gate = gate_of(kind)
    assert not torch.allclose(gate(encoded, decoded), gate(encoded, decoded + 1))


def test_the_channel_gate_by_plain_formulas():
    encoded, decoded = inputs()
    channel = gate_of("channel").channel
    few = 0
    for x, of_mean, of_largest in zip((encoded, decoded), channel.of_mean, channel.of_largest, strict=True):
        flat = x.flatten(2)
        for values, layer in ((flat.mean(2), of_mean), (flat.max(2).values, of_largest)):
            few = few + values @ layer.weight.flatten(1).T + layer.bias
    expected = torch.sigmoid(few @ channel.spread.weight.flatten(1).T + channel.spread.bias)
    assert torch.allclose(channel(encoded, decoded).flatten(1), expected, atol=1e-6)


def test_parameters_by_formula():
    spatial = (8 + 1) + (6 + 1) + 2 * (3 * 3**3 + 1)
    channel = 2 * (8 * 2 + 2) + 2 * (6 * 2 + 2) + (2 * 8 + 8)
    assert count(gate_of("spatial")) == spatial
    assert count(gate_of("channel")) == channel
    assert count(gate_of("dual")) == spatial + channel
    assert count(gate_of("none")) == 0


def test_narrow_levels_keep_one_channel():
    assert gate_of("channel", reduction=16).channel.spread.in_channels == 1


def test_another_kind_is_refused():
    with pytest.raises(ValueError, match="gate: expected one of dual"):
        gate_of("triple")
