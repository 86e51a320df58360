"""The extent of the heart against brute force, its rule, and what it mends that the chain leaves."""

import itertools

import numpy as np
import pytest

from nnunet_cardiac_ext.region_extent import decode_extent
from nnunet_cardiac_ext.region_order import RegionOrder
from nnunet_cardiac_ext.regions import assign_regions

# Names of moves by the state that they come from and lead to.
START, BEFORE, AFTER, END = "start", "before", "after", "end"
NAMES = {1: "base", 2: "middle", 3: "apex"}
TRAINING = [
    np.array([0, 1, 1, 2, 2, 2, 2, 2, 3, 3]),
    np.array([1, 2, 2, 2, 3, 0]),
    np.array([0, 0, 3, 2, 2, 2, 1]),
    np.array([1, 2, 2, 2, 3]),
]


@pytest.fixture(scope="module")
def order():
    return RegionOrder.estimate(TRAINING)


def _probabilities(random, slices):
    return random.dirichlet(np.ones(4) * 0.7, slices)


def _rule(labelled):
    """Regions of a stack from labels, by the definition itself: the base is first."""
    labels = np.array(labelled, dtype=int)[:, None, None] * np.ones((1, 2, 2), dtype=int)
    return assign_regions(labels, base_first=True)


def _moves_of(order):
    """Probabilities of all moves by names, from the counts and a half for each that may happen."""
    moves = order.to_json()["moves"]
    sums = {origin: sum(count + 0.5 for count in targets.values()) for origin, targets in moves.items()}
    return {(o, t): (count + 0.5) / sums[o] for o, targets in moves.items() for t, count in targets.items()}


def _likelihood(order, regions, probabilities):
    """Product of evidence and of the moves outside the heart, written out step by step."""
    frequencies = (np.array(order.shares) + 0.5) / (np.array(order.shares) + 0.5).sum()
    moves, cardiac = _moves_of(order), np.flatnonzero(regions)
    product = 1.0
    for k, region in enumerate(regions):
        product *= 0.99 * probabilities[k, region] / frequencies[region] + 0.01
    outside = [BEFORE if not len(cardiac) or k < cardiac[0] else AFTER for k in range(len(regions))]
    states = [NAMES.get(region, place) for region, place in zip(regions, outside, strict=True)]
    path = [START, *states, END]
    for position, move in enumerate(itertools.pairwise(path)):
        within = len(cardiac) > 0 and cardiac[0] < position <= cardiac[-1]
        product *= 1.0 if within else moves[move]
    return product


@pytest.mark.parametrize("seed", range(60))
def test_it_is_the_best_of_all_extents_in_the_likelier_direction(order, seed):
    random = np.random.default_rng(seed)
    slices = 2 + seed % 7
    probabilities = _probabilities(random, slices)
    extents = [[a <= k <= b for k in range(slices)] for a in range(slices) for b in range(a, slices)]
    stacks = [_rule(extent) for extent in ([False] * slices, *extents)]
    totals, winners = [], []
    for step in (1, -1):
        values = [_likelihood(order, stack, probabilities[::step]) for stack in stacks]
        totals.append(sum(values))
        winners.append(stacks[int(np.argmax(values))][::step])
    found = decode_extent(order, probabilities)
    assert found.base_first == (totals[0] >= totals[1])
    assert found.regions.tolist() == winners[0 if found.base_first else 1].tolist()
    assert found.log_likelihood == pytest.approx(np.log(max(totals)))


@pytest.mark.parametrize("slices", [1, 2, 5, 9])
@pytest.mark.parametrize("seed", range(5))
def test_flipping_the_stack_flips_the_answer(order, slices, seed):
    probabilities = _probabilities(np.random.default_rng(seed), slices)
    there, back = decode_extent(order, probabilities), decode_extent(order, probabilities[::-1])
    assert back.regions.tolist() == there.regions[::-1].tolist()
    assert back.log_likelihood == pytest.approx(there.log_likelihood)


@pytest.mark.parametrize("labelled", ["1111111111", "0111111000", "0011", "10", "0000", "111110"])
@pytest.mark.parametrize("step", [1, -1])
def test_certain_answers_by_the_rule_come_back(order, labelled, step):
    regions = _rule([character == "1" for character in labelled])[::step]
    assert decode_extent(order, np.eye(4)[regions]).regions.tolist() == regions.tolist()


def test_a_border_that_the_classifier_puts_wrong_is_moved_to_its_place(order):
    # Ten cardiac slices have two at each end; the classifier sees four at the base and none at the apex.
    probabilities = np.full((10, 4), 0.05)
    probabilities[np.arange(10), [1, 1, 1, 1, 2, 2, 2, 2, 2, 2]] = 0.85
    assert decode_extent(order, probabilities).regions.tolist() == [1, 1, 2, 2, 2, 2, 2, 2, 3, 3]
    assert order.decode(probabilities).regions.tolist() == [1, 1, 1, 1, 2, 2, 2, 2, 2, 2]


def test_a_slice_that_says_nothing_gets_what_the_rule_says(order):
    probabilities = np.eye(4)[[0, 1, 2, 2, 2, 3]]
    probabilities[3] = np.nan
    assert decode_extent(order, probabilities).regions.tolist() == [0, 1, 2, 2, 2, 3]


def test_without_slices_there_are_no_regions(order):
    found = decode_extent(order, np.zeros((0, 4)))
    assert (found.regions.tolist(), found.base_first, found.log_likelihood) == ([], True, 0.0)


def test_logits_are_refused(order):
    with pytest.raises(ValueError, match="probabilities"):
        decode_extent(order, np.array([[3.0, -1.0, 0.5, 2.0]]))
