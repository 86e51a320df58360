from dataclasses import replace

import numpy as np
import pytest

from nnunet_cardiac_ext.phantoms.groups import GROUPS, draw_shape
from nnunet_cardiac_ext.phantoms.heart import Heart
from nnunet_cardiac_ext.phantoms.long_axis import LongAxis, Section
from nnunet_cardiac_ext.phantoms.long_axis_atria import Atrium, draw_atria, valve_chords

ATRIUM = Atrium(
    middle=5.0, width=20.0, back=-45.0, length=50.0, lean=0.0, power=2.0, tent=6.0, leaflet=2.0, seen=0.5
)  # fmt: skip


def test_it_fills_when_the_valve_descends_and_its_back_stays():
    a, z = np.meshgrid(np.arange(-40, 50, 0.5), np.arange(-60, 20, 0.5))
    diastole, systole = (ATRIUM.inside(a, z, valve, phase) for valve, phase in ((0.0, 0), (10.0, 1)))
    assert systole.sum() > 1.2 * diastole.sum()
    assert z[diastole].min() == z[systole].min() == -44.5
    assert z[diastole].max() < 0
    assert z[systole].max() < 10
    assert a[systole].mean() == pytest.approx(5, abs=0.3)


def test_leaflets_hang_from_the_ends_of_the_chord_into_the_ventricle():
    a = np.array([-19.9, 5.0, 5.0, 29.9, 31.0])
    z = np.array([0.0, 6.0, 0.0, 0.0, 0.0])
    distance = ATRIUM.leaflets(a, z, 0.0, (-20.0, 30.0))
    assert (distance > 0).tolist() == [True, True, False, True, False]
    assert distance[1] == pytest.approx(1.0)


def test_drawn_atria_lie_behind_their_ventricles():
    shape = draw_shape(GROUPS["NOR"], np.random.default_rng(2))
    heart = Heart(shape, 0)
    plane = LongAxis(-0.2, 0.4 * shape.length, (9, 9), 1.0, (4, 4), 0.8, 0.0)
    atria = draw_atria(heart, plane, np.random.default_rng(0))
    assert atria.left.back < -20
    assert atria.right.middle > atria.left.middle + 15
    larger = draw_atria(heart, plane, np.random.default_rng(0), enlarged=1.3)
    assert larger.right.width == pytest.approx(1.3 * atria.right.width)
    assert larger.left == atria.left


def test_chords_are_as_wide_as_the_cavities_at_their_valves():
    shape = replace(draw_shape(GROUPS["NOR"], np.random.default_rng(2)), waves=())
    heart = Heart(shape, 0)
    plane = LongAxis(0.0, 0.4 * shape.length, (9, 9), 1.0, (4, 4), 0.8, 0.0)
    grid = np.meshgrid(np.arange(-90, 91, 0.5), np.arange(-90, 30, 0.5))
    mitral, tricuspid = valve_chords(Section.of(heart, plane, *grid), grid[0], heart)
    radius = heart.endocardium(np.array([0, np.pi]), 2.5)
    assert np.ptp(mitral) == pytest.approx(radius.sum(), abs=1)
    assert tricuspid[0] > mitral[1]


def test_a_plane_beside_the_right_ventricle_still_has_two_chords():
    shape = draw_shape(GROUPS["NOR"], np.random.default_rng(2))
    heart = Heart(shape, 0)
    plane = LongAxis(np.pi / 2 + 0.3, 0.4 * shape.length, (9, 9), 1.0, (4, 4), 0.8, 0.0)
    grid = np.meshgrid(np.arange(-90, 91, 1.0), np.arange(-90, 30, 1.0))
    section = Section.of(heart, plane, *grid)
    section.right[:] = -1.0
    mitral, tricuspid = valve_chords(section, grid[0], heart)
    assert tricuspid == (mitral[1] + 10, mitral[1] + 40)
