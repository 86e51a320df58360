import math

import numpy as np
import pytest
from scipy import stats

from nnunet_cardiac_ext.evaluation.agreement import agreement, agreement_table, intraclass_correlation
from nnunet_cardiac_ext.evaluation.clinical import QUANTITIES

# Peak expiratory flow of 17 subjects by two meters, l/min: table 1 of Bland and Altman, Lancet 1986.
WRIGHT = np.array([494, 395, 516, 434, 476, 557, 413, 442, 650, 433, 417, 656, 267, 478, 178, 423, 427.0])
MINI = np.array([512, 430, 520, 428, 500, 600, 364, 380, 658, 445, 432, 626, 260, 477, 259, 350, 451.0])
# Six targets by four judges: table 2 of Shrout and Fleiss, Psychol Bull 1979.
RATINGS = np.array([[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7.0]])


def test_numbers_by_hand():
    found = agreement(np.array([10.0, 20.0, 30.0, np.nan]), np.array([11.0, 19.0, 33.0, 5.0]))
    assert found.n == 3
    assert found.bias == pytest.approx(1)
    assert found.sd == pytest.approx(2)  # differences 1, -1, 3
    assert (found.lower, found.upper) == pytest.approx((1 - 3.92, 1 + 3.92))
    assert found.mean_absolute_error == pytest.approx(5 / 3)
    assert found.root_mean_square_error == pytest.approx(math.sqrt(11 / 3))
    assert found.correlation == pytest.approx(np.corrcoef([10, 20, 30], [11, 19, 33])[0, 1])
    assert found.rank_correlation == pytest.approx(1)


def test_worked_example_of_bland_and_altman():
    found = agreement(MINI, WRIGHT)
    assert found.bias == pytest.approx(-2.1, abs=0.05)
    assert found.sd == pytest.approx(38.8, abs=0.05)
    # They add 2 sd where 1.96 are meant: -79.7 and 75.5.
    assert (found.bias - 2 * found.sd, found.bias + 2 * found.sd) == pytest.approx((-79.7, 75.5), abs=0.1)
    assert found.bias_interval == pytest.approx((-22.0, 17.8), abs=0.1)
    # Half widths of the limits' intervals: 34.6 by their shorter formula sqrt(3 s^2 / n).
    for interval, limit in ((found.lower_interval, found.lower), (found.upper_interval, found.upper)):
        assert interval.high - limit == pytest.approx(34.6, abs=0.3)
        assert limit - interval.low == pytest.approx(34.6, abs=0.3)
    assert found.correlation == pytest.approx(0.94, abs=0.005)


def test_intervals_hold_the_truth_as_often_as_they_say():
    rng = np.random.default_rng(0)
    truth = (2.0, 2.0 - 1.96 * 5, 2.0 + 1.96 * 5)
    held = np.zeros(3)
    for _ in range(1000):
        reference = rng.normal(100, 20, 20)
        found = agreement(reference, reference + rng.normal(2, 5, 20))
        intervals = (found.bias_interval, found.lower_interval, found.upper_interval)
        held += [low <= value <= high for (low, high), value in zip(intervals, truth, strict=True)]
    assert np.all(np.abs(held / 1000 - 0.95) < 0.025)


def test_intraclass_correlations_of_shrout_and_fleiss():
    found = intraclass_correlation(RATINGS)
    assert found.agreement == pytest.approx(0.29, abs=0.005)
    assert found.consistency == pytest.approx(0.71, abs=0.005)


def test_intraclass_correlation_from_the_mean_squares_by_hand():
    # Their analysis of variance: between targets 11.24, between judges 32.49, residual 1.02.
    bms, jms, ems, n, k = 56.2083333 / 5, 97.4583333 / 3, 15.2916667 / 15, 6, 4
    found = intraclass_correlation(RATINGS)
    assert found.agreement == pytest.approx((bms - ems) / (bms + (k - 1) * ems + k * (jms - ems) / n), abs=1e-7)
    assert found.consistency == pytest.approx((bms - ems) / (bms + (k - 1) * ems), abs=1e-7)


def test_a_constant_bias_lowers_agreement_but_not_consistency():
    a = np.array([50.0, 55, 60, 65, 70])
    found = agreement(a, a + 10)
    assert found.icc_consistency == pytest.approx(1)
    assert found.icc_agreement == pytest.approx(62.5 / (62.5 + 50))  # variance of the targets, of the judges 10^2 / 2
    assert agreement(a, a).icc_agreement == pytest.approx(1)


def test_rank_correlation_sees_order_only():
    a = np.array([1.0, 2, 3, 4, 9])
    assert agreement(a, np.exp(a)).rank_correlation == pytest.approx(1)
    assert agreement(a, -a).rank_correlation == pytest.approx(-1)
    b = np.array([2.0, 1, 4, 3, 5])
    assert agreement(a, b).rank_correlation == pytest.approx(stats.spearmanr(a, b)[0])


def test_no_pairs_give_nan():
    found = agreement(np.array([np.nan]), np.array([1.0]))
    assert found.n == 0
    assert np.isnan([found.bias, found.lower, found.correlation, found.icc_agreement, *found.bias_interval]).all()


def test_one_pair_has_a_bias_and_no_spread():
    found = agreement(np.array([1.0]), np.array([3.0]))
    assert (found.bias, found.root_mean_square_error) == (2, 2)
    assert np.isnan([found.sd, found.correlation, found.icc_consistency, *found.upper_interval]).all()


def test_constant_series_has_no_correlation():
    found = agreement(np.ones(4), np.arange(4.0))
    assert np.isnan([found.correlation, found.rank_correlation]).all()
    assert np.isnan(intraclass_correlation(np.ones((4, 2)))).all()


def test_table_has_one_line_per_quantity_with_both_sides():
    lines = [
        {"subject": "p", "lv_ef_percent_reference": a, "lv_ef_percent_prediction": b, "lv_ef_percent_difference": b - a}
        for a, b in ((50.0, 52.0), (60.0, 58.0), (40.0, 43.0), (30.0, 31.0))
    ]
    table, header = agreement_table(lines, QUANTITIES)
    assert [line["quantity"] for line in table] == ["lv_ef"]
    assert table[0]["unit"] == "percent"
    assert table[0]["bias"] == pytest.approx(1)
    assert table[0]["bias_ci95_low"] < 1 < table[0]["bias_ci95_high"]
    assert header == list(table[0])
    as_text = [{key: str(value) for key, value in line.items()} for line in lines]
    assert agreement_table(as_text, QUANTITIES)[0] == table


def test_table_of_nothing_has_its_header():
    table, header = agreement_table([], QUANTITIES)
    assert table == []
    assert {"n", "bias", "lower_ci95_low", "upper_ci95_high", "icc_agreement", "root_mean_square_error"} <= set(header)


def test_interval_of_a_limit_by_hand():
    # Differences 0 and 2: bias 1, variance 2. Variance of a limit 2 (1/2 + 1.96^2 / 2), t(0.975; 1) = 12.7062.
    found = agreement(np.array([5.0, 7.0]), np.array([5.0, 9.0]))
    reach = 12.7062 * np.sqrt(2 * (0.5 + 1.96**2 / 2))
    lower = 1 - 1.96 * np.sqrt(2)
    assert found.lower_interval == pytest.approx((lower - reach, lower + reach), rel=1e-5)
