"""Order-aware decoding: the regions of a whole stack from a classifier's answers slice by slice.

A hidden Markov chain runs along the stack from the base; its probabilities come from training stacks. Paper 002 takes
the most probable region of each slice by itself; the chain is ours. docs/regions.md explains it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from nnunet_cardiac_ext import region_chain
from nnunet_cardiac_ext.errors import UsageError
from nnunet_cardiac_ext.files import read_json, write_json
from nnunet_cardiac_ext.region_chain import ALLOWED, ORIGINS, REGION_OF_STATE, TARGETS
from nnunet_cardiac_ext.regions import REGION_NAMES, Region

FILE_NAME = "region_order.json"
# Added to the count of every forward move and to the sum of shares of every region, so that what the training stacks
# never show (a heart whose base is cut off) is unlikely and not impossible.
PSEUDO_COUNT = 0.5
# How often the classifier's answer is taken to say nothing of the slice: it limits what the most certain one is worth.
DOUBT = 0.01

_EQUAL_WEIGHTS = (1.0,) * len(Region)
_MOVES = [(i, j, ORIGINS[i], TARGETS[j]) for i, j in np.argwhere(ALLOWED).tolist()]


@dataclass(frozen=True)
class DecodedStack:
    """Regions of a stack.

    Attributes:
        regions: Values of `Region` as int64, shape (slice,).
        base_first: Whether slice 0 lies towards the base.
        log_likelihood: Natural logarithm of how much likelier these slices are as a stack in that direction, all paths
            together, than as slices drawn one by one.
    """

    regions: np.ndarray
    base_first: bool
    log_likelihood: float


@dataclass(frozen=True)
class RegionOrder:
    """What training stacks tell of the order of regions.

    Attributes:
        moves: How often a stack, turned base first, moved from each of (start, before, base, middle, apex, after) to
            each of (before, base, middle, apex, after, end).
        shares: Sum over the stacks of the share of their slices in each region. Its proportions are the frequencies
            with which the classifier met the regions: it drew cases, and slices of a case, equally often.
        class_weights: Weight of each region in the classifier's loss, above 0.
    """

    moves: tuple[tuple[float, ...], ...]
    shares: tuple[float, ...]
    class_weights: tuple[float, ...] = _EQUAL_WEIGHTS

    @classmethod
    def estimate(cls, stacks: Iterable[np.ndarray], *, class_weights: Sequence[float] = _EQUAL_WEIGHTS) -> RegionOrder:
        """Count the moves in training stacks.

        A stack is turned base first by its own regions. Where they leave both directions open (a heart of one region)
        it counts half in each. Non-cardiac slices between cardiac ones have no place in the chain: moves to and from
        them do not count. A stack without a heart is all before it; one without slices tells nothing.

        Args:
            stacks: Region of each slice in the order of the file, as of `assign_regions`, shape (slice,) each. None
                at all leave the pseudo-counts.
            class_weights: As the attribute.

        Raises:
            ValueError: A stack is no sequence of regions or holds them in no anatomical order, or a weight is not
                above 0.
        """
        if len(class_weights) != len(Region) or not all(weight > 0 for weight in class_weights):
            raise ValueError(f"expected {len(Region)} class weights above 0, got {list(class_weights)}")
        moves, shares = np.zeros(ALLOWED.shape), np.zeros(len(Region))
        for regions in (np.asarray(stack) for stack in stacks):
            if len(regions):
                directions = _directions(regions)
                for direction in directions:
                    np.add.at(moves, region_chain.moves(regions[::direction]), 1 / len(directions))
                shares += np.bincount(regions, minlength=len(Region)) / len(regions)
        return cls(_as_tuples(moves), tuple(shares.tolist()), tuple(map(float, class_weights)))

    @classmethod
    def merged(cls, orders: Iterable[RegionOrder]) -> RegionOrder:
        """Return what several orders tell together: their counts are added.

        Raises:
            ValueError: There is none, or their classifiers had different class weights.
        """
        orders = list(orders)
        weights = {order.class_weights for order in orders}
        if len(weights) != 1:
            raise ValueError(f"expected orders of one set of class weights, got {sorted(weights)}")
        moves, shares = (np.sum([getattr(order, name) for order in orders], axis=0) for name in ("moves", "shares"))
        return cls(_as_tuples(moves), tuple(shares.tolist()), weights.pop())

    def decode(self, probabilities: np.ndarray) -> DecodedStack:
        """Return the most likely regions of a stack, all of them together.

        The direction is that of the larger likelihood over all paths (forward algorithm); both are taken to be equally
        common, and where they are equal the base is first. The regions are then the best path in that direction
        (Viterbi). A slice with a NaN says nothing and gets what its neighbours suggest. One slice has no order: it
        gets its most probable region, or the most frequent one. No slices give no regions.

        Args:
            probabilities: The classifier's, shape (slice, 4), in the order of `Region`.

        Raises:
            ValueError: The shape is another, or a slice without NaN holds no probabilities.
        """
        posterior = self._posterior(_checked(probabilities))
        if not len(posterior):
            return DecodedStack(np.zeros(0, dtype=np.int64), True, 0.0)
        emissions, log_moves = self._log_evidence(posterior)[:, REGION_OF_STATE], self.log_moves
        likelihoods = {step: region_chain.log_likelihood(emissions[::step], log_moves) for step in (1, -1)}
        # Of equal ones max takes the first.
        direction = max(likelihoods, key=lambda step: likelihoods[step])
        if len(posterior) == 1:
            regions = np.argmax(posterior, axis=1)
        else:
            regions = REGION_OF_STATE[region_chain.best_path(emissions[::direction], log_moves)][::direction]
        return DecodedStack(regions.astype(np.int64), direction == 1, likelihoods[direction])

    def to_json(self) -> dict[str, Any]:
        """Return the counts as plain data; moves by where they come from and where they lead."""
        moves: dict[str, dict[str, float]] = {origin: {} for origin in ORIGINS}
        for i, j, origin, target in _MOVES:
            moves[origin][target] = self.moves[i][j]
        shares = dict(zip(REGION_NAMES.values(), self.shares, strict=True))
        return {"moves": moves, "shares": shares, "class_weights": list(self.class_weights)}

    @classmethod
    def from_json(cls, content: Any, *, place: str = "region order") -> RegionOrder:
        """Return the order that `to_json` gave as plain data.

        Args:
            content: The data.
            place: What an error calls them.

        Raises:
            UsageError: They are something else.
        """
        moves = np.zeros(ALLOWED.shape)
        try:
            for i, j, origin, target in _MOVES:
                moves[i, j] = _count(content["moves"][origin][target])
            shares = tuple(_count(content["shares"][name]) for name in REGION_NAMES.values())
            weights = tuple(_count(weight) for weight in content["class_weights"])
        except (KeyError, TypeError, ValueError) as error:
            raise UsageError(f"{place}: expected counts of moves between regions, stopped at {error}") from error
        if len(weights) != len(Region) or not all(weights):
            raise UsageError(f"{place}: expected {len(Region)} class weights above 0, got {list(weights)}")
        return cls(_as_tuples(moves), shares, weights)

    def write(self, path: Path) -> None:
        """Write the order as JSON, whole or not at all."""
        write_json(path, self.to_json())

    @classmethod
    def read(cls, path: Path) -> RegionOrder:
        """Read what `write` wrote.

        Raises:
            UsageError: The file is absent or holds something else.
        """
        return cls.from_json(read_json(path), place=str(path))

    def evidence(self, probabilities: np.ndarray) -> np.ndarray:
        """Return the logarithm of how much likelier each slice looks in a region than anywhere, shape (slice, 4).

        Args:
            probabilities: As in `decode`, and with its errors; a slice with a NaN gives 0 for each region.
        """
        return self._log_evidence(self._posterior(_checked(probabilities)))

    @property
    def log_moves(self) -> np.ndarray:
        """Logarithms of the probabilities of all moves, in the layout of `moves`; minus infinity where forbidden."""
        counts = np.array(self.moves) + PSEUDO_COUNT * ALLOWED
        with np.errstate(divide="ignore"):
            return np.log(counts / counts.sum(axis=1, keepdims=True))

    @property
    def _frequencies(self) -> np.ndarray:
        """Frequencies of the regions in training, shape (4,)."""
        counts = np.array(self.shares) + PSEUDO_COUNT
        return counts / counts.sum()

    def _posterior(self, probabilities: np.ndarray) -> np.ndarray:
        """Probabilities as a classifier without class weights gives them; the frequencies where one is NaN."""
        # Weights in the loss teach probabilities as of frequencies times weights.
        unweighted = probabilities / self.class_weights
        posterior = unweighted / unweighted.sum(axis=1, keepdims=True)
        return np.where(np.isnan(posterior).any(axis=1, keepdims=True), self._frequencies, posterior)

    def _log_evidence(self, posterior: np.ndarray) -> np.ndarray:
        """Logarithm of how much likelier each slice looks in a region than it does anywhere, shape (slice, 4).

        By Bayes' rule that is p(region | slice) / p(region). The classifier has learned the frequencies of the regions
        along with their looks; the chain brings them in again, so they are divided out. With probability `DOUBT` the
        answer says nothing (a ratio of 1), so that none can forbid a path.
        """
        return np.log((1 - DOUBT) * posterior / self._frequencies + DOUBT)


def _checked(probabilities: np.ndarray) -> np.ndarray:
    probabilities = np.asarray(probabilities, dtype=np.float64)
    if probabilities.ndim != 2 or probabilities.shape[1] != len(Region):
        raise ValueError(f"expected probabilities (slice, {len(Region)}), got shape {probabilities.shape}")
    known = probabilities[~np.isnan(probabilities).any(axis=1)]
    # Half precision and means over models round the sum.
    if (known < 0).any() or not np.allclose(known.sum(axis=1), 1, rtol=0, atol=1e-2):
        raise ValueError("expected probabilities from 0 to 1 that sum to 1 in each slice")
    return probabilities


def _directions(regions: np.ndarray) -> list[int]:
    if regions.ndim != 1 or not np.isin(regions, list(Region)).all():
        raise ValueError(f"expected one region from 0 to {max(Region)} per slice, got {regions.tolist()}")
    directions = region_chain.directions(regions)
    if not directions:
        raise ValueError(f"expected regions in anatomical order, got {regions.tolist()}")
    return directions


def _count(value: Any) -> float:
    number = float(value)
    if not 0 <= number < math.inf:
        raise ValueError(f"{value!r}, which is no count")
    return number


def _as_tuples(moves: np.ndarray) -> tuple[tuple[float, ...], ...]:
    return tuple(tuple(row) for row in moves.tolist())
