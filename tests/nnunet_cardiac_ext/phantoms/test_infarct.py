from dataclasses import replace

import numpy as np
import pytest

from nnunet_cardiac_ext.phantoms.groups import draw_shape
from nnunet_cardiac_ext.phantoms.heart import Heart
from nnunet_cardiac_ext.phantoms.infarct import (
    TERRITORIES,
    Infarct,
    draw_infarct,
    fitted_infarct,
    sliced_infarct,
)
from nnunet_cardiac_ext.phantoms.integrals import sliced_volumes
from nnunet_cardiac_ext.phantoms.lge_subject import GROUPS

DEPTHS, SPACING = (8.0, 18.0, 28.0, 38.0, 48.0, 58.0), 10.0


@pytest.fixture(scope="module")
def heart():
    return Heart(draw_shape(GROUPS["P"], np.random.default_rng(3)), 0)


def band(**changes):
    """The same share of the wall at every angle and level: the border lies far away."""
    plain = Infarct("LAD", 0.0, 0.5, width=1e6, length=1e6, depth=0.5, waves=())
    return replace(plain, **changes)


def test_half_of_a_ring_of_known_radii_is_half_infarcted(heart):
    theta = (np.arange(2000) + 0.5) / 2000 * 2 * np.pi
    expected = 0.0
    for z in DEPTHS:
        inner, outer = heart.endocardium(theta, z), heart.epicardium(theta, z)
        expected += np.pi * np.mean(((inner + outer) / 2) ** 2 - inner**2) * SPACING / 1000
    got = sliced_infarct(heart, band(), DEPTHS, SPACING)
    assert got.infarct == pytest.approx(expected, rel=1e-4)
    assert got.transmurality == pytest.approx(50)
    assert got.core == 0


def test_a_fully_transmural_infarct_is_the_whole_wall(heart):
    got = sliced_infarct(heart, band(depth=5.0), DEPTHS, SPACING)
    assert got.infarct == pytest.approx(sliced_volumes(heart, DEPTHS, SPACING).myocardium, rel=1e-4)
    assert got.transmurality == pytest.approx(100)


def test_no_infarct_measures_nothing(heart):
    got = sliced_infarct(heart, None, DEPTHS, SPACING)
    assert (got.infarct, got.core) == (0, 0)
    assert np.isnan(got.transmurality)


@pytest.mark.parametrize("seed", range(6))
def test_volumes_agree_with_monte_carlo(heart, seed):
    rng = np.random.default_rng(seed)
    infarct = fitted_infarct(draw_infarct(0.25, rng), heart, DEPTHS, SPACING, volume=25.0, core=4.0)
    points = rng.uniform(-70, 70, (2, 200_000))
    radius, theta = np.hypot(*points), np.arctan2(points[1], points[0])
    inside = np.zeros(2)
    for z in DEPTHS:
        inner, outer = heart.endocardium(theta, z), heart.epicardium(theta, z)
        level = (z - heart.base) / heart.length
        share = (radius - inner) / (outer - inner)
        wall = (share >= 0) & (share <= 1)
        infarcted = wall & (share < infarct.reach(theta, level))
        core = wall & (share > infarct.rim) & (share < infarct.core_reach(theta, level))
        assert not (core & ~infarcted).any()
        inside += infarcted.sum(), core.sum()
    expected = inside / 200_000 * 140**2 * SPACING / 1000
    got = sliced_infarct(heart, infarct, DEPTHS, SPACING)
    # Some 1500 points fall into a slice's infarct and 250 into its core: standard errors of 1 and 3 %.
    assert got.infarct == pytest.approx(expected[0], rel=0.05)
    assert got.core == pytest.approx(expected[1], rel=0.12)


@pytest.mark.parametrize("share", [0.04, 0.18, 0.45])
def test_volumes_asked_for_are_met(heart, share):
    volume = share * sliced_volumes(heart, DEPTHS, SPACING).myocardium
    drawn = draw_infarct(share, np.random.default_rng(7))
    got = sliced_infarct(
        heart, fitted_infarct(drawn, heart, DEPTHS, SPACING, volume=volume, core=0.1 * volume), DEPTHS, SPACING
    )
    assert got.infarct == pytest.approx(volume, rel=5e-3)
    assert got.core == pytest.approx(0.1 * volume, rel=2e-2)


def test_it_starts_at_the_endocardium_in_the_middle_of_its_territory():
    rng = np.random.default_rng(0)
    theta = np.linspace(-np.pi, np.pi, 721)
    for _ in range(20):
        infarct = replace(draw_infarct(0.15, rng), waves=())
        reach = infarct.reach(theta, infarct.level)
        angle, _ = TERRITORIES[infarct.territory]
        away = (theta[reach.argmax()] - angle + np.pi) % (2 * np.pi) - np.pi
        assert abs(away) < 1.0
        assert reach.min() == 0
        assert (infarct.core_reach(theta, infarct.level) == 0).all()


def test_territories_are_those_of_the_three_arteries():
    rng = np.random.default_rng(0)
    drawn = [draw_infarct(0.2, rng).territory for _ in range(60)]
    assert set(drawn) == {"LAD", "RCA", "LCX"}
    # Angles start at the septum and turn to the anterior wall: anteroseptal, inferior, lateral.
    assert 0 < TERRITORIES["LAD"][0] < np.pi / 2
    assert -np.pi / 2 - 0.5 < TERRITORIES["RCA"][0] < -0.5
    assert abs(TERRITORIES["LCX"][0]) > np.pi / 2
