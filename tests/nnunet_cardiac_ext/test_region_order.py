"""Order-aware decoding against sums written out by hand and against brute force over all sequences of regions."""

import itertools
import json
import math

import numpy as np
import pytest

from nnunet_cardiac_ext.errors import UsageError
from nnunet_cardiac_ext.region_chain import in_order
from nnunet_cardiac_ext.region_order import DOUBT, PSEUDO_COUNT, RegionOrder


def heart(cardiac, before=1, after=1):
    """A stack as 20/60/20 makes it."""
    ends = max(1, round(cardiac * 0.2))
    return np.array([0] * before + [1] * ends + [2] * (cardiac - 2 * ends) + [3] * ends + [0] * after)


HEARTS = [heart(n, before, after) for n in range(5, 13) for before in (0, 1, 2) for after in (0, 1, 3)]
ORDER = RegionOrder.estimate(HEARTS)


def likelihoods_by_hand(order, probabilities):
    """Likelihood of each sequence of regions from base to apex, from the definition, without logarithms."""
    moves = np.array(order.moves)
    allowed = [[0, 1, 2, 3], [0, 1, 2, 3, 5], [1, 2, 3, 4, 5], [2, 3, 4, 5], [3, 4, 5], [4, 5]]
    chance = np.zeros((6, 6))
    for row, columns in enumerate(allowed):
        counts = moves[row, columns] + PSEUDO_COUNT
        chance[row, columns] = counts / counts.sum()
    frequencies = (np.array(order.shares) + PSEUDO_COUNT) / (sum(order.shares) + 4 * PSEUDO_COUNT)
    plain = [[p / weight for p, weight in zip(row, order.class_weights, strict=True)] for row in probabilities]
    ratios = [[(1 - DOUBT) * p / sum(row) / f + DOUBT for p, f in zip(row, frequencies, strict=True)] for row in plain]
    result = {}
    for path in itertools.product(range(5), repeat=len(probabilities)):
        value = chance[0, path[0]] * chance[path[-1] + 1, 5]
        for a, b in itertools.pairwise(path):
            value *= chance[a + 1, b]
        if value:
            regions = tuple(state % 4 for state in path)
            result[regions] = value * math.prod(ratios[k][region] for k, region in enumerate(regions))
    return result


@pytest.mark.parametrize("slices", range(2, 6))
def test_decoding_is_that_of_brute_force(slices):
    rng = np.random.default_rng(slices)
    for _ in range(15):
        stacks = [HEARTS[k] for k in rng.integers(len(HEARTS), size=rng.integers(0, 6))]
        order = RegionOrder.estimate(stacks, class_weights=rng.uniform(0.5, 2, 4))
        probabilities = rng.dirichlet([rng.choice([0.1, 1])] * 4, size=slices)
        down, up = (likelihoods_by_hand(order, p) for p in (probabilities, probabilities[::-1]))
        found = order.decode(probabilities)
        assert found.base_first == (sum(down.values()) >= sum(up.values()))
        best = down if found.base_first else {regions[::-1]: value for regions, value in up.items()}
        assert tuple(found.regions) == max(best, key=best.get)
        assert found.log_likelihood == pytest.approx(math.log(sum(best.values())), abs=1e-9)


def test_counts_of_two_stacks_by_hand():
    order = RegionOrder.estimate([np.array([0, 1, 2, 2, 3]), np.array([0, 3, 2, 1])])
    moves = order.to_json()["moves"]
    assert moves["start"] == {"before": 1, "base": 1, "middle": 0, "apex": 0}
    assert moves["before"] == {"before": 0, "base": 1, "middle": 0, "apex": 0, "end": 0}
    assert moves["base"] == {"base": 0, "middle": 2, "apex": 0, "after": 0, "end": 0}
    assert moves["middle"] == {"middle": 1, "apex": 2, "after": 0, "end": 0}
    assert moves["apex"] == {"apex": 0, "after": 1, "end": 1}
    assert moves["after"] == {"after": 0, "end": 1}
    assert order.shares == pytest.approx((1 / 5 + 1 / 4, 1 / 5 + 1 / 4, 2 / 5 + 1 / 4, 1 / 5 + 1 / 4))


def test_a_heart_of_one_region_counts_half_in_each_direction():
    moves = RegionOrder.estimate([np.array([0, 2])]).to_json()["moves"]
    assert moves["start"] == {"before": 0.5, "base": 0, "middle": 0.5, "apex": 0}
    assert (moves["before"]["middle"], moves["middle"]["end"]) == (0.5, 0.5)
    assert (moves["middle"]["after"], moves["after"]["end"]) == (0.5, 0.5)


def test_a_stack_without_heart_lies_before_it_and_one_without_slices_tells_nothing():
    order = RegionOrder.estimate([np.zeros(2, dtype=int), np.zeros(0, dtype=int)])
    assert order.to_json()["moves"]["before"] == {"before": 1, "base": 0, "middle": 0, "apex": 0, "end": 1}
    assert order.shares == (1, 0, 0, 0)


def test_the_order_of_the_file_does_not_matter():
    turned = RegionOrder.estimate(stack[::-1] for stack in HEARTS)
    assert turned.moves == ORDER.moves
    assert turned.shares == pytest.approx(ORDER.shares)


@pytest.mark.parametrize(
    ("stacks", "message"),
    [
        ([[1, 2, 1]], r"expected regions in anatomical order, got \[1, 2, 1\]"),
        ([[0, 4]], r"expected one region from 0 to 3 per slice, got \[0, 4\]"),
        ([[[0, 1]]], "expected one region from 0 to 3 per slice"),
    ],
)
def test_what_is_no_stack_of_regions_is_refused(stacks, message):
    with pytest.raises(ValueError, match=message):
        RegionOrder.estimate(np.array(stack) for stack in stacks)


@pytest.mark.parametrize("stack", HEARTS, ids=str)
def test_certain_answers_in_order_come_back(stack):
    for regions in (stack, stack[::-1]):
        found = ORDER.decode(np.eye(4)[regions])
        assert found.regions.tolist() == regions.tolist()
        assert found.regions.dtype == np.int64
        assert found.base_first == (regions is stack)


@pytest.mark.parametrize(
    "regions", [[2, 2, 2, 3, 0], [0, 1, 2, 2, 2], [2, 2], [2, 2, 2], [1, 2], [0, 0, 1, 3, 0], [0, 0, 0, 0]]
)
def test_hearts_that_training_never_showed_come_back_where_the_classifier_is_certain(regions):
    assert ORDER.decode(np.eye(4)[regions]).regions.tolist() == regions
    assert ORDER.decode(np.eye(4)[regions[::-1]]).regions.tolist() == regions[::-1]


def test_a_heart_of_one_slice_is_found_where_training_showed_one():
    order = RegionOrder.estimate([*HEARTS, np.array([0, 2, 0])])
    assert order.decode(np.eye(4)[[0, 2, 0]]).regions.tolist() == [0, 2, 0]


def test_whatever_the_classifier_says_the_answer_is_in_order():
    rng = np.random.default_rng(2)
    for _ in range(200):
        probabilities = rng.dirichlet([rng.choice([0.02, 0.3, 3])] * 4, size=rng.integers(1, 20))
        probabilities[rng.random(len(probabilities)) < 0.1] = np.nan
        assert in_order(ORDER.decode(probabilities).regions)


@pytest.mark.parametrize("wrong", [0, 1, 3])
@pytest.mark.parametrize("certainty", [0.6, 1])
def test_one_wrong_slice_in_the_middle_is_corrected(wrong, certainty):
    truth = heart(9)
    for slices in (slice(None), slice(None, None, -1)):
        probabilities = np.eye(4)[truth]
        probabilities[5] = (1 - certainty) * np.eye(4)[2] + certainty * np.eye(4)[wrong]
        assert probabilities[slices].argmax(axis=1).tolist() != truth[slices].tolist() or certainty < 0.5
        assert ORDER.decode(probabilities[slices]).regions.tolist() == truth[slices].tolist()


def test_ends_that_the_classifier_mistakes_for_each_other_are_sorted_out():
    truth = heart(9)
    probabilities = np.full((len(truth), 4), 0.1)
    probabilities[np.arange(len(truth)), truth] = 0.7
    probabilities[1] = [0.1, 0.35, 0.1, 0.45]
    assert ORDER.decode(probabilities).regions.tolist() == truth.tolist()


def test_flipping_the_stack_flips_the_answer():
    rng = np.random.default_rng(0)
    for _ in range(200):
        probabilities = rng.dirichlet([0.5] * 4, size=rng.integers(2, 15))
        found, flipped = ORDER.decode(probabilities), ORDER.decode(probabilities[::-1])
        assert found.regions.tolist() == flipped.regions[::-1].tolist()
        assert found.base_first != flipped.base_first
        assert found.log_likelihood == flipped.log_likelihood


def test_answers_that_only_repeat_the_frequencies_count_for_nothing():
    """What the classifier would say of a slice it cannot see is no evidence, although it favours one region."""
    frequencies = (np.array(ORDER.shares) + PSEUDO_COUNT) / (len(HEARTS) + 4 * PSEUDO_COUNT)
    said, silent = np.eye(4)[heart(8)], np.eye(4)[heart(8)]
    said[[0, 3, 6]], silent[[0, 3, 6]] = frequencies, np.nan
    found = ORDER.decode(said)
    assert found.regions.tolist() == ORDER.decode(silent).regions.tolist()
    assert found.log_likelihood == pytest.approx(ORDER.decode(silent).log_likelihood)


def test_class_weights_of_the_loss_are_divided_out():
    rng = np.random.default_rng(1)
    weights = np.array([1.0, 4.0, 0.5, 3.0])
    weighted = RegionOrder.estimate(HEARTS, class_weights=weights)
    for _ in range(50):
        plain = rng.dirichlet([0.5] * 4, size=9)
        # A classifier with weights answers so where one without them answers `plain`.
        answers = plain * weights
        answers /= answers.sum(axis=1, keepdims=True)
        assert weighted.decode(answers).regions.tolist() == ORDER.decode(plain).regions.tolist()


def test_slices_with_nan_get_what_their_neighbours_suggest():
    truth = heart(10)
    probabilities = np.eye(4)[truth]
    probabilities[[4, 5]] = np.nan
    probabilities[6, 1] = np.nan
    assert ORDER.decode(probabilities).regions.tolist() == truth.tolist()


def test_where_nothing_tells_the_base_is_first_and_training_decides():
    order = RegionOrder.estimate([np.array([1, 2, 2, 3])] * 50)
    found = order.decode(np.full((4, 4), np.nan))
    assert found.base_first
    assert found.regions.tolist() == [1, 2, 2, 3]


def test_a_stack_without_slices_has_no_regions():
    found = ORDER.decode(np.zeros((0, 4)))
    assert (found.regions.shape, found.regions.dtype, found.base_first, found.log_likelihood) == ((0,), int, True, 0)


@pytest.mark.parametrize("region", range(4))
def test_one_slice_gets_its_most_probable_region(region):
    probabilities = np.full((1, 4), 0.2)
    probabilities[0, region] = 0.4
    assert ORDER.decode(probabilities).regions.tolist() == [region]
    assert ORDER.decode(probabilities).base_first


def test_one_slice_of_which_nothing_is_known_gets_the_most_frequent_region():
    assert ORDER.decode(np.full((1, 4), np.nan)).regions.tolist() == [2]


def test_without_training_stacks_the_pseudo_counts_decide():
    order = RegionOrder.estimate([])
    assert not np.any(order.moves)
    assert order.decode(np.eye(4)[[0, 1, 2, 3, 0]]).regions.tolist() == [0, 1, 2, 3, 0]


@pytest.mark.parametrize(
    "probabilities",
    [np.zeros((3, 3)), np.zeros(4), [[2.0, -1, 0, 0]], [[0.0, 0, 0, 0]], [[math.inf, 0, 0, 0]], [[0.5, 3, 1, 0]]],
)
def test_what_is_no_probability_is_refused(probabilities):
    with pytest.raises(ValueError, match="expected probabilities"):
        ORDER.decode(np.asarray(probabilities))


def test_single_precision_is_enough():
    probabilities = np.eye(4, dtype=np.float32)[heart(7)] * np.float32(0.97) + np.float32(0.0075)
    assert ORDER.decode(probabilities).regions.tolist() == heart(7).tolist()


def test_round_trip_through_a_file(tmp_path):
    order = RegionOrder.estimate([*HEARTS, np.array([0, 2])], class_weights=(1, 2, 0.1, 3))
    order.write(tmp_path / "region_order.json")
    assert RegionOrder.read(tmp_path / "region_order.json") == order
    assert RegionOrder.from_json(json.loads(json.dumps(order.to_json()))) == order


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda content: content.pop("moves"), "expected counts of moves between regions, stopped at 'moves'"),
        (lambda content: content["moves"]["apex"].update(end=-1), "stopped at -1, which is no count"),
        (lambda content: content["shares"].update(base="many"), "stopped at could not convert string to float: 'many'"),
        (lambda content: content.update(class_weights=[1, 1, 0, 1]), "expected 4 class weights above 0, got"),
        (lambda content: content.update(class_weights=[1, 1, 1]), "expected 4 class weights above 0, got"),
        (lambda content: content.update(class_weights=None), "expected counts of moves"),
    ],
)
def test_another_file_is_one_line(tmp_path, change, message):
    content = ORDER.to_json()
    change(content)
    path = tmp_path / "region_order.json"
    path.write_text(json.dumps(content))
    with pytest.raises(UsageError, match=rf"region_order\.json: .*{message}"):
        RegionOrder.read(path)
    path.write_text("[]")
    with pytest.raises(UsageError, match=r"region_order\.json: expected counts"):
        RegionOrder.read(path)


def test_orders_of_folds_add_up_to_that_of_all_stacks():
    merged = RegionOrder.merged(RegionOrder.estimate(HEARTS[fold::5]) for fold in range(5))
    assert merged.moves == ORDER.moves
    assert merged.shares == pytest.approx(ORDER.shares)


def test_orders_that_do_not_belong_together_are_refused():
    with pytest.raises(ValueError, match="expected orders of one set of class weights, got"):
        RegionOrder.merged([ORDER, RegionOrder.estimate(HEARTS, class_weights=(1, 2, 1, 2))])
    with pytest.raises(ValueError, match=r"got \[\]"):
        RegionOrder.merged([])
    with pytest.raises(ValueError, match="expected 4 class weights above 0"):
        RegionOrder.estimate(HEARTS, class_weights=(1, 0, 1, 1))
