"""Efficient additive attention (E-2A): every token meets one global query, so cost and memory grow with the tokens."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

# A shorter vector is divided by this; torch's own value.
SMALLEST_LENGTH = 1e-12


class EfficientAdditiveAttention(nn.Module):
    """Efficient additive attention of Shaker et al. (SwiftFormer, ICCV 2023), equations 1 and 2 of paper 003.

    With q, k the query and key of a token, both of length 1, and a_n = q_n . w scaled to length 1 over all tokens:

        global query g = sum_n a_n q_n,    output_n = Linear_out(Linear_mix(g * k_n) + q_n)

    The paper's equations leave out three things that SwiftFormer's code has: the length of k, the length of a, and
    Linear_out. The 1/sqrt(d) of equation 1 cancels in the length of a and is left out. There is no softmax and no
    matrix of tokens by tokens. Linear_mix(g * k) is computed as one product of k with a matrix that holds g.

    Args:
        channels: Width d of a token.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.query_key = nn.Linear(channels, 2 * channels)
        self.weight = nn.Parameter(torch.randn(channels))
        self.mix = nn.Linear(channels, channels)
        self.out = nn.Linear(channels, channels)

    def forward(self, tokens: Tensor) -> Tensor:
        """Return the attended tokens.

        Args:
            tokens: Shape (batch, token, channel); any floating type. Lengths are taken in float32 or better.

        Returns:
            Tokens of the same shape.
        """
        projected = self.query_key(tokens)
        precision = projected.dtype
        query, key = (unit(part) for part in projected.chunk(2, dim=-1))
        del projected
        context = global_query(query, self.weight)
        matrix = (self.mix.weight * context[:, None, :]).to(precision)
        mixed = torch.baddbmm(query.to(precision), key.to(precision), matrix.mT)
        # Linear_mix's bias is the same for all tokens, so it is carried through Linear_out once.
        bias = self.out.bias + functional.linear(self.mix.bias, self.out.weight)
        return functional.linear(mixed, self.out.weight, bias)


def unit(vectors: Tensor) -> Tensor:
    """Return vectors of length 1 along the last axis, in float32 or better; a zero vector stays zero."""
    return _Unit.apply(at_least_float32(vectors))


def global_query(query: Tensor, weight: Tensor) -> Tensor:
    """Return the global query: the sum of the queries, weighted by their agreement with a learnt vector.

    Args:
        query: Queries of length 1, shape (..., token, channel), float32 or better.
        weight: The learnt vector, shape (..., channel), broadcast against the leading axes of `query`.

    Returns:
        Shape (..., channel), in the type of `query` also under autocast: the sum runs over all tokens.
    """
    with torch.autocast(query.device.type, enabled=False):
        agreement = query @ weight.to(query.dtype)[..., None]
        share = unit(agreement.mT)
        return (share @ query).squeeze(-2)


class _Unit(torch.autograd.Function):
    """Vectors of length 1, as `torch.nn.functional.normalize`, but only the result and the lengths are kept."""

    @staticmethod
    def forward(ctx: Any, vectors: Tensor) -> Tensor:
        length = torch.linalg.vector_norm(vectors, dim=-1, keepdim=True).clamp_min(SMALLEST_LENGTH)
        result = vectors / length
        ctx.save_for_backward(result, length)
        return result

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        result, length = ctx.saved_tensors
        along = (gradient * result).sum(dim=-1, keepdim=True)
        return torch.addcmul(gradient, result, along, value=-1) / length


def at_least_float32(values: Tensor) -> Tensor:
    """Return half precision as float32 and anything else as it is."""
    return values.float() if values.dtype in (torch.float16, torch.bfloat16) else values


def as_tokens(maps: Tensor) -> Tensor:
    """Return feature maps (batch, channel, row, column) as tokens (batch, token, channel); no copy of channels-last."""
    return maps.permute(0, 2, 3, 1).flatten(1, 2)


def as_maps(tokens: Tensor, shape: tuple[int, int]) -> Tensor:
    """Return tokens (batch, token, channel) as channels-last maps of `shape` (rows, columns), without a copy."""
    return tokens.unflatten(1, shape).permute(0, 3, 1, 2)
