import numpy as np
import pytest

from nnunet_cardiac_ext.evaluation.comparison.effect_sizes import (
    EFFECT_OF_TEST,
    cliffs_delta,
    cohen_dz,
    hedges_g,
    rank_biserial,
)
from nnunet_cardiac_ext.evaluation.comparison.hypothesis_tests import TESTS

NAN = float("nan")


def test_cohen_dz_by_hand():
    assert cohen_dz([2, 4, 6, NAN], [1, 2, 3, 1]) == pytest.approx(2 / 1)


def test_hedges_g_by_hand():
    pooled = np.sqrt((2 * 1 + 2 * 4) / 4)
    assert hedges_g([1, 2, 3], [2, 4, 6, NAN]) == pytest.approx(-2 / pooled * (1 - 3 / 15))


def test_rank_biserial_by_hand_drops_ties():
    # Ranks 1 to 4 are positive, rank 5 is negative; the pair without a difference does not count.
    assert rank_biserial([1, 2, 3, 4, 0, 7], [0, 0, 0, 0, 5, 7]) == pytest.approx((10 - 5) / 15)


def test_cliffs_delta_by_counting_pairs():
    first, second = [1, 2, 3], [2, 3, 4, 4]
    signs = [np.sign(a - b) for a in first for b in second]
    assert cliffs_delta(first, second) == pytest.approx(sum(signs) / 12)


def test_extremes():
    assert rank_biserial([2, 3], [1, 1]) == 1
    assert cliffs_delta([1, 2], [3, 4]) == -1
    assert rank_biserial([1, 2], [1, 2]) == 0


@pytest.mark.parametrize("effect", [cohen_dz, hedges_g, rank_biserial, cliffs_delta])
def test_nothing_gives_nan_and_swapping_changes_the_sign(effect):
    assert np.isnan(effect([NAN], [NAN]))
    first, second = [1.0, 5, 2, 8], [2.0, 3, 4, 5]
    assert effect(first, second) == pytest.approx(-effect(second, first))


@pytest.mark.parametrize("effect", [cohen_dz, hedges_g])
def test_no_spread_gives_nan(effect):
    assert np.isnan(effect([2, 2], [1, 1]))


def test_every_test_has_its_effect():
    assert EFFECT_OF_TEST.keys() == TESTS.keys()
