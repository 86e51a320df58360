"""Scores of regions against a matrix worked out by hand and against counting slice by slice."""

import json

import numpy as np
import pytest

from nnunet_cardiac_ext.evaluation.region_scores import confusion_of, region_scores, share_in_order
from nnunet_cardiac_ext.regions import REGION_NAMES, Region

OUTSIDE, BASE, MIDDLE, APEX = Region

# Rows: the reference; columns: taken for non-cardiac, base, middle, apex.
BY_HAND = {OUTSIDE: (6, 1, 0, 1), BASE: (2, 3, 1, 0), MIDDLE: (0, 2, 14, 4), APEX: (1, 0, 0, 5)}
PAIRS = [
    (region, predicted)
    for region, row in BY_HAND.items()
    for predicted, count in zip(Region, row, strict=True)
    for _ in range(count)
]


def test_scores_worked_out_by_hand():
    found = region_scores(PAIRS)
    assert found["slices"] == 40
    assert found["accuracy"] == pytest.approx(28 / 40)
    assert found["support"] == {"non-cardiac": 8, "base": 6, "middle": 20, "apex": 6}
    assert found["recall"] == pytest.approx(
        {"weighted": 28 / 40, "non-cardiac": 6 / 8, "base": 3 / 6, "middle": 14 / 20, "apex": 5 / 6}
    )
    # 9 slices were taken for non-cardiac, 6 for base, 15 for middle, 10 for apex.
    weighted = (8 * 6 / 9 + 6 * 3 / 6 + 20 * 14 / 15 + 6 * 5 / 10) / 40
    assert found["precision"] == pytest.approx(
        {"weighted": weighted, "non-cardiac": 6 / 9, "base": 3 / 6, "middle": 14 / 15, "apex": 5 / 10}
    )
    assert found["confusion"]["middle"] == {"non-cardiac": 0, "base": 2, "middle": 14, "apex": 4}
    assert found["confusion"]["non-cardiac"] == {"non-cardiac": 6, "base": 1, "middle": 0, "apex": 1}
    assert json.loads(json.dumps(found)) == found


def test_scores_are_those_of_counting_slice_by_slice():
    rng = np.random.default_rng(0)
    for _ in range(50):
        reference, predicted = rng.integers(4, size=(2, rng.integers(1, 60)))
        found = region_scores([(Region(a), Region(b)) for a, b in zip(reference, predicted, strict=True)])
        recalls, precisions = [], []
        for region, name in REGION_NAMES.items():
            is_of, taken_for = reference == region, predicted == region
            recalls.append(is_of.mean() * np.mean(taken_for[is_of]) if is_of.any() else 0)
            precisions.append(is_of.mean() * np.mean(is_of[taken_for]) if taken_for.any() else 0)
            if is_of.any():
                assert found["recall"][name] == pytest.approx(np.mean(taken_for[is_of]))
            if taken_for.any():
                assert found["precision"][name] == pytest.approx(np.mean(is_of[taken_for]))
        assert found["precision"]["weighted"] == pytest.approx(sum(precisions))
        assert found["recall"]["weighted"] == pytest.approx(sum(recalls))
        assert found["accuracy"] == pytest.approx(np.mean(reference == predicted))


def test_a_region_never_predicted_has_no_precision_and_counts_as_nothing_found():
    found = region_scores([(BASE, BASE), (BASE, BASE), (APEX, BASE), (APEX, BASE)])
    assert np.isnan(found["precision"]["apex"])
    assert found["recall"]["apex"] == 0
    # Base: precision 1/2 at half of the support; apex: 0 at the other half.
    assert found["precision"]["weighted"] == 0.25


def test_a_region_that_is_not_there_has_no_recall_and_no_weight():
    found = region_scores([(BASE, BASE), (BASE, APEX)])
    assert np.isnan(found["recall"]["apex"])
    assert found["precision"]["apex"] == 0
    assert found["recall"]["weighted"] == 0.5
    assert found["precision"]["weighted"] == 1


def test_slices_without_reference_or_prediction_are_left_out():
    assert region_scores([*PAIRS, (None, BASE), (APEX, None), (None, None)]) == region_scores(PAIRS)


def test_without_slices_nothing_is_defined():
    found = region_scores([(None, BASE)])
    assert found["slices"] == 0
    assert all(np.isnan(value) for name in ("precision", "recall") for value in found[name].values())
    assert np.isnan(found["accuracy"])


def test_rows_of_the_matrix_hold_their_support_and_columns_what_was_predicted():
    found = confusion_of(iter(PAIRS))
    assert [found.support(name) for name in found.names] == [8, 6, 20, 6]
    assert [found.predicted(name) for name in found.names] == [9, 6, 15, 10]
    assert found.share("middle", "apex") == 4 / 20
    assert found.total == 40


def test_share_of_stacks_in_anatomical_order():
    stacks = [(OUTSIDE, BASE, MIDDLE, APEX), (APEX, MIDDLE), (BASE, MIDDLE, BASE), np.array([0, 2, 0, 2])]
    assert share_in_order(stacks) == 0.5
    assert share_in_order(stacks[:1]) == 1
    assert np.isnan(share_in_order([]))
