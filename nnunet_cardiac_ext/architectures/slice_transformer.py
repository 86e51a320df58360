"""The all-slice fusion transformer of paper 004: attention across the slices of a stack, then within each slice.

Chen et al., *Enhancing Cardiac MRI Segmentation via Classifier-Guided Two-Stage Network and All-Slice Information
Fusion Transformer*, section 2.2 and figure 3.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


class SliceTransformer(nn.Module):
    """Two consecutive transformers over the features of stacks, without position encoding.

    The first one sees, at each position of the plane, the slices of a stack as its sequence; the second one sees the
    positions of each slice. Nothing tells the order of the slices: permuting them permutes the output. Layers are
    torch's own, with normalisation before attention and perceptron and no dropout; they use
    `scaled_dot_product_attention`.

    Args:
        features: Channels, a multiple of `heads`.
        heads: Heads of each attention.
        depth: Layers of each transformer.
        mlp_ratio: Width of the perceptrons as a multiple of the channels.

    Raises:
        ValueError: The channels are no multiple of the heads, or there is no layer.
    """

    def __init__(self, features: int, *, heads: int = 8, depth: int = 2, mlp_ratio: int = 4) -> None:
        super().__init__()
        if heads < 1 or features % heads or depth < 1:
            raise ValueError(
                f"expected channels of the bottom level that the heads divide and a depth of at least 1, "
                f"got {features} channels, {heads} heads, depth {depth}"
            )
        options = {"dim_feedforward": mlp_ratio * features, "dropout": 0.0, "activation": "gelu"}
        across, within = (
            [
                nn.TransformerEncoderLayer(features, heads, batch_first=True, norm_first=True, **options)
                for _ in range(depth)
            ]
            for _ in range(2)
        )
        self.across, self.within = nn.ModuleList(across), nn.ModuleList(within)

    def forward(self, maps: Tensor, real: Tensor) -> Tensor:
        """Return the features of the slices with what the others told them, in the same shape.

        Args:
            maps: Features of all slices that are no padding, stack after stack, shape (N, features, row, column).
            real: Which slices of the stacks these are, booleans, shape (stack, slice), N of them true, at least one
                in each stack.
        """
        size = maps.shape[2:]
        tokens = maps.flatten(2).transpose(1, 2)
        tokens = self._across_slices(tokens, real)
        for layer in self.within:
            tokens = layer(tokens)
        return tokens.transpose(1, 2).unflatten(2, size)

    def _across_slices(self, tokens: Tensor, real: Tensor) -> Tensor:
        """Exchange between slices; `tokens` have the shape (N, position, features)."""
        positions = tokens.shape[1]
        stacks = spread(tokens, real).transpose(1, 2).flatten(0, 1)
        padding = None if real.all() else (~real).repeat_interleave(positions, dim=0)
        for layer in self.across:
            stacks = layer(stacks, src_key_padding_mask=padding)
        return stacks.unflatten(0, (-1, positions)).transpose(1, 2)[real]


def spread(values: Tensor, real: Tensor) -> Tensor:
    """Return what belongs to single slices in the place of the slices, zeros where there is padding.

    Args:
        values: Shape (N, ...).
        real: Which slices they belong to, booleans, shape (stack, slice), N of them true.

    Returns:
        Shape (stack, slice, ...).
    """
    stacks = torch.zeros((*real.shape, *values.shape[1:]), dtype=values.dtype, device=values.device)
    stacks[real] = values
    return stacks
