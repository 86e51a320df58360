from dataclasses import replace

import numpy as np
import pytest

from nnunet_cardiac_ext.anatomy import CINE
from nnunet_cardiac_ext.phantoms.groups import GROUPS, draw_shape
from nnunet_cardiac_ext.phantoms.heart import Heart
from nnunet_cardiac_ext.phantoms.long_axis import LongAxis, Section, label_long_axis, section_areas
from nnunet_cardiac_ext.phantoms.painting import Plane, label_plane

RV, MYO, LV = (CINE.values[name] for name in ("RV", "MYO", "LV"))


@pytest.fixture(scope="module", params=["NOR", "MINF", "RV"])
def shape(request):
    return draw_shape(GROUPS[request.param], np.random.default_rng(5))


def plane_through(shape, *, voxel=1.0, angle=-0.2, turn=0.8, size=280):
    return LongAxis(angle, 0.4 * shape.length, (size, size), voxel, (size / 2, size / 2), turn, 0.0)


@pytest.mark.parametrize("phase", [0, 1])
def test_pixels_agree_with_the_true_areas(shape, phase):
    heart, plane = Heart(shape, phase), plane_through(shape)
    labels, areas = label_long_axis(heart, plane), section_areas(heart, plane)
    for value, area in ((LV, areas.lv), (RV, areas.rv), (MYO, areas.myocardium)):
        assert (labels == value).sum() == pytest.approx(area, rel=0.01, abs=15)


def test_true_areas_do_not_depend_on_the_step(shape):
    heart, plane = Heart(shape, 0.5), plane_through(shape)
    coarse, fine = section_areas(heart, plane, step=0.4), section_areas(heart, plane, step=0.15)
    for name in ("lv", "rv", "myocardium"):
        assert getattr(coarse, name) == pytest.approx(getattr(fine, name), rel=5e-3)


def test_a_smooth_upright_left_ventricle_has_the_area_of_a_truncated_ellipse(shape):
    smooth = replace(shape, ripple=(), waves=(), scar=None, tilt=(0.0, 0.0))
    # The chord at relative depth t has the half width radius * sqrt(1 - t^2), t from -equator / (1 - equator) to 1.
    start, semi_axis = -smooth.equator / (1 - smooth.equator), (1 - smooth.equator) * smooth.length
    integral = np.pi / 4 - (start * np.sqrt(1 - start**2) + np.arcsin(start)) / 2
    areas = section_areas(Heart(smooth, 0), plane_through(smooth))
    assert areas.lv == pytest.approx(2 * smooth.radius * semi_axis * integral, rel=1e-3)


def test_the_plane_holds_the_axis_and_its_frame_is_orthonormal(shape):
    heart, plane = Heart(shape, 0), plane_through(shape)
    directions = plane.directions(heart)
    assert directions.T @ directions == pytest.approx(np.eye(3), abs=1e-12)
    x, y, z = plane.points(heart, np.zeros(5), np.linspace(-40, 60, 5))
    for position in zip(x, y, z, strict=True):
        # On the plane, hence at right angles to its normal as seen from the axis.
        from_axis = np.subtract(position, (*heart.centre(position[2]), position[2]))
        assert from_axis @ directions[:, 2] == pytest.approx(0, abs=1e-9)


def test_voxels_lie_where_the_directions_say(shape):
    heart, plane = Heart(shape, 0), plane_through(shape, voxel=1.5)
    points = np.array(plane.points(heart, *plane.in_plane(*plane.positions())))
    directions = plane.directions(heart) * 1.5
    assert points[:, 0, 1] - points[:, 0, 0] == pytest.approx(directions[:, 0])
    assert points[:, 1, 0] - points[:, 0, 0] == pytest.approx(directions[:, 1])


def test_long_and_short_axis_agree_where_they_cross(shape):
    heart, plane = Heart(shape, 0), plane_through(shape)
    depth = 0.4 * shape.length
    b = np.zeros(400) + 0.0
    a = np.linspace(-60, 90, 400)
    x, y, z = plane.points(heart, a, b)
    assert z == pytest.approx(depth)
    long = Section.of(heart, plane, a, b).labels()
    step = np.array([[0.0, 1.0]])
    short = [
        label_plane(heart, Plane.of(heart, xi + step, yi + 0 * step, depth), depth)[0, 0]
        for xi, yi in zip(x, y, strict=True)
    ]
    assert (long == short).mean() > 0.99  # the short axis interpolates its outlines between angles


def test_the_right_ventricle_lies_left_of_the_apex_and_the_apex_where_it_is_turned_to(shape):
    plane = plane_through(shape, turn=np.radians(60))
    labels = label_long_axis(Heart(shape, 0), plane)
    middle = {value: np.argwhere(labels == value).mean(0) for value in (RV, LV)}
    assert middle[RV][1] < middle[LV][1]
    rows, columns = np.nonzero(labels == MYO)
    x, y = columns - plane.origin[1], plane.origin[0] - rows
    along = x * np.cos(plane.turn) + y * np.sin(plane.turn)
    across = np.abs(y * np.cos(plane.turn) - x * np.sin(plane.turn))
    assert along.max() > 0.5 * shape.length
    assert across[along > along.max() - 2].max() < 15


def test_the_mitral_plane_descends(shape):
    plane = plane_through(shape, turn=0.0)
    first = [np.flatnonzero((label_long_axis(Heart(shape, phase), plane) == LV).any(0))[0] for phase in (0, 1)]
    assert first[1] - first[0] == pytest.approx(shape.shortening, abs=2)


def test_oversampled_points_lie_evenly_in_their_voxel():
    plane = LongAxis(0, 0, (2, 3), 2.0, (0.0, 1.0), 0, 0)
    x, y = plane.positions()
    fine_x, fine_y = plane.positions(2)
    assert x[0].tolist() == [-2, 0, 2]
    assert fine_x.shape == (4, 6)
    assert fine_x[0].tolist() == [-2.5, -1.5, -0.5, 0.5, 1.5, 2.5]
    assert fine_y.reshape(2, 2, 3, 2).mean((1, 3)) == pytest.approx(y)
