import math

import pytest
import torch
from helpers.stacks import of_one_kind
from torch import nn

from nnunet_cardiac_ext.architectures.slice_transformer import SliceTransformer, spread

FEATURES, SIZE = 8, (3, 2)


def transformer(**options):
    return of_one_kind(SliceTransformer, FEATURES, **{"heads": 2, "depth": 2} | options)


def maps_of(slices, seed=0):
    return torch.randn(slices, FEATURES, *SIZE, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def all_real(slices):
    return torch.ones(1, slices, dtype=torch.bool)


def by_hand(layer, tokens):
    """A layer on one sequence (length, features), written out."""
    attention = layer.self_attn
    normed = layer.norm1(tokens)
    queries, keys, values = (normed @ attention.in_proj_weight.T + attention.in_proj_bias).split(FEATURES, dim=1)
    heads = []
    for part in torch.arange(FEATURES).chunk(2):
        scores = queries[:, part] @ keys[:, part].T / math.sqrt(len(part))
        powers = scores.exp()
        heads.append(powers / powers.sum(dim=1, keepdim=True) @ values[:, part])
    tokens = tokens + torch.cat(heads, dim=1) @ attention.out_proj.weight.T + attention.out_proj.bias
    hidden = layer.linear1(layer.norm2(tokens))
    return tokens + layer.linear2(hidden * (1 + torch.erf(hidden / math.sqrt(2))) / 2)


@pytest.mark.parametrize("training", [True, False])
def test_equals_attention_written_out_across_the_slices_and_then_within_them(training):
    network, maps = transformer().train(training), maps_of(4)
    tokens = maps.flatten(2).transpose(1, 2).clone()
    with torch.no_grad():
        for position in range(tokens.shape[1]):
            for layer in network.across:
                tokens[:, position] = by_hand(layer, tokens[:, position])
        for number in range(len(tokens)):
            for layer in network.within:
                tokens[number] = by_hand(layer, tokens[number])
        torch.testing.assert_close(network(maps, all_real(4)), tokens.transpose(1, 2).reshape(maps.shape))


@pytest.mark.parametrize("training", [True, False])
def test_stacks_of_different_lengths_do_not_know_of_each_other(training):
    network = transformer().train(training)
    maps = [maps_of(3), maps_of(5, seed=1), maps_of(1, seed=2)]
    real = torch.zeros(3, 5, dtype=torch.bool)
    real[0, 1:4], real[1], real[2, 4] = True, True, True
    with torch.no_grad():
        alone = torch.cat([network(stack, all_real(len(stack))) for stack in maps])
        torch.testing.assert_close(network(torch.cat(maps), real), alone, rtol=0, atol=1e-12)


def test_permuting_the_slices_permutes_the_output():
    network, maps, order = transformer(), maps_of(5), torch.tensor([3, 0, 4, 1, 2])
    torch.testing.assert_close(network(maps[order], all_real(5)), network(maps, all_real(5))[order], rtol=0, atol=1e-12)


def test_every_slice_hears_every_other_one_at_all_positions():
    maps = maps_of(3).requires_grad_()
    transformer()(maps, all_real(3))[0, 0, 0, 0].backward()
    assert (maps.grad.abs().sum(dim=1) > 0).all()


def test_attention_is_torchs_own(monkeypatch):
    calls, attention = [], nn.functional.scaled_dot_product_attention
    monkeypatch.setattr(
        nn.functional, "scaled_dot_product_attention",
        lambda *given, **options: (calls.append(given[0].shape), attention(*given, **options))[1],
    )  # fmt: skip
    transformer(depth=1)(maps_of(4), all_real(4))
    assert calls == [(6, 2, 4, 4), (4, 2, 6, 4)]


def test_spread_puts_slices_in_their_places():
    real = torch.tensor([[True, False, True], [False, True, False]])
    found = spread(torch.tensor([[1.0], [2.0], [3.0]]), real)
    assert found[..., 0].tolist() == [[1, 0, 2], [0, 3, 0]]


@pytest.mark.parametrize("options", [{"heads": 3}, {"heads": 0}, {"depth": 0}])
def test_heads_divide_the_features(options):
    with pytest.raises(ValueError, match="heads"):
        transformer(**options)
