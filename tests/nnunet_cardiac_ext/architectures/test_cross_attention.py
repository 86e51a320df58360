import pytest
import torch
from torch.autograd import gradcheck

from nnunet_cardiac_ext.architectures.cross_attention import CrossAttentionBlock, CrossEfficientAdditiveAttention
from nnunet_cardiac_ext.architectures.efficient_additive_attention import EfficientAdditiveAttention


def by_loop(attention, tokens):
    """Cross-E-2A stream by stream and token by token."""
    streams, batch, count, width = tokens.shape
    result = torch.zeros_like(tokens)

    def project(stream, image, token):
        projected = attention.query_key_weight[stream] @ tokens[stream, image, token]
        projected = projected + attention.query_key_bias[stream, 0]
        return [part / part.norm() for part in (projected[:width], projected[width:])]

    for image in range(batch):
        pairs = [[project(stream, image, token) for token in range(count)] for stream in range(streams)]
        for target in range(streams):
            scores = torch.stack([query @ attention.weight[target, 0] for query, _ in pairs[target]])
            scores = scores / scores.norm()
            context = sum(score * query for score, (query, _) in zip(scores, pairs[target], strict=True))
            for token in range(count):
                mixed = pairs[target][token][0]
                for source in range(streams):
                    key = pairs[source][token][1]
                    mixed = mixed + attention.mix_weight[target, source] @ (context * key)
                    mixed = mixed + attention.mix_bias[target, source]
                result[target, image, token] = attention.out_weight[target] @ mixed + attention.out_bias[target, 0]
    return result


@pytest.mark.parametrize("streams", [1, 2, 3])
def test_equals_a_loop_over_streams_and_tokens(streams):
    torch.manual_seed(0)
    attention = CrossEfficientAdditiveAttention(4, streams).double()
    tokens = torch.randn(streams, 2, 5, 4, dtype=torch.float64)
    torch.testing.assert_close(attention(tokens), by_loop(attention, tokens), rtol=1e-12, atol=1e-12)


def test_one_stream_is_efficient_additive_attention():
    torch.manual_seed(0)
    single, cross = EfficientAdditiveAttention(6), CrossEfficientAdditiveAttention(6, 1)
    values = [single.query_key.weight, single.query_key.bias, single.weight]
    values += [single.mix.weight, single.mix.bias, single.out.weight, single.out.bias]
    with torch.no_grad():
        for parameter, value in zip(cross.parameters(), values, strict=True):
            parameter.copy_(value.view_as(parameter))
    tokens = torch.randn(2, 9, 6)
    torch.testing.assert_close(cross(tokens[None])[0], single(tokens))


def test_has_the_parameters_of_the_released_attention():
    assert sum(p.numel() for p in CrossEfficientAdditiveAttention(16).parameters()) == 4944 == 18 * 256 + 21 * 16


def test_each_stream_has_its_own_output_layer():
    torch.manual_seed(0)
    attention = CrossEfficientAdditiveAttention(4)
    tokens = torch.randn(3, 1, 6, 4)
    before = attention(tokens)
    with torch.no_grad():
        attention.out_weight[2] *= 2
    changed = (attention(tokens) - before).abs().amax(dim=(1, 2, 3)) > 0
    assert changed.tolist() == [False, False, True]


def test_every_stream_reaches_every_other():
    torch.manual_seed(0)
    attention = CrossEfficientAdditiveAttention(4)
    tokens = torch.randn(3, 1, 6, 4)
    before = attention(tokens)
    for source in range(3):
        moved = tokens.clone()
        moved[source] += torch.randn(1, 6, 4)
        assert ((attention(moved) - before).abs().amax(dim=(1, 2, 3)) > 1e-6).all()


def test_gradients_are_those_of_finite_differences():
    torch.manual_seed(0)
    attention = CrossEfficientAdditiveAttention(2).double()
    tokens = torch.randn(3, 1, 3, 2, dtype=torch.float64, requires_grad=True)
    assert gradcheck(lambda values, *_: attention(values), (tokens, *attention.parameters()))


@pytest.mark.parametrize("precision", [torch.bfloat16, torch.float16])
def test_half_precision_stays_near_single_precision(precision):
    torch.manual_seed(0)
    attention = CrossEfficientAdditiveAttention(16)
    tokens = 1e3 * (torch.randn(3, 1, 4096, 16) + 1)
    expected = attention(tokens)
    with torch.autocast("cpu", precision):
        got = attention(tokens)
    assert got.dtype == precision
    assert (got.float() - expected).abs().max() / expected.abs().max() < 0.05


def test_the_block_keeps_layout_and_order_of_the_streams():
    torch.manual_seed(0)
    block = CrossAttentionBlock(4).eval()
    maps = torch.randn(6, 4, 5, 3).contiguous(memory_format=torch.channels_last)
    result = block(maps)
    assert result.is_contiguous(memory_format=torch.channels_last)
    alone = block(maps[1::2])
    torch.testing.assert_close(result[1::2], alone)
    # New scales are 1e-5: the block starts as the identity.
    torch.testing.assert_close(result, maps, atol=1e-3, rtol=0)
