import numpy as np
import pytest

from nnunet_cardiac_ext.errors import UsageError
from nnunet_cardiac_ext.evaluation.comparison.confidence import Bootstrap
from nnunet_cardiac_ext.evaluation.comparison.models import ComparisonSettings, Measured, compare_samples, corrected

DICE = Measured("dice", "LV", "all", "1", "nnunet-cardiac")
NAN = float("nan")
FEW = Bootstrap(resamples=199)


def compare(samples, subjects=None, **choices):
    settings = ComparisonSettings(bootstrap=FEW, **choices)
    return compare_samples(DICE, samples, next(iter(samples)), subjects or {}, settings)


def test_values_are_paired_by_case_whatever_their_order():
    first, second = compare({"A": {"x": 0.1, "y": 0.5, "z": 0.9}, "B": {"z": 1.2, "x": 0.2, "y": 0.7}}, test="paired-t")
    assert (first.sample, first.baseline, first.n_pairs) == ("A", "", 0)
    assert first.mean == pytest.approx(0.5)
    assert second.difference == pytest.approx(0.2)
    assert second.effect == pytest.approx(0.2 / 0.1)
    t = 0.2 / (0.1 / np.sqrt(3))
    assert second.p == pytest.approx(1 - t / np.sqrt(2 + t**2))
    assert second.low <= second.difference <= second.high


def test_pairs_with_nan_are_left_out_and_counted_absent_cases_are_no_pairs():
    _, row = compare({"A": {"x": 1.0, "y": 2.0, "z": 3.0}, "B": {"x": 2.0, "y": 4.0, "z": NAN, "w": 9.0}})
    assert (row.n, row.n_undefined) == (3, 1)
    assert (row.n_pairs, row.n_left_out) == (2, 1)
    assert row.difference == pytest.approx(1.5)


def test_by_subject_averages_first():
    samples = {"A": {"p1_ED": 0.0, "p1_ES": 0.2, "p2_ED": 0.5}, "B": {"p1_ED": 0.1, "p1_ES": 0.5, "p2_ED": 0.9}}
    subjects = {"p1_ED": "p1", "p1_ES": "p1", "p2_ED": "p2"}
    first, second = compare(samples, subjects, unit="subject")
    assert (first.n, first.mean) == (2, pytest.approx((0.1 + 0.5) / 2))
    assert second.difference == pytest.approx((0.2 + 0.4) / 2)
    assert second.n_pairs == 2


def test_a_subject_is_not_averaged_over_other_cases_than_its_partner():
    samples = {"A": {"p1_ED": 0.9, "p1_ES": 0.1, "p2": 0.5}, "B": {"p1_ED": 0.9, "p1_ES": NAN, "p2": 0.5}}
    _, row = compare(samples, {"p1_ED": "p1", "p1_ES": "p1"}, unit="subject", test="paired-t")
    assert row.difference == 0
    assert (row.n_pairs, row.n_left_out) == (2, 1)


def test_without_pairs_each_sample_keeps_its_own_values():
    _, row = compare({"A": {"x": 1.0, "y": 3.0, "z": NAN}, "B": {"x": 4.0, "w": 6.0, "v": 8.0}}, test="ranksum")
    assert row.difference == pytest.approx(6 - 2)
    assert row.effect == 1
    assert row.effect_name == "Cliff's delta"
    assert row.n_pairs == 2


def test_correction_counts_the_tests_and_skips_baselines():
    rows = [row._replace(p=p) for row, p in zip(compare({"A": {}, "B": {}, "C": {}}), (NAN, 0.01, 0.04), strict=True)]
    assert [row.p_corrected for row in corrected(rows, "holm")] == pytest.approx([NAN, 0.02, 0.04], nan_ok=True)


def test_nothing_in_common_has_a_reason():
    _, row = compare({"A": {"x": 1.0}, "B": {"y": 1.0}})
    assert np.isnan([row.difference, row.p, row.low, row.effect]).all()
    assert row.reason == "fewer than two values"


@pytest.mark.parametrize(
    ("choice", "message"),
    [
        ({"test": "anova"}, "--test: expected one of wilcoxon, ranksum, welch, paired-t, got 'anova'"),
        ({"correction": "sidak"}, "--correction: expected one of none, holm, bh"),
        ({"unit": "slice"}, "--unit: expected one of case, subject"),
        ({"bootstrap": Bootstrap(level=95)}, "--level: expected a number between 0 and 1, got 95"),
        ({"bootstrap": Bootstrap(resamples=0)}, "--resamples: expected at least 1, got 0"),
    ],
)
def test_wrong_choices(choice, message):
    with pytest.raises(UsageError, match=message):
        ComparisonSettings(**choice)
