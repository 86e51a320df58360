"""The neighbourhood penalty of paper 001: no cracks between a region and the one that it lies in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from nnunet_cardiac_ext.errors import UsageError
from nnunet_cardiac_ext.losses.soft_targets import class_shares, log_probabilities

# Classes of the inner region and of the outer one, which has those of the inner too.
Pair = tuple[Sequence[int], Sequence[int]]


class NeighborhoodPenalty(nn.Module):
    """sum over pairs of mean_x 1[a > t] 1[b > t] max(0, 1 - a - b).

    Zhou et al., *Anatomy Prior Based U-net for Pathology Segmentation with Attention*, STACOM 2020, equations 4 and 5;
    a and b are the probabilities of the inner and of the outer region. As printed, the term is negative wherever
    a + b > 1, which is the normal case inside a region that lies in another; here it ends at 0. The paper's condition
    a b < 1 - epsilon then holds by itself: a + b < 1 means a b < 1/4. Its indicators a > 0 and b > 0 hold everywhere
    for a softmax, hence the threshold t.

    Voxels of shares that sum to 0 (see `class_shares`) do not count. Without any voxel that counts it is 0.

    Example:
        Of ten voxels one is a crack with a = 0.3 and b = 0.5, the others have a + b >= 1: 0.2 / 10 = 0.02.

    Args:
        pairs: Classes of the regions; `nested_pairs` makes them of names.
        threshold: t, from 0 to below 1.
    """

    def __init__(self, pairs: Sequence[Pair], *, threshold: float) -> None:
        super().__init__()
        self.pairs = [(list(inner), list(outer)) for inner, outer in pairs]
        self.threshold = threshold

    def forward(self, net_output: Tensor, target: Tensor) -> Tensor:
        """Return the penalty, a single number of 0 or more.

        Args:
            net_output: Logits, shape (B, C, [D,] H, W).
            target: Labels or shares; only says which voxels count.
        """
        probability = log_probabilities(net_output).exp()
        counts = class_shares(target, net_output.shape[1]).sum(dim=1)
        gap = sum(
            crack(probability[:, inner].sum(dim=1), probability[:, outer].sum(dim=1), threshold=self.threshold)
            for inner, outer in self.pairs
        )
        return (gap * counts).sum() / counts.sum().clamp(min=1)


def crack(inner: Tensor, outer: Tensor, *, threshold: float) -> Tensor:
    """Return how much is missing to 1 where both regions are probable to some degree, 0 elsewhere; voxel by voxel."""
    near = (inner > threshold) & (outer > threshold)
    return torch.where(near, (1 - inner - outer).clamp(min=0), 0.0)


def nested_pairs(texts: Sequence[str], labels: Mapping[str, int]) -> list[Pair]:
    """Return the classes of pairs that are written as INNER:OUTER, each a sum of label names (`INFARCT+NOREFLOW`).

    Args:
        texts: The pairs.
        labels: Value of each label by its name.

    Raises:
        UsageError: A pair is written in another way, names no label, or its inner region is not within the outer.
    """
    return [_pair(text, labels) for text in texts]


def _pair(text: str, labels: Mapping[str, int]) -> Pair:
    where = "cardiac.neighborhood_pairs"
    sides = [[name.strip() for name in side.split("+")] for side in text.split(":")]
    if len(sides) != 2:
        raise UsageError(f"{where}: expected INNER:OUTER, such as NOREFLOW:INFARCT+NOREFLOW, got {text!r}")
    unknown = [name for side in sides for name in side if name not in labels]
    if unknown:
        raise UsageError(
            f"{where}: expected labels of the data set, {', '.join(labels)}, got {unknown[0]!r} in {text!r}"
        )
    inner, outer = ([int(labels[name]) for name in side] for side in sides)
    if not set(inner) < set(outer):
        raise UsageError(f"{where}: expected an outer region that holds the inner one and more, got {text!r}")
    return inner, outer
