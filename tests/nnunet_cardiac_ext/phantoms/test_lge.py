from dataclasses import replace

import numpy as np
import pytest

from nnunet_cardiac_ext.phantoms.lge import LgeScanner, acquire_lge, draw_lge_contrast, draw_lge_scanner

PLAIN = LgeScanner(blood=0.25, noise=0.1, grain=0.5, blur=0.5, coil=(-90.0, 0.0), reach=120.0, drift=0.0, flare=0.0)


def positions(shape=(80, 100), voxel=1.5):
    rows, columns = np.indices(shape, dtype=float)
    return (columns - shape[1] / 2) * voxel, (rows - shape[0] / 2) * voxel


def acquired(scanner, level):
    x, y = positions()
    return acquire_lge(scanner, np.full(x.shape, float(level)), x, y, np.random.default_rng(0))


@pytest.mark.parametrize(("signal", "grey"), [(0, 2048), (1, 2560), (-0.4, 1843), (2, 3072)])
def test_no_signal_is_middle_grey_and_signs_are_kept(signal, grey):
    middle = acquired(PLAIN, signal)[35:45, 45:55]
    assert middle.mean() == pytest.approx(grey, abs=20)


def test_grey_levels_are_whole_and_leave_zero_to_the_padding():
    bright, dark = (acquired(replace(PLAIN, noise=2.0), level) for level in (9, -9))
    assert (bright.max(), dark.min()) == (4095, 1)
    assert np.array_equal(bright, np.rint(bright))


def test_noise_grows_away_from_the_coil():
    image = acquired(PLAIN, 0.0)
    assert image[:, -15:].std() > 2 * image[:, :15].std()


def test_flare_brightens_what_is_near_the_coil():
    image = acquired(replace(PLAIN, flare=0.5, noise=0.001), 1.0)
    assert image[:, :10].mean() > image[:, -10:].mean() + 100


def test_infarct_is_brighter_than_healthy_muscle_and_the_core_darker_than_the_infarct():
    rng = np.random.default_rng(0)
    for _ in range(200):
        contrast = draw_lge_contrast(rng)
        assert contrast.infarct >= contrast.tissues.muscle + 0.25
        assert contrast.no_reflow < contrast.infarct
        assert -0.45 <= contrast.tissues.muscle <= 0.8


def test_some_inversion_times_are_off_in_both_directions():
    rng = np.random.default_rng(0)
    muscle = np.array([draw_lge_contrast(rng).tissues.muscle for _ in range(300)])
    assert (muscle < 0).mean() > 0.03
    assert (muscle > 0.6).mean() > 0.1


def test_scanners_stay_in_their_ranges():
    rng = np.random.default_rng(0)
    drawn = [draw_lge_scanner(rng) for _ in range(100)]
    assert all(0.1 <= scanner.blood <= 0.45 and scanner.noise > 0 for scanner in drawn)
