import numpy as np
import pytest

from nnunet_cardiac_ext.phantoms.contrast import draw_bssfp
from nnunet_cardiac_ext.phantoms.long_axis_thorax import Extent, chest_distance, draw_surroundings, paint_surroundings

EXTENT = Extent(front=-50, back=70, left=-60, right=55)
ROOT = (10.0, 45.0)
STEP = 2.0
V, U = np.mgrid[-150:220:STEP, -220:220:STEP]


@pytest.fixture(scope="module", params=range(3))
def around(request):
    return draw_surroundings(EXTENT, ROOT, np.random.default_rng(request.param))


def test_the_chest_holds_the_heart_with_its_front_near_the_wall(around):
    inside = chest_distance(around, U, V)
    assert inside[(np.abs(U - around.middle[0]) < 5) & (np.abs(V - EXTENT.front) < STEP)].min() > 0
    assert V[inside > 0].min() == pytest.approx(EXTENT.front - 13.5, abs=14)
    assert V[inside > 0].max() > EXTENT.back


def test_the_aorta_lies_beside_the_spine_behind_the_heart(around):
    assert around.aorta[0] > around.spine[0]
    assert around.aorta[1] > EXTENT.back - 30


def test_lung_is_dark_the_aorta_bright_and_air_zero(around):
    rng = np.random.default_rng(0)
    contrast = draw_bssfp(rng)
    image = np.abs(paint_surroundings(around, contrast, U, V, STEP, rng))
    aorta = np.hypot(U - around.aorta[0], V - around.aorta[1]) < around.aorta[2] - 3
    assert np.median(image[aorta]) == pytest.approx(contrast.vessel, rel=0.1)
    lung = (chest_distance(around, U, V) > 15) & (EXTENT.right + 5 < U) & (EXTENT.front + 40 > V)
    assert np.median(image[lung]) < 0.5 * contrast.vessel
    assert (image[chest_distance(around, U, V) < -110] == 0).all()
