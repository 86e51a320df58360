import numpy as np
import pytest

from nnunet_cardiac_ext.evaluation.agreement import agreement


def test_numbers_by_hand():
    found = agreement(np.array([10.0, 20.0, 30.0, np.nan]), np.array([11.0, 19.0, 33.0, 5.0]))
    assert found.n == 3
    assert found.bias == pytest.approx(1)
    assert found.sd == pytest.approx(2)  # differences 1, -1, 3
    assert (found.lower, found.upper) == pytest.approx((1 - 3.92, 1 + 3.92))
    assert found.mean_absolute_error == pytest.approx(5 / 3)
    assert found.correlation == pytest.approx(np.corrcoef([10, 20, 30], [11, 19, 33])[0, 1])


def test_no_pairs_give_nan():
    found = agreement(np.array([np.nan]), np.array([1.0]))
    assert found.n == 0
    assert np.isnan([found.bias, found.lower, found.correlation]).all()


def test_constant_series_has_no_correlation():
    assert np.isnan(agreement(np.ones(4), np.arange(4.0)).correlation)
