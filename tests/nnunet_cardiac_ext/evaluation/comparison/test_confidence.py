import numpy as np
import pytest
from scipy import stats

from nnunet_cardiac_ext.evaluation.comparison.confidence import Bootstrap, difference_interval, mean_interval

FEW = Bootstrap(resamples=999)
NAN = float("nan")


def sample(n, seed=0):
    return np.random.default_rng(seed).gamma(2.0, size=n)


def test_without_subjects_it_is_scipys_bootstrap_of_the_mean():
    values = sample(25)
    expected = stats.bootstrap((values,), np.mean, n_resamples=999, rng=np.random.default_rng(0)).confidence_interval
    assert mean_interval(values, bootstrap=FEW) == pytest.approx(tuple(expected))


def test_percentile_interval_of_three_values_by_enumeration():
    values = np.array([0.0, 1.0, 5.0])
    means = np.array([np.mean([a, b, c]) for a in values for b in values for c in values])
    found = mean_interval(values, bootstrap=Bootstrap(level=0.8, method="percentile", resamples=20000))
    assert found == pytest.approx(np.quantile(means, [0.1, 0.9], method="inverted_cdf"), abs=1e-9)


def test_repeating_the_cases_of_each_subject_adds_no_certainty():
    values = sample(20)
    twice, subjects = np.repeat(values, 2), np.repeat(np.arange(20), 2)
    by_subject = mean_interval(twice, list(subjects), FEW)
    assert by_subject == mean_interval(values, bootstrap=FEW)
    as_if_independent = mean_interval(twice, bootstrap=FEW)
    ratio = (by_subject.high - by_subject.low) / (as_if_independent.high - as_if_independent.low)
    assert ratio == pytest.approx(np.sqrt(2), rel=0.15)


def test_a_large_subject_moves_the_mean_by_all_its_cases():
    # Draws of two subjects with sums 0 (1 case) and 3 (3 cases): means 0, 3/4 and 1.
    found = mean_interval(
        np.array([0.0, 1, 1, 1]), ["a", "b", "b", "b"], Bootstrap(level=0.9, method="percentile", resamples=999)
    )
    assert found == (0.0, 1.0)


def test_nan_is_left_out_with_its_subject_where_nothing_remains():
    values = np.array([1.0, 2, 4, NAN, NAN])
    with_gaps = mean_interval(values, ["a", "b", "c", "c", "d"], FEW)
    assert with_gaps == mean_interval(values[:3], ["a", "b", "c"], FEW)


def test_difference_of_samples_drawn_independently():
    first, second = sample(30), sample(20, seed=1) + 1
    expected = stats.bootstrap(
        (first, second), lambda a, b, axis: a.mean(axis) - b.mean(axis), n_resamples=999, rng=np.random.default_rng(0)
    ).confidence_interval
    assert difference_interval(first, second, bootstrap=FEW) == pytest.approx(tuple(expected))


def test_undefined_and_constant():
    assert np.isnan(mean_interval(np.array([3.0]))).all()
    assert np.isnan(mean_interval(np.array([3.0, 4.0]), ["a", "a"])).all()
    assert np.isnan(difference_interval(np.array([3.0, 4.0]), np.array([NAN]))).all()
    assert mean_interval(np.full(5, 2.5)) == (2.5, 2.5)


def test_same_seed_same_limits_other_seed_others():
    values = sample(15)
    assert mean_interval(values, bootstrap=FEW) == mean_interval(values, bootstrap=FEW)
    assert mean_interval(values, bootstrap=FEW) != mean_interval(values, bootstrap=FEW._replace(seed=1))


def test_wrong_arguments():
    with pytest.raises(ValueError, match="expected a method of bca, percentile"):
        mean_interval(sample(5), bootstrap=Bootstrap(method="magic"))
    with pytest.raises(ValueError, match="a subject for each of 5 values, got 1"):
        mean_interval(sample(5), ["a"])
