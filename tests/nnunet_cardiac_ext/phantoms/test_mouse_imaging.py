from dataclasses import replace

import numpy as np
import pytest

from nnunet_cardiac_ext.phantoms.heart import Heart, Scar
from nnunet_cardiac_ext.phantoms.mouse_animals import draw_animal, shape_at
from nnunet_cardiac_ext.phantoms.mouse_imaging import Flow, SignalLoss, ghosted
from nnunet_cardiac_ext.phantoms.painting import Plane


@pytest.fixture(scope="module")
def heart():
    return Heart(shape_at(draw_animal("control", np.random.default_rng(2)), "pre", np.random.default_rng(3)), 0.0)


def plane_of(heart, z):
    y, x = np.meshgrid(*2 * [np.arange(-50, 50, 1.0)], indexing="ij")
    return Plane.of(heart, x, y, z)


def test_signal_is_lost_in_the_outer_wall_of_the_lobe_only(heart):
    z = 0.5 * heart.length
    plane = plane_of(heart, z)
    loss = SignalLoss(((np.pi, 0.8, 0.6, 0.9),), apical=0.0, edge=0.5)
    kept = loss.kept(heart, plane, z)
    angle = np.arctan2(plane.q, plane.p)
    inner, outer = (edge(angle.ravel(), z).reshape(angle.shape) for edge in (heart.endocardium, heart.epicardium))
    depth = (plane.radius - inner) / (outer - inner)
    lateral = np.abs(angle) > np.pi - 0.3
    assert kept[lateral & (depth > 0.75) & (depth < 1)].max() < 0.2
    assert kept[lateral & (depth < 0.1)].min() > 0.9
    assert kept[(np.abs(angle) < 1.5)].min() > 0.99


def test_beyond_the_heart_nothing_is_lost(heart):
    loss = SignalLoss(((np.pi, 0.8, 0.6, 0.9),), apical=0.0, edge=0.5)
    for z in (heart.base - 3, heart.lowest + 3):
        assert loss.kept(heart, plane_of(heart, z), z) == 1.0


FLOW = Flow(gain=(0.2, 0.1), lag=(0.25, 0.5), jet=0.8, ejection=0.0, at=(0.0, 0.0), stasis=0.5)


def test_blood_is_brightest_at_its_lag():
    assert FLOW.gains(0.25)[0] == pytest.approx(1.2)
    assert FLOW.gains(0.75)[0] == pytest.approx(0.8)
    assert FLOW.gains(0.5)[1] == pytest.approx(1.1)


def test_inflow_darkens_the_middle_of_the_base_in_early_diastole(heart):
    plane = plane_of(heart, 2.0)
    middle = plane.radius < 3
    assert FLOW.left(heart, plane, 2.0, 0.5)[middle].mean() < 0.5 * FLOW.left(heart, plane, 2.0, 0.0)[middle].mean()


def test_blood_over_an_infarct_is_darker_towards_the_apex(heart):
    scar = Scar(angle=2.2, width=1.2, level=0.75, extent=0.5, thinning=0.6, akinesia=1.0)
    infarct = Heart(replace(heart.shape, scar=scar), 0.0)
    z = 0.9 * heart.length
    plane = plane_of(heart, z)
    ratio = FLOW.left(infarct, plane, z, 0.0) / FLOW.left(heart, plane, z, 0.0)
    np.testing.assert_allclose(ratio, 1 - 0.5 * 0.6 * 0.81)


def test_ghosts_lie_along_the_rows_and_leave_the_rest():
    signal = np.zeros((1, 64, 64))
    signal[0, 30:34, 20:24] = 1.0
    added = ghosted(signal, 0.1, 15) - signal
    rows, columns = np.nonzero(np.abs(added[0]) > 0.01)
    assert set(columns) == {20, 21, 22, 23}
    assert {round((row - 31.5) / 15) for row in rows} == {-2, -1, 1, 2}
    np.testing.assert_array_equal(ghosted(signal, 0.0, 15), signal)
