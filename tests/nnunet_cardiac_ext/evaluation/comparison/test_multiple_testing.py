import numpy as np
import pytest

from nnunet_cardiac_ext.evaluation.comparison.multiple_testing import benjamini_hochberg, holm, uncorrected

NAN = float("nan")


def test_holm_worked_by_hand():
    # In order: 4 x 0.005, 3 x 0.01, 2 x 0.03, and 1 x 0.04, which may not fall below the one before.
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])


def test_benjamini_hochberg_worked_by_hand():
    # In order: 0.005 x 4/1, 0.01 x 4/2, 0.03 x 4/3, 0.04 x 4/4.
    assert benjamini_hochberg([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.02, 0.04, 0.04, 0.02])


def test_corrected_values_stop_at_one():
    assert holm([0.6, 0.7]) == pytest.approx([1, 1])


@pytest.mark.parametrize("correct", [holm, benjamini_hochberg, uncorrected])
def test_nan_is_no_test(correct):
    found = correct([0.01, NAN, 0.04])
    assert np.isnan(found[1])
    assert found[[0, 2]] == pytest.approx(correct([0.01, 0.04]))


@pytest.mark.parametrize("correct", [holm, benjamini_hochberg, uncorrected])
def test_nothing_to_correct(correct):
    assert len(correct([])) == 0
    assert correct([0.2]) == pytest.approx([0.2])
    assert np.isnan(correct([NAN])).all()


def test_holm_is_never_milder_than_benjamini_hochberg_nor_than_none():
    p = np.random.default_rng(1).uniform(size=30)
    assert (holm(p) >= benjamini_hochberg(p) - 1e-12).all()
    assert (benjamini_hochberg(p) >= p).all()
