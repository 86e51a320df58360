import numpy as np
import pytest

from nnunet_cardiac_ext.evaluation.heart.curves import find_phases
from nnunet_cardiac_ext.phantoms.acdc import cycle, end_systole


def phases(values):
    found = find_phases(np.array(values, dtype=float))
    return found.diastole, found.systole


@pytest.mark.parametrize("frames", [5, 8, 12, 20, 25, 30, 50])
def test_clean_curve_of_a_heartbeat(frames):
    assert phases(140 - 80 * cycle(frames)) == (0, end_systole(frames))


def test_noise_of_two_percent_moves_the_phases_little():
    curve = 140 - 80 * cycle(25)
    for seed in range(50):
        noisy = curve + np.random.default_rng(seed).normal(0, 0.02 * 80, 25)
        diastole, systole = phases(noisy)
        assert curve[diastole] > 132  # within 10 % of the stroke volume
        assert curve[systole] < 68


@pytest.mark.parametrize("frame", [0, 3, 6, 12, 19])
@pytest.mark.parametrize("wrong", [0.0, 300.0])
def test_one_wild_frame_is_passed_over(frame, wrong):
    curve = 140 - 80 * cycle(20)
    curve[frame] = wrong
    found = find_phases(curve)
    assert found.outliers.tolist() == [k == frame for k in range(20)]
    assert frame not in (found.diastole, found.systole)
    truth = 140 - 80 * cycle(20)
    assert truth[found.diastole] > 130
    assert truth[found.systole] < 70


@pytest.mark.parametrize(("share", "outlier"), [(0.18, False), (0.32, True)])
def test_a_frame_is_wild_from_a_quarter_of_the_range_on(share, outlier):
    # Flat but for two plateaus, so that the range from the 10th to the 90th percentile is 100.
    curve = np.repeat([150.0, 50.0], 10)
    curve[5] += 100 * share
    assert find_phases(curve).outliers[5] == outlier


def test_two_wild_frames():
    for frames in ((3, 12), (5, 7)):
        curve = 140 - 80 * cycle(20)
        curve[list(frames)] = 0
        found = find_phases(curve)
        assert np.flatnonzero(found.outliers).tolist() == list(frames)
        assert abs(found.systole - end_systole(20)) <= 1


def test_the_sharp_end_systole_of_a_short_cine_is_no_outlier():
    for frames in (8, 12):
        assert not find_phases(140 - 80 * cycle(frames)).outliers.any()


def test_of_equal_values_the_first_counts():
    assert phases([100, 100, 60, 60, 60, 100, 100, 100]) == (0, 3)
    assert phases([50, 100, 100, 50]) == (1, 0)


def test_two_frames_are_told_by_their_volume():
    assert phases([60, 140]) == (1, 0)


def test_start_of_the_cycle_does_not_matter():
    curve = 140 - 80 * cycle(20)
    for shift in range(20):
        assert phases(np.roll(curve, shift)) == (shift, (end_systole(20) + shift) % 20)


@pytest.mark.parametrize(("values", "reason"), [([], "fewer"), ([100], "fewer"), ([80] * 6, "the same")])
def test_no_phases_without_a_change(values, reason):
    found = find_phases(np.array(values, dtype=float))
    assert (found.diastole, found.systole) == (None, None)
    assert reason in found.reason
