import numpy as np
import pytest

from nnunet_cardiac_ext.phantoms.contrast import draw_bssfp
from nnunet_cardiac_ext.phantoms.long_axis_distractors import Distractor, draw_distractors

V, U = np.mgrid[-150:150:1.0, -150:150:1.0]
HEART = 50 - np.hypot(U, V)
ROOM = np.hypot(U, V) < 145


def draw(count, seed=0):
    return draw_distractors(count, U, V, HEART, ROOM, np.random.default_rng(seed))


@pytest.mark.parametrize("seed", range(5))
def test_they_keep_clear_of_the_heart_of_the_edge_and_of_each_other(seed):
    found = draw(3, seed)
    assert len(found) == 3
    bodies = [one.distance(U, V) > 0 for one in found]
    for body in bodies:
        assert body.sum() > 300
        assert (HEART[body] <= -9).all()
        assert ROOM[body].all()
    assert np.sum(bodies, axis=0).max() == 1


def test_none_is_drawn_where_none_is_asked_for_or_there_is_no_room():
    assert draw(0) == []
    assert draw_distractors(2, U, V, HEART + 200, ROOM, np.random.default_rng(0)) == []


def test_it_looks_like_a_ventricle():
    contrast = draw_bssfp(np.random.default_rng(0))
    one = Distractor(u=20, v=-30, long=25, short=20, angle=0.5, wall=5, blood=0.9, crescent=0.0)
    image = one.paint(np.zeros(U.shape), U, V, contrast, 1.0)
    at = one.distance(U, V)
    assert image[np.argmin(np.abs(V[:, 0] + 30)), np.argmin(np.abs(U[0] - 20))] == pytest.approx(0.9)
    assert np.median(image[(at > 1) & (at < 4)]) == pytest.approx(contrast.muscle)
    assert (image[at < -5] == 0).all()
    assert (at > 0).sum() == pytest.approx(np.pi * 25 * 20, rel=0.02)
