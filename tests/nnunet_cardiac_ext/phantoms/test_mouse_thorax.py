import numpy as np
import pytest

from nnunet_cardiac_ext.phantoms.mouse_animals import draw_animal, shape_at
from nnunet_cardiac_ext.phantoms.mouse_imaging import draw_flash
from nnunet_cardiac_ext.phantoms.mouse_thorax import draw_mouse_thorax, paint_mouse_thorax


@pytest.fixture(scope="module")
def painted():
    rng = np.random.default_rng(4)
    shape = shape_at(draw_animal("control", rng), "pre", rng)
    thorax, contrast = draw_mouse_thorax(shape, rng), draw_flash(rng)
    y, x = np.meshgrid(*2 * [np.arange(-250, 250, 2.0)], indexing="ij")
    planes = [paint_mouse_thorax(thorax, contrast, x, y, depth, np.random.default_rng(depth)) for depth in (0, 8, 64)]
    return thorax, contrast, x, y, planes


def test_outside_the_body_is_air(painted):
    thorax, _, x, y, planes = painted
    middle = thorax.middle[0] * np.cos(thorax.front), thorax.middle[0] * np.sin(thorax.front)
    far = np.hypot(x - middle[0], y - middle[1]) > max(thorax.half) * 1.35 + 25
    assert far.any()
    assert not planes[0][far].any()


def test_chest_wall_lies_in_front_of_the_heart(painted):
    thorax, contrast, x, y, planes = painted
    depth_of_wall = thorax.middle[0] + thorax.half[0] - thorax.skin - thorax.wall / 4
    at = np.hypot(x - depth_of_wall * np.cos(thorax.front), y - depth_of_wall * np.sin(thorax.front)) < 4
    assert np.median(planes[0][at]) == pytest.approx(contrast.skeletal, rel=0.5)


def test_neighbouring_slices_are_alike_and_distant_ones_less(painted):
    first, second, last = painted[4]
    near, far = (np.corrcoef(first.ravel(), other.ravel())[0, 1] for other in (second, last))
    assert near > far > 0.3


def test_liver_gains_ground_towards_the_apex(painted):
    thorax, contrast, x, y, (first, _, last) = painted
    direction, distance, _ = thorax.diaphragm
    strip = np.abs(x * np.cos(direction) + y * np.sin(direction) - distance) < 8
    strip &= np.abs(-x * np.sin(direction) + y * np.cos(direction)) < 25
    bright = 0.5 * contrast.liver
    assert (last[strip] > bright).mean() > (first[strip] > bright).mean()
