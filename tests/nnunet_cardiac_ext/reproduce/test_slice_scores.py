"""What the tables of paper 002 stand on, worked out by hand."""

import math

import numpy as np
import pytest

from nnunet_cardiac_ext.reproduce.slice_scores import (
    Slice,
    mean,
    shared_values,
    standard_deviation,
    values_of,
    with_corrections,
)


def _scores(**values):
    return {Slice("0", "", name, "0"): value for name, value in values.items()}


def test_only_slices_that_both_have_are_compared_in_one_order():
    first, second = shared_values(_scores(c=3.0, a=1.0, b=2.0), _scores(a=10.0, c=30.0, d=40.0))
    assert (first.tolist(), second.tolist()) == ([1.0, 3.0], [10.0, 30.0])


def test_models_of_other_seeds_share_no_slice():
    other = {Slice("0", "1", "a", "0"): 1.0}
    assert [len(values) for values in shared_values(_scores(a=1.0), other)] == [0, 0]


def test_mean_and_standard_deviation_by_hand():
    values = values_of(_scores(a=1.0, b=2.0, c=6.0))
    assert mean(values) == 3.0
    # Deviations -2, -1 and 3: 14 over 2.
    assert standard_deviation(values) == pytest.approx(math.sqrt(7))


@pytest.mark.parametrize(("values", "enough"), [([], 1), ([5.0], 2)])
def test_of_too_few_values_they_are_undefined(values, enough):
    array = np.array(values)
    assert math.isnan(mean(array)) == (enough == 1)
    assert math.isnan(standard_deviation(array))


def test_corrections_take_the_tests_of_all_rows_as_one_family():
    rows = with_corrections([{"p": 0.01}, {"p": ""}, {"p": 0.04}, {"p": 0.03}])
    # Holm: 3 x 0.01, 2 x 0.03, then not below 0.06. Benjamini and Hochberg: 3 x 0.01, 3/2 x 0.03 but not above 0.04.
    assert [row["p_holm"] for row in rows] == [pytest.approx(0.03), "", pytest.approx(0.06), pytest.approx(0.06)]
    assert [row["p_bh"] for row in rows] == [pytest.approx(0.03), "", pytest.approx(0.04), pytest.approx(0.04)]
