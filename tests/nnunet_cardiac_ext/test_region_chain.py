"""The chain against brute force: every path of up to seven slices, enumerated and added up one by one."""

import itertools
import math

import numpy as np
import pytest

from nnunet_cardiac_ext.region_chain import ALLOWED, ORIGINS, TARGETS, best_path, directions, in_order, log_likelihood
from nnunet_cardiac_ext.region_chain import moves as moves_of


def paths(slices):
    """All sequences of states that never go back and have nothing before or after where there is no heart."""
    for path in itertools.combinations_with_replacement(range(5), slices):
        if 4 not in path or set(path) & {1, 2, 3}:
            yield path


def score(path, emissions, probabilities):
    """Logarithm of the product along a path, factor by factor."""
    total = math.log(probabilities[0][path[0]]) + math.log(probabilities[path[-1] + 1][5])
    total += sum(math.log(probabilities[a + 1][b]) for a, b in itertools.pairwise(path))
    return total + sum(emissions[k][state] for k, state in enumerate(path))


def random_chain(rng):
    weights = rng.gamma(0.3, size=ALLOWED.shape) * ALLOWED + 1e-9 * ALLOWED
    return weights / weights.sum(axis=1, keepdims=True)


def log_of(probabilities):
    with np.errstate(divide="ignore"):
        return np.log(probabilities)


def test_moves_that_are_allowed():
    allowed = {origin: [TARGETS[j] for j in np.flatnonzero(ALLOWED[i])] for i, origin in enumerate(ORIGINS)}
    assert allowed == {
        "start": ["before", "base", "middle", "apex"],
        "before": ["before", "base", "middle", "apex", "end"],
        "base": ["base", "middle", "apex", "after", "end"],
        "middle": ["middle", "apex", "after", "end"],
        "apex": ["apex", "after", "end"],
        "after": ["after", "end"],
    }


@pytest.mark.parametrize("slices", range(1, 8))
def test_best_path_and_sum_over_paths_are_those_of_brute_force(slices):
    rng = np.random.default_rng(slices)
    everything = list(paths(slices))
    for _ in range(60):
        probabilities = random_chain(rng)
        emissions = rng.normal(scale=rng.choice([0.1, 2, 30]), size=(slices, 5))
        scores = [score(path, emissions, probabilities) for path in everything]
        found = best_path(emissions, log_of(probabilities))
        assert tuple(found) == everything[int(np.argmax(scores))]
        total = max(scores) + math.log(math.fsum(math.exp(value - max(scores)) for value in scores))
        assert log_likelihood(emissions, log_of(probabilities)) == pytest.approx(total, rel=1e-10, abs=1e-10)


def test_each_legal_sequence_of_regions_is_one_path():
    for slices in range(1, 7):
        regions = [tuple(state % 4 for state in path) for path in paths(slices)]
        legal = {r for r in itertools.product(range(4), repeat=slices) if in_order(np.array(r))}
        assert len(set(regions)) == len(regions)
        assert set(regions) | {r[::-1] for r in regions} == legal


@pytest.mark.parametrize(
    ("regions", "legal"),
    [
        ([0, 0, 1, 2, 2, 3, 0], True),
        ([0, 3, 2, 1, 1], True),
        ([2, 2, 3], True),
        ([0, 2, 0], True),
        ([0, 0], True),
        ([3], True),
        ([], True),
        ([1, 2, 1], False),
        ([0, 1, 2, 0, 2, 3], False),
        ([1, 3, 2], False),
        ([2, 1, 3, 0], False),
    ],
)
def test_order_of_regions(regions, legal):
    assert in_order(np.array(regions, dtype=int)) is legal
    assert in_order(np.array(regions[::-1], dtype=int)) is legal


def test_directions_of_a_stack():
    assert directions(np.array([0, 1, 2, 0, 3])) == [1]
    assert directions(np.array([3, 3, 1, 0])) == [-1]
    assert directions(np.array([0, 2, 2])) == directions(np.array([0, 0])) == [1, -1]
    assert directions(np.array([1, 2, 1])) == []


def test_moves_of_a_stack_counted_by_hand():
    def moves(*regions):
        return [(ORIGINS[i], TARGETS[j]) for i, j in zip(*moves_of(np.array(regions)), strict=True)]

    assert moves(0, 1, 2, 3, 0) == [
        ("start", "before"), ("before", "base"), ("base", "middle"), ("middle", "apex"), ("apex", "after"),
        ("after", "end"),
    ]  # fmt: skip
    assert moves(2, 2) == [("start", "middle"), ("middle", "middle"), ("middle", "end")]
    assert moves(0, 0) == [("start", "before"), ("before", "before"), ("before", "end")]
    assert moves(0, 1, 0, 2, 0, 0) == [
        ("start", "before"), ("before", "base"), ("middle", "after"), ("after", "after"), ("after", "end"),
    ]  # fmt: skip
