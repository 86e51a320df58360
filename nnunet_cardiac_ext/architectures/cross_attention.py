"""Efficient additive attention between the streams of several anatomies (cross-E-2A of paper 003)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from nnunet_cardiac_ext.architectures.e2a_blocks import LAYER_SCALE, MLP_RATIO, PointwiseMLP
from nnunet_cardiac_ext.architectures.efficient_additive_attention import global_query, unit


class CrossEfficientAdditiveAttention(nn.Module):
    """Cross-E-2A of paper 003 (section 3.3), as far as its released code tells: queries of one stream, keys of all.

    With q_t, k_t and the global query g_t of stream t as in `EfficientAdditiveAttention`, each with its own weights:

        output_t = Linear_out,t(sum_s Linear_t,s(g_t * k_s) + q_t)

    Every stream has its own Linear_out; in the released code the right ventricle goes through the myocardium's.
    With one stream this is `EfficientAdditiveAttention`.

    Args:
        channels: Width d of a token.
        streams: Number of streams (anatomies).
    """

    def __init__(self, channels: int, streams: int = 3) -> None:
        super().__init__()
        square = (channels, channels)
        self.query_key_weight = _uniform(streams, 2 * channels, channels, fan_in=channels)
        self.query_key_bias = _uniform(streams, 1, 2 * channels, fan_in=channels)
        self.weight = nn.Parameter(torch.randn(streams, 1, channels))
        self.mix_weight = _uniform(streams, streams, *square, fan_in=channels)  # (target, source, out, in)
        self.mix_bias = _uniform(streams, streams, channels, fan_in=channels)
        self.out_weight = _uniform(streams, *square, fan_in=channels)
        self.out_bias = _uniform(streams, 1, channels, fan_in=channels)

    def forward(self, tokens: Tensor) -> Tensor:
        """Return the attended tokens of all streams.

        Args:
            tokens: Shape (stream, batch, token, channel); any floating type.

        Returns:
            Tokens of the same shape.
        """
        _, batch, _, channels = tokens.shape
        projected = torch.baddbmm(self.query_key_bias.to(tokens.dtype), tokens.flatten(1, 2), self.query_key_weight.mT)
        precision = projected.dtype
        query, key = (unit(part).unflatten(1, (batch, -1)) for part in projected.chunk(2, dim=-1))
        del projected
        context = global_query(query, self.weight)
        keys = key.to(precision).permute(1, 2, 0, 3).flatten(2)
        del key
        mixed = keys @ self._mixing(context).to(precision)
        del keys
        mixed = mixed.unflatten(2, (-1, channels)).permute(2, 0, 1, 3) + query.to(precision)
        del query
        bias = self.out_bias + self.mix_bias.sum(dim=1)[:, None] @ self.out_weight.mT
        attended = torch.baddbmm(bias.to(precision), mixed.flatten(1, 2), self.out_weight.mT)
        return attended.unflatten(1, (batch, -1))

    def _mixing(self, context: Tensor) -> Tensor:
        """Return for each image the matrix that takes the keys of all streams to all targets.

        Args:
            context: Global queries, shape (target, batch, channel).

        Returns:
            Shape (batch, source x in, target x out).
        """
        weight = self.mix_weight.permute(1, 3, 0, 2)  # (source, in, target, out)
        matrix = weight * context.permute(1, 2, 0)[:, None, :, :, None]
        return matrix.flatten(3).flatten(1, 2)


class CrossAttentionBlock(nn.Module):
    """Cross-E-2A and, for each stream, a perceptron per pixel; both are added to the features with a learnt scale.

    Args:
        channels: Width of the feature maps.
        streams: Number of streams.
    """

    def __init__(self, channels: int, streams: int = 3) -> None:
        super().__init__()
        self.streams = streams
        self.attention = CrossEfficientAdditiveAttention(channels, streams)
        self.attention_scale = nn.Parameter(torch.full((streams, 1, 1, channels), LAYER_SCALE))
        self.mlps = nn.ModuleList(PointwiseMLP(channels, MLP_RATIO * channels) for _ in range(streams))
        self.mlp_scales = nn.Parameter(torch.full((streams, channels, 1, 1), LAYER_SCALE))

    def forward(self, maps: Tensor) -> Tensor:
        """Return the coupled feature maps.

        Args:
            maps: Shape (stream x batch, channel, row, column), all images of the first stream first.
        """
        rows, columns = maps.shape[2:]
        tokens = maps.permute(0, 2, 3, 1).flatten(1, 2).unflatten(0, (self.streams, -1))
        tokens = torch.addcmul(tokens, self.attention_scale, self.attention(tokens))
        maps = tokens.flatten(0, 1).unflatten(1, (rows, columns)).permute(0, 3, 1, 2)
        parts = zip(maps.chunk(self.streams), self.mlps, self.mlp_scales, strict=True)
        return torch.cat([torch.addcmul(part, scale, mlp(part)) for part, mlp, scale in parts])


def _uniform(*shape: int, fan_in: int) -> nn.Parameter:
    """Return a parameter with the values that `torch.nn.Linear` starts from."""
    bound = fan_in**-0.5
    return nn.Parameter(torch.empty(shape).uniform_(-bound, bound))
