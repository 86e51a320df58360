from dataclasses import replace

import numpy as np
import pytest

from nnunet_cardiac_ext.phantoms.scanner import acquire, coil_sensitivity, draw_scanner


@pytest.fixture
def scanner():
    drawn = draw_scanner(np.random.default_rng(0))
    return replace(drawn, noise=0.05, blur=0.0, level=1000.0, drift=0.0, coil=(-100.0, 0.0), reach=150.0)


def test_noise_is_rician(scanner):
    rng = np.random.default_rng(1)
    air = acquire(scanner, np.zeros((300, 300)), np.ones((300, 300)), rng)
    blood = acquire(scanner, np.ones((300, 300)), np.ones((300, 300)), rng)
    # Magnitude of two channels: Rayleigh in air, nearly Gaussian where the signal is 20 deviations.
    assert air.mean() == pytest.approx(50 * np.sqrt(np.pi / 2), rel=0.02)
    assert blood.std() == pytest.approx(50, rel=0.02)
    assert blood.mean() == pytest.approx(1000, rel=0.005)
    assert air.dtype == np.int16


def test_fat_of_opposite_sign_is_dark_where_it_meets_water(scanner):
    signal = np.ones((32, 32))
    signal[:, 16:] = -1
    image = acquire(replace(scanner, noise=0.0, blur=1.0), signal, np.ones((32, 32)), np.random.default_rng(0))
    assert image[16, 15:17].max() < 500
    assert image[16, 4] == image[16, -5] == 1000


def test_sensitivity_is_one_at_the_heart_and_falls_away_from_the_coil(scanner):
    y, x = np.mgrid[-50:51, -50:51].astype(float) * 2
    sensitivity = coil_sensitivity(scanner, x, y, np.random.default_rng(0))
    assert sensitivity[50, 50] == pytest.approx(1)
    assert sensitivity[50, 0] == pytest.approx((150**2 + 100**2) / 150**2)
    assert (np.diff(sensitivity[50]) < 0).all()


def test_grain_correlates_neighbours_and_keeps_the_level_of_the_noise():
    signal, fine = np.full((256, 256), 20.0), replace(draw_scanner(np.random.default_rng(0)), noise=0.5, level=100.0)
    shares = []
    for grain in (0.0, 0.7):
        scanner = replace(fine, grain=grain)
        noise = acquire(scanner, signal, np.ones_like(signal), np.random.default_rng(1)) - 2000.0
        assert noise.std() == pytest.approx(50, rel=0.03)
        shares.append(np.corrcoef(noise[:, 1:].ravel(), noise[:, :-1].ravel())[0, 1])
    assert abs(shares[0]) < 0.02
    # Two Gaussians of deviation 0.7 at a distance of 1: exp(-1 / (4 * 0.49)).
    assert shares[1] == pytest.approx(0.6, abs=0.05)
