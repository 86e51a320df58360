from dataclasses import replace

import numpy as np
import pytest

from nnunet_cardiac_ext.phantoms.groups import GROUPS, draw_shape
from nnunet_cardiac_ext.phantoms.heart import Heart


@pytest.fixture(scope="module")
def shape():
    return draw_shape(GROUPS["MINF"], np.random.default_rng(3))


def test_mitral_plane_descends_and_the_apex_stays(shape):
    diastole, systole = Heart(shape, 0), Heart(shape, 1)
    assert (diastole.base, systole.base) == (0, shape.shortening)
    assert systole.base + systole.length == pytest.approx(diastole.length)


def test_there_is_no_left_ventricle_above_the_mitral_plane_or_below_the_apex(shape):
    heart = Heart(shape, 0.5)
    angles = np.linspace(0, 6, 7)
    assert not heart.epicardium(angles, heart.base - 0.01).any()
    assert not heart.epicardium(angles, heart.lowest + 0.01).any()
    assert not heart.endocardium(angles, heart.base + heart.length + 0.01).any()
    assert (heart.endocardium(angles, heart.base + 0.5 * heart.length) > 0).all()


def test_rv_ends_at_its_base_and_apex(shape):
    heart = Heart(shape, 1)
    assert heart.rv_outline(heart.rv_base - 0.1) is None
    assert heart.rv_outline(heart.rv_lowest + 0.1) is None
    assert heart.rv_outline((heart.rv_base + heart.rv_lowest) / 2) is not None


def test_scar_is_thin_and_does_not_move(shape):
    still = replace(shape, scar=replace(shape.scar, thinning=0.5, akinesia=1.0), septal_bulge=0.0, outflow=0.0)
    scar = still.scar
    diastole, systole = Heart(still, 0), Heart(still, 1)
    opposite = np.array([scar.angle + np.pi])
    middle = np.array([scar.angle])

    def depth(heart):
        return heart.base + scar.level * heart.length

    def thickness(heart, angle):
        return float((heart.epicardium(angle, depth(heart)) - heart.endocardium(angle, depth(heart)))[0])

    assert systole.endocardium(middle, depth(systole)) == pytest.approx(diastole.endocardium(middle, depth(diastole)))
    assert systole.endocardium(opposite, depth(systole)) < 0.95 * diastole.endocardium(opposite, depth(diastole))
    assert thickness(diastole, middle) < 0.75 * thickness(diastole, opposite)


def test_shears_keep_areas(shape):
    x, y = np.meshgrid(np.linspace(-40, 40, 81), np.linspace(-40, 40, 81))
    strong = replace(shape, waves=((0.3, 50.0, 3.0, 1.0), (1.9, 70.0, 2.5, 0.2)))
    p, q = Heart(strong, 0).anatomical(x, y, 10.0)
    determinant = np.gradient(p, 1.0, axis=1) * np.gradient(q, 1.0, axis=0) - np.gradient(p, 1.0, axis=0) * np.gradient(
        q, 1.0, axis=1
    )
    # Central differences on a 1 mm grid: the rest is their own error.
    assert np.abs(determinant[1:-1, 1:-1] - 1).max() < 0.01
    assert np.abs(p - Heart(replace(strong, waves=()), 0).anatomical(x, y, 10.0)[0]).max() > 1


def test_pictured_undoes_anatomical(shape):
    heart = Heart(replace(shape, waves=((0.3, 50.0, 3.0, 1.0), (1.9, 70.0, 2.5, 0.2))), 0.4)
    x, y = np.random.default_rng(0).uniform(-40, 40, (2, 200))
    back = heart.pictured(*heart.anatomical(x, y, 12.0), 12.0)
    np.testing.assert_allclose(back, (x, y), atol=1e-9)
