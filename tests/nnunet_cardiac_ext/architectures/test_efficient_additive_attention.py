import pytest
import torch
from torch.autograd import gradcheck
from torch.autograd.graph import saved_tensors_hooks
from torch.nn import functional

from nnunet_cardiac_ext.architectures.efficient_additive_attention import (
    EfficientAdditiveAttention,
    as_maps,
    as_tokens,
    unit,
)


def by_loop(attention, tokens):
    """E-2A token by token, with the formula's 1/sqrt(d)."""
    width = tokens.shape[-1]
    results = []
    for image in tokens:
        queries, keys, scores = [], [], []
        for token in image:
            projected = attention.query_key(token)
            query, key = projected[:width], projected[width:]
            queries.append(query / query.square().sum().sqrt())
            keys.append(key / key.square().sum().sqrt())
            scores.append((queries[-1] * attention.weight).sum() / width**0.5)
        length = sum(score**2 for score in scores) ** 0.5
        context = sum(score / length * query for score, query in zip(scores, queries, strict=True))
        rows = [attention.out(attention.mix(context * k) + q) for q, k in zip(queries, keys, strict=True)]
        results.append(torch.stack(rows))
    return torch.stack(results)


@pytest.mark.parametrize(("batch", "tokens", "width"), [(2, 7, 6), (1, 1, 3), (3, 20, 1)])
def test_equals_a_loop_over_tokens(batch, tokens, width):
    torch.manual_seed(0)
    attention = EfficientAdditiveAttention(width).double()
    values = torch.randn(batch, tokens, width, dtype=torch.float64)
    torch.testing.assert_close(attention(values), by_loop(attention, values), rtol=1e-12, atol=1e-12)


def test_has_the_parameters_of_the_published_class():
    counts = [sum(p.numel() for p in EfficientAdditiveAttention(width).parameters()) for width in (16, 64)]
    assert counts == [1104, 4 * 64**2 + 5 * 64]


def test_gradients_are_those_of_finite_differences():
    torch.manual_seed(0)
    attention = EfficientAdditiveAttention(3).double()
    values = torch.randn(2, 4, 3, dtype=torch.float64, requires_grad=True)
    assert gradcheck(lambda v, *_: attention(v), (values, *attention.parameters()))


def test_what_is_kept_for_the_gradient_grows_with_the_tokens_only():
    def kept(tokens):
        numbers = []
        with saved_tensors_hooks(lambda tensor: (numbers.append(tensor.numel()), tensor)[1], lambda tensor: tensor):
            EfficientAdditiveAttention(8)(torch.randn(1, tokens, 8))
        return max(numbers), sum(numbers)

    assert kept(4096)[0] <= 2 * 4096 * 8
    assert kept(8192)[1] < 2.01 * kept(4096)[1]


@pytest.mark.parametrize("precision", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize("size", [1e-3, 1.0, 1e3])
@pytest.mark.parametrize("autocast", [True, False])
def test_half_precision_stays_near_single_precision(precision, size, autocast):
    torch.manual_seed(0)
    attention = EfficientAdditiveAttention(32)
    tokens = size * (torch.randn(1, 4096, 32) + 1)
    expected = attention(tokens)
    with torch.autocast("cpu", precision, enabled=autocast):
        got = attention(tokens) if autocast else attention.to(precision)(tokens.to(precision))
    assert got.dtype == precision
    error = (got.float() - expected).abs().max() / expected.abs().max()
    assert error < (0.05 if precision == torch.bfloat16 else 0.01)


def test_the_length_of_a_half_precision_vector_does_not_overflow():
    vector = torch.full((1, 64), 6e4, dtype=torch.float16)
    torch.testing.assert_close(unit(vector), torch.full((1, 64), 0.125))


def test_unit_vectors_and_their_gradient_are_those_of_normalize():
    torch.manual_seed(0)
    vectors = torch.randn(5, 4, dtype=torch.float64, requires_grad=True)
    other = vectors.detach().clone().requires_grad_()
    weight = torch.randn(5, 4, dtype=torch.float64)
    torch.testing.assert_close(unit(vectors), functional.normalize(other, dim=-1))
    (unit(vectors) * weight).sum().backward()
    (functional.normalize(other, dim=-1) * weight).sum().backward()
    torch.testing.assert_close(vectors.grad, other.grad)


def test_a_zero_vector_stays_zero():
    assert unit(torch.zeros(1, 3)).tolist() == [[0, 0, 0]]


def test_channels_last_maps_become_tokens_and_maps_again_without_a_copy():
    maps = torch.randn(2, 3, 4, 5).contiguous(memory_format=torch.channels_last)
    tokens = as_tokens(maps)
    assert tokens.is_contiguous()
    assert torch.equal(tokens[1, 5 * 2 + 4], maps[1, :, 2, 4])
    back = as_maps(tokens, (4, 5))
    assert torch.equal(back, maps)
    assert tokens.data_ptr() == back.data_ptr() == maps.data_ptr()
