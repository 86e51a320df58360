from dataclasses import replace

import numpy as np
import pytest

from nnunet_cardiac_ext.phantoms.contrast import draw_bssfp
from nnunet_cardiac_ext.phantoms.groups import GROUPS, draw_shape
from nnunet_cardiac_ext.phantoms.thorax import draw_thorax, paint_thorax

VOXEL = 2.0
# Wide enough to hold the air around every body.
Y, X = np.meshgrid(*2 * [np.arange(-450, 450, VOXEL)], indexing="ij")


@pytest.fixture
def drawn():
    rng = np.random.default_rng(1)
    return draw_thorax(draw_shape(GROUPS["NOR"], rng), rng), draw_bssfp(rng)


def paint(thorax, contrast, seed=0):
    return paint_thorax(thorax, contrast, X, Y, 20.0, np.random.default_rng(seed))


def test_outside_the_body_is_air_and_inside_is_not(drawn):
    thorax, contrast = drawn
    image = paint(thorax, contrast)
    assert not image[:, X[0] > thorax.right + 60].any()
    assert not image[np.abs(Y[:, 0] - thorax.middle) > thorax.height + 60].any()
    assert (np.abs(image[(np.abs(X) < 30) & (np.abs(Y) < 30)]) > 0).all()


def test_the_aorta_is_where_it_was_drawn(drawn):
    thorax, contrast = drawn
    away = replace(contrast, tissue_texture=0.0)
    x, y, radius = thorax.aorta
    inside = np.hypot(X - x, Y - y) < radius - 2 * VOXEL
    assert paint(thorax, away)[inside] == pytest.approx(contrast.vessel, rel=1e-5)


def test_the_heart_keeps_clear_of_the_chest_wall():
    for seed in range(50):
        rng = np.random.default_rng(seed)
        shape = draw_shape(GROUPS["RV"], rng)
        thorax = draw_thorax(shape, rng)
        epicardium = shape.radius + shape.wall
        assert -thorax.left - thorax.fat - thorax.wall > epicardium
        assert thorax.right > epicardium + 99


def test_the_same_seed_paints_the_same_surroundings(drawn):
    first, again, other = (paint(*drawn, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - other).max() > 0.1
