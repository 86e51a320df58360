import numpy as np
import pytest
from scipy import stats

from nnunet_cardiac_ext.evaluation.comparison.hypothesis_tests import (
    TESTS,
    paired_t,
    welch_t,
    wilcoxon_rank_sum,
    wilcoxon_signed_rank,
)

NAN = float("nan")


def test_signed_rank_by_counting_subsets():
    # Of the 32 signs of the ranks 1 to 5, 10 have a negative rank sum of at most 5; twice that for two sides.
    result = wilcoxon_signed_rank([1, 2, 3, 4, 0], [0, 0, 0, 0, 5])
    assert result.p_value == pytest.approx(20 / 32)
    assert result.n == (5, 5)


def test_rank_sum_by_counting_orders():
    # One of 20 ways to choose 3 ranks of 6 has the lowest sum; twice that for two sides.
    assert wilcoxon_rank_sum([1, 2, 3], [4, 5, 6]).p_value == pytest.approx(2 / 20)


def test_welch_by_hand():
    result = welch_t([1, 2, 3], [2, 4, 6])
    t = -2 / np.sqrt(1 / 3 + 4 / 3)
    degrees = (5 / 3) ** 2 / ((1 / 3) ** 2 / 2 + (4 / 3) ** 2 / 2)
    assert result.statistic == pytest.approx(t)
    assert result.p_value == pytest.approx(2 * stats.t.sf(abs(t), degrees))


def test_paired_t_by_hand():
    result = paired_t([2, 4, 6], [1, 2, 3])
    t = 2 * np.sqrt(3)
    assert result.statistic == pytest.approx(t)
    # The t distribution of 2 degrees of freedom has a closed form.
    assert result.p_value == pytest.approx(1 - t / np.sqrt(2 + t**2))


@pytest.mark.parametrize("test", [test for test in TESTS.values() if test.paired])
def test_a_pair_with_nan_is_left_out_whole_and_counted(test):
    first, second = np.array([1.0, 2, 3, 4.5, NAN, 9]), np.array([0.5, 1, 3.5, 2, 7, NAN])
    result = test(first, second)
    assert result.n == (4, 4)
    assert result.n_left_out == (2, 2)
    assert result.p_value == test(first[:4], second[:4]).p_value


@pytest.mark.parametrize("test", [test for test in TESTS.values() if not test.paired])
def test_samples_without_pairs_may_differ_in_length_and_lose_only_their_own_nan(test):
    result = test(np.array([1.0, 2, NAN, 4]), np.array([2.0, 5, 7, 8, 9]))
    assert result.n == (3, 5)
    assert result.n_left_out == (1, 0)
    assert result.p_value == test(np.array([1.0, 2, 4]), np.array([2.0, 5, 7, 8, 9])).p_value


@pytest.mark.parametrize("test", TESTS.values(), ids=TESTS)
def test_one_value_gives_no_p_but_a_reason(test):
    result = test([1.0], [2.0])
    assert np.isnan(result.p_value)
    assert result.reason == "fewer than two values"


def test_identical_samples():
    same = np.array([0.9, 0.8, 0.7])
    assert wilcoxon_signed_rank(same, same).p_value == 1
    assert wilcoxon_rank_sum(same, same).p_value == 1
    assert paired_t(same, same).reason == "the values do not vary"
    assert welch_t([1, 1], [1, 1]).reason == "the values do not vary"


def test_rounding_is_no_difference():
    first = np.array([0.3, 0.7, 0.9])
    assert paired_t(first + 0.1, first).reason == "the values do not vary"


@pytest.mark.parametrize("test", TESTS.values(), ids=TESTS)
def test_two_sided_does_not_ask_which_comes_first(test):
    generator = np.random.default_rng(0)
    first, second = generator.normal(size=12), generator.normal(0.5, 2, size=12)
    assert test(first, second).p_value == pytest.approx(test(second, first).p_value)


def test_pairs_need_samples_of_one_length():
    with pytest.raises(ValueError, match="got 2 and 3"):
        paired_t([1, 2], [1, 2, 3])
