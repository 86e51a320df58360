"""Decode where the heart begins and ends in a stack; the regions follow by the rule that defines them.

Base, middle and apex are fixed shares of the segmented slices (`regions.regions_of_heart`). So a stack has no more
freedom than its first and last cardiac slice and its direction: few enough to weigh them all. The chain of
`region_order` knows only that the regions follow each other and not how long each is.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
from scipy.special import logsumexp

from nnunet_cardiac_ext.region_chain import AFTER
from nnunet_cardiac_ext.region_order import DecodedStack, RegionOrder
from nnunet_cardiac_ext.regions import Region, regions_of_heart

# Rows of `log_moves`: the start, then the states; a column has the number of its row less one, and the end comes last.
_START, _BEFORE, _AFTER, _END = 0, Region.NON_CARDIAC + 1, AFTER + 1, AFTER + 2


def decode_extent(order: RegionOrder, probabilities: np.ndarray) -> DecodedStack:
    """Return the regions of the most likely extent of the heart.

    An extent is a first and a last cardiac slice, or no heart at all. Its likelihood is the product of what the slices
    say for the regions that it gives them (`RegionOrder.evidence`) and of the probabilities of the moves into and out
    of the heart and between the non-cardiac slices on either side of it; the moves within the heart count nothing,
    since the rule fixes them. The direction is that of the larger sum over all extents; of equal ones the base is
    first.

    Args:
        order: Its moves and its frequencies are used.
        probabilities: The classifier's, shape (slice, 4), in the order of `Region`; a slice with a NaN says nothing.

    Returns:
        The stack; without slices it has no regions. A heart in a single slice is middle.

    Raises:
        ValueError: As `RegionOrder.decode`.
    """
    evidence = order.evidence(probabilities)
    if not len(evidence):
        return DecodedStack(np.zeros(0, dtype=np.int64), True, 0.0)
    stacks, log_moves = list(_stacks(len(evidence))), order.log_moves
    likelihoods, best = {}, {}
    for step in (1, -1):
        scores = [_score(regions, evidence[::step], log_moves) for regions in stacks]
        likelihoods[step] = float(logsumexp(scores))
        best[step] = stacks[int(np.argmax(scores))][::step]
    # Of equal ones max takes the first.
    direction = max(likelihoods, key=lambda step: likelihoods[step])
    return DecodedStack(best[direction], direction == 1, likelihoods[direction])


def _stacks(n_slices: int) -> Iterator[np.ndarray]:
    """Yield the regions of each possible stack, base first: that without a heart, then all extents."""
    yield np.full(n_slices, Region.NON_CARDIAC, dtype=np.int64)
    for first in range(n_slices):
        for last in range(first, n_slices):
            regions = np.full(n_slices, Region.NON_CARDIAC, dtype=np.int64)
            regions[first : last + 1] = regions_of_heart(last + 1 - first)
            yield regions


def _score(regions: np.ndarray, evidence: np.ndarray, log_moves: np.ndarray) -> float:
    """Log likelihood of a stack, base first, shapes (slice,) and (slice, 4)."""
    looks = float(evidence[np.arange(len(regions)), regions].sum())
    cardiac = np.flatnonzero(regions)
    if not len(cardiac):
        return looks + _along([_START, *[_BEFORE] * len(regions), _END], log_moves)
    first, last = cardiac[0], cardiac[-1]
    into = [_START, *[_BEFORE] * first, int(regions[first]) + 1]
    out_of = [int(regions[last]) + 1, *[_AFTER] * (len(regions) - 1 - last), _END]
    return looks + _along(into, log_moves) + _along(out_of, log_moves)


def _along(path: list[int], log_moves: np.ndarray) -> float:
    """Sum of the moves along a path of states."""
    return float(sum(log_moves[origin, target - 1] for origin, target in pairwise(path)))
