from dataclasses import replace

import numpy as np
import pytest

from nnunet_cardiac_ext.phantoms.groups import GROUPS, draw_shape
from nnunet_cardiac_ext.phantoms.heart import Heart
from nnunet_cardiac_ext.phantoms.integrals import cine_volumes, lv_volumes, plane_areas, sliced_volumes, solid_volumes


def smooth(shape, **changes):
    plain = {"ripple": (), "septal_bulge": 0.0, "outflow": 0.0, "scar": None, "waves": ()}
    return replace(shape, **(plain | changes))


@pytest.fixture(scope="module")
def shape():
    return draw_shape(GROUPS["NOR"], np.random.default_rng(1))


def test_lv_is_the_closed_form_of_a_truncated_spheroid(shape):
    plain = smooth(shape, equator=0.2, radius=25.0, length=80.0)
    # pi r^2 L times the integral of 1 - ((u - e) / (1 - e))^2 from 0 to 1.
    start = -0.2 / 0.8
    profile = 0.8 * ((1 - 1 / 3) - (start - start**3 / 3))
    assert lv_volumes(Heart(plain, 0))[0] == pytest.approx(np.pi * 25**2 * 80 * profile / 1000, rel=1e-9)


@pytest.mark.parametrize("group", ["NOR", "HCM", "MINF", "RV"])
@pytest.mark.parametrize("phase", [0.0, 1.0])
def test_volumes_agree_with_monte_carlo(group, phase):
    drawn = draw_shape(GROUPS[group], np.random.default_rng(11))
    heart = Heart(drawn, phase)
    rng = np.random.default_rng(0)
    half = 130.0
    inside = np.zeros(3)
    low, high = min(heart.base, heart.rv_base), max(heart.lowest, heart.rv_lowest)
    planes, per_plane = 400, 4000
    for z in low + (np.arange(planes) + rng.random(planes)) / planes * (high - low):
        x, y = rng.uniform(-half, half, (2, per_plane))
        p, q = heart.anatomical(x, y, z)
        radius, theta = np.hypot(p, q), np.arctan2(q, p)
        lv = radius < heart.endocardium(theta, z)
        whole = radius < heart.epicardium(theta, z)
        outline = heart.rv_outline(z)
        rv = (outline.distance(p, q) > 0) & ~whole if outline else np.zeros_like(lv)
        inside += lv.sum(), rv.sum(), (whole & ~lv).sum()
    expected = inside / (planes * per_plane) * (2 * half) ** 2 * (high - low) / 1000
    got = solid_volumes(heart)
    # 1.6 million points in a box of about 7 l: a standard error of about 1 % for a cavity of 40 ml.
    assert (got.lv, got.rv, got.myocardium) == pytest.approx(tuple(expected), rel=0.035)


def test_muscle_volume_grows_only_by_the_compaction():
    for group in GROUPS.values():
        shape = replace(draw_shape(group, np.random.default_rng(5)), compaction=0.07)
        diastole, systole = (lv_volumes(Heart(shape, phase), planes=200)[1] for phase in (0, 1))
        assert systole / diastole == pytest.approx(1.07, rel=2e-3)


def test_thin_slices_sum_to_the_solid(shape):
    heart = Heart(shape, 0)
    depths = np.arange(min(heart.base, heart.rv_base) + 0.25, max(heart.lowest, heart.rv_lowest), 0.5)
    sliced, solid = sliced_volumes(heart, depths, 0.5), solid_volumes(heart)
    assert (sliced.lv, sliced.rv, sliced.myocardium) == pytest.approx((solid.lv, solid.rv, solid.myocardium), rel=0.01)


def test_a_plane_above_the_heart_has_no_area(shape):
    assert plane_areas(Heart(shape, 0), min(0, shape.rv_base) - 5) == (0, 0, 0)


def test_rv_area_converges(shape):
    heart = Heart(shape, 0)
    coarse, fine = (plane_areas(heart, 30.0, rv_samples=count)[1] for count in (96, 768))
    assert coarse == pytest.approx(fine, rel=2e-3)


def test_cine_volumes_are_those_of_both_ends_of_the_cycle(shape):
    depths, spacing = np.arange(5.0, 90, 8), 8.0
    diastole, systole = (sliced_volumes(Heart(shape, phase), depths, spacing) for phase in (0, 1))
    found = cine_volumes(shape, depths, spacing)
    assert (found["lv_ed_ml"], found["lv_es_ml"]) == (diastole.lv, systole.lv)
    assert found["rv_ef"] == pytest.approx(100 - 100 * systole.rv / diastole.rv)
    assert found["mass_g"] == pytest.approx(1.05 * diastole.myocardium)
    assert 50 < found["lv_ef"] < 75
