"""Efficient additive attention against softmax attention by number of tokens: time and memory, forward with backward.

    OMP_NUM_THREADS=1 python benchmarks/additive_attention.py [--channels 64] [--largest 65536] [--device cuda]

Softmax attention has one head and query, key, value and output projections. It runs twice: with the matrix of tokens by
tokens, up to `--largest-matrix` tokens, and with torch's fused kernel, which never holds that matrix.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable

import torch
from network_cost import in_turn, peak_memory, ratios
from spreads import spread
from torch import Tensor, nn
from torch.nn import functional

from nnunet_cardiac_ext.architectures.efficient_additive_attention import EfficientAdditiveAttention

ADDITIVE, MATRIX, FUSED = "E-2A", "softmax, matrix", "softmax, fused"
SMALLEST = 256


class SoftmaxAttention(nn.Module):
    """Attention of one head with query, key, value and output projections."""

    def __init__(self, channels: int, fused: bool) -> None:
        super().__init__()
        self.fused = fused
        self.project = nn.Linear(channels, 3 * channels)
        self.out = nn.Linear(channels, channels)

    def forward(self, tokens: Tensor) -> Tensor:
        """Return the attended tokens, shape (batch, token, channel)."""
        query, key, value = self.project(tokens).chunk(3, dim=-1)
        if self.fused:
            return self.out(functional.scaled_dot_product_attention(query, key, value))
        weights = (query @ key.mT * query.shape[-1] ** -0.5).softmax(dim=-1)
        return self.out(weights @ value)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--channels", type=int, default=64)
    parser.add_argument("--largest", type=int, default=65536, help="tokens")
    parser.add_argument("--largest-matrix", type=int, default=8192, help="tokens; 65,536 need 17 GB per matrix")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--turns", type=int, default=5)
    arguments = parser.parse_args()
    print(f"{arguments.channels} channels, batch 1, {arguments.device}, {torch.get_num_threads()} threads")
    print("| tokens | attention | ms, median (range) | E-2A faster by | peak MiB |\n|---|---|---|---|---|")
    tokens = SMALLEST
    while tokens <= arguments.largest:
        report(tokens, arguments)
        tokens *= 4


def report(tokens: int, arguments: argparse.Namespace) -> None:
    names = [ADDITIVE, FUSED] + [MATRIX] * (tokens <= arguments.largest_matrix)
    options = (arguments.channels, tokens, arguments.device)
    times = in_turn({name: build_step(name, *options) for name in names}, arguments.turns, arguments.device)
    for name in names:
        memory = peak_memory(build_step, name, *options, device=arguments.device)
        faster = spread(ratios(times[ADDITIVE], times[name]), ".1f")
        print(f"| {tokens:,} | {name} | {spread(times[name])} | {faster} | {memory:.0f} |", flush=True)


def build_step(name: str, channels: int, tokens: int, device: str) -> Callable[[], None]:
    torch.manual_seed(0)
    attention = EfficientAdditiveAttention(channels) if name == ADDITIVE else SoftmaxAttention(channels, name == FUSED)
    attention = attention.to(device)
    values = torch.randn(1, tokens, channels, device=device)

    def step() -> None:
        attention.zero_grad(set_to_none=True)
        attention(values).square().mean().backward()

    return step


if __name__ == "__main__":
    main()
