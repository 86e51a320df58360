import pytest
import torch
from torch import nn
from torch.nn import functional

from nnunet_cardiac_ext.architectures import e2a_blocks
from nnunet_cardiac_ext.architectures.e2a_blocks import (
    AdditiveAttentionBlock,
    DepthwiseBlock,
    PointwiseMLP,
    decoder_level,
    double_conv,
    downsampling,
    encoder_level,
    stem,
)


def parameters(*modules):
    return sum(p.numel() for module in modules for p in module.parameters())


def test_released_level_has_the_counted_parameters():
    # Counted on the released code, width 32: depthwise blocks, E-2A with scales and perceptron, downsampling.
    level, down = encoder_level(32, "released"), downsampling(32, 64, (2, 2), "released")
    assert parameters(level, down) == 8768 + 2528 + 4256 + 8416 + 64 + 18624


@pytest.mark.parametrize("base", [16, 32])
def test_released_stem_has_the_counted_parameters(base):
    half = base // 2
    by_hand = 9 * 2 * half + half + 2 * half + 9 * half * base + base + 2 * base
    assert parameters(stem(2, base, "released")) == by_hand


def test_paper_convolutions_have_no_bias_that_a_norm_would_undo():
    block = double_conv(4, 6, "paper")
    assert [layer.bias for layer in block if isinstance(layer, nn.Conv2d)] == [None, None]
    assert [type(layer) for layer in block] == [nn.Conv2d, nn.BatchNorm2d, nn.ReLU] * 2


def test_perceptron_is_two_pointwise_convolutions():
    torch.manual_seed(0)
    mlp = PointwiseMLP(3, 8)
    maps = torch.randn(2, 3, 4, 5)
    hidden = functional.conv2d(mlp.norm(maps), mlp.hidden.weight[..., None, None], mlp.hidden.bias)
    expected = functional.conv2d(functional.gelu(hidden), mlp.out.weight[..., None, None], mlp.out.bias)
    torch.testing.assert_close(mlp(maps), expected)


@pytest.mark.parametrize("at_once", [1, 2 * 20 * 8, 10**6])
def test_perceptron_in_parts_gives_what_it_gives_at_once(monkeypatch, at_once):
    torch.manual_seed(0)
    monkeypatch.setattr(e2a_blocks, "HIDDEN_AT_ONCE", at_once)
    mlp = PointwiseMLP(3, 8).eval()
    maps = torch.randn(5, 3, 4, 5).contiguous(memory_format=torch.channels_last)
    expected = mlp(maps)
    with torch.no_grad():
        got = mlp(maps)
    torch.testing.assert_close(got, expected)
    assert got.is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize("block", [AdditiveAttentionBlock(4), DepthwiseBlock(4, 16), PointwiseMLP(4, 8)])
def test_blocks_take_any_layout_and_give_channels_last(block):
    torch.manual_seed(0)
    maps = torch.randn(2, 4, 5, 7)
    last = maps.contiguous(memory_format=torch.channels_last)
    block.eval()
    torch.testing.assert_close(block(maps), block(last))
    assert block(last).is_contiguous(memory_format=torch.channels_last)


def test_only_the_papers_decoder_attends():
    def attends(module):
        return any(isinstance(part, AdditiveAttentionBlock) for part in module.modules())

    assert attends(decoder_level(4, "paper"))
    assert not attends(decoder_level(4, "released"))
