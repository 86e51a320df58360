"""The chain of states along a stack, from the base: before the heart, base, middle, apex, after the heart.

Both ends are non-cardiac. The chain only moves forward, and each sequence of regions that a stack can show is exactly
one path through it: a stack without a heart is all before it.
"""

from __future__ import annotations

import numpy as np
from scipy.special import logsumexp

from nnunet_cardiac_ext.regions import REGION_NAMES, Region

# A state has the number of its region; `AFTER` is non-cardiac as well.
AFTER = 4
REGION_OF_STATE = np.array([*Region, Region.NON_CARDIAC])
# Moves are tables with a row for the start and for each state, and a column for each state and for the end.
ORIGINS = ("start", "before", *(REGION_NAMES[region] for region in list(Region)[1:]), "after")
TARGETS = (*ORIGINS[1:], "end")
ALLOWED = np.triu(np.ones((len(ORIGINS), len(TARGETS)), dtype=bool), -1)
# Without a heart there is nothing to be after, and a stack has at least one slice.
ALLOWED[:2, AFTER] = ALLOWED[0, AFTER + 1] = False
_GAP = -9


def in_order(regions: np.ndarray) -> bool:
    """Tell whether the regions of a stack follow each other as they do in a heart, from either end.

    Regions may be missing, as where the field of view ends inside the heart, but none comes twice, and no non-cardiac
    slice lies between cardiac ones. A stack without a heart, or without slices, is in order.

    Args:
        regions: Values of `Region`, shape (slice,).
    """
    return bool((np.diff(np.flatnonzero(regions)) == 1).all()) and bool(directions(regions))


def directions(regions: np.ndarray) -> list[int]:
    """Return the steps through a stack, 1 or -1, that lead from base to apex; gaps in the heart are passed over.

    Both where only one region of the heart, or none, is there; none where the regions are in no anatomical order.
    """
    steps = np.diff(regions[regions != Region.NON_CARDIAC])
    return [direction for direction in (1, -1) if (direction * steps >= 0).all()]


def moves(regions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the moves of a stack, turned base first, as rows and columns of the table of moves.

    Those to and from a non-cardiac slice between cardiac ones, which has no place in the chain, are left out.

    Args:
        regions: Values of `Region`, shape (slice,), at least one slice.
    """
    states = regions.astype(np.int64)
    cardiac = np.flatnonzero(regions)
    if len(cardiac):
        heart = states[cardiac[0] : cardiac[-1]]
        heart[heart == Region.NON_CARDIAC] = _GAP
        states[cardiac[-1] + 1 :] = AFTER
    rows, columns = np.concatenate([[0], states + 1]), np.concatenate([states, [AFTER + 1]])
    known = (rows >= 0) & (columns >= 0)
    return rows[known], columns[known]


def log_likelihood(emissions: np.ndarray, log_moves: np.ndarray) -> float:
    """Return the logarithm of the sum over all paths (forward algorithm).

    Args:
        emissions: Log likelihood of each slice in each state, shape (slice, state), at least one slice.
        log_moves: Logarithms of the probabilities of moves.
    """
    start, steps, end = log_moves[0, :-1], log_moves[1:, :-1], log_moves[1:, -1]
    reached = start + emissions[0]
    for emission in emissions[1:]:
        reached = logsumexp(reached[:, None] + steps, axis=0) + emission
    return float(logsumexp(reached + end))


def best_path(emissions: np.ndarray, log_moves: np.ndarray) -> np.ndarray:
    """Return the states of the path with the largest product (Viterbi), shape (slice,).

    Arguments as in `log_likelihood`. Of equally good paths it is one that lingers in its early states.
    """
    start, steps, end = log_moves[0, :-1], log_moves[1:, :-1], log_moves[1:, -1]
    best = start + emissions[0]
    came_from = []
    for emission in emissions[1:]:
        scores = best[:, None] + steps
        came_from.append(scores.argmax(axis=0))
        best = scores.max(axis=0) + emission
    path = [int(np.argmax(best + end))]
    for origins in reversed(came_from):
        path.append(int(origins[path[-1]]))
    return np.array(path[::-1])
