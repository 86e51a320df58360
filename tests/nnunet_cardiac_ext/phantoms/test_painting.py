import numpy as np
import pytest

from nnunet_cardiac_ext.anatomy import CINE
from nnunet_cardiac_ext.phantoms.contrast import draw_bssfp
from nnunet_cardiac_ext.phantoms.groups import GROUPS, draw_shape
from nnunet_cardiac_ext.phantoms.heart import Heart
from nnunet_cardiac_ext.phantoms.painting import Plane, draw_details, label_plane, paint_heart

VOXEL = 1.5


@pytest.fixture
def heart():
    return Heart(draw_shape(GROUPS["NOR"], np.random.default_rng(3)), 0.0)


def plane_of(heart, z):
    y, x = np.meshgrid(*2 * [np.arange(-80, 80, VOXEL)], indexing="ij")
    return Plane.of(heart, x, y, z)


def painted(heart, plane, z, *, under=0.0, texture=0.0):
    rng = np.random.default_rng(5)
    contrast = draw_bssfp(rng)
    shape = plane.radius.shape
    image = paint_heart(
        heart, draw_details(rng), contrast, np.full(shape, under), plane, [z], np.full((4, *shape), texture)
    )  # fmt: skip
    return image, contrast


def test_a_table_by_angle_is_read_at_every_voxel(heart):
    plane = plane_of(heart, 30.0)
    angles = np.linspace(-np.pi, np.pi, 181)
    expected = np.cos(np.arctan2(plane.q, plane.p))
    np.testing.assert_allclose(plane.around(np.cos(angles)), expected, atol=1e-3)


def test_labels_are_the_shapes_at_the_voxel_centres(heart):
    z = heart.base + 0.4 * heart.length
    plane = plane_of(heart, z)
    labels = label_plane(heart, plane, z)
    angle = np.arctan2(plane.q, plane.p).ravel()
    inner, outer = (edge(angle, z).reshape(labels.shape) for edge in (heart.endocardium, heart.epicardium))
    clear = (np.abs(plane.radius - inner) > 0.1) & (np.abs(plane.radius - outer) > 0.1)
    np.testing.assert_array_equal((labels == CINE.values["LV"])[clear], (plane.radius < inner)[clear])
    wall = (plane.radius >= inner) & (plane.radius < outer)
    np.testing.assert_array_equal((labels == CINE.values["MYO"])[clear], wall[clear])
    assert (labels == CINE.values["RV"]).any()


def test_above_the_valve_plane_nothing_is_labelled_but_the_atrium_is_bright(heart):
    z = heart.base - 5.0
    plane = plane_of(heart, z)
    assert not np.isin(label_plane(heart, plane, z), [CINE.values["LV"], CINE.values["MYO"]]).any()
    image, contrast = painted(heart, plane, z)
    assert image[plane.radius < 5].min() > 0.9 > contrast.muscle


def test_below_the_apex_nothing_is_labelled_and_the_surroundings_stay(heart):
    z = heart.lowest + 20.0
    plane = plane_of(heart, z)
    assert not label_plane(heart, plane, z).any()
    np.testing.assert_array_equal(painted(heart, plane, z, under=0.25)[0][plane.radius > 25], 0.25)


def test_muscle_is_painted_where_it_is_labelled(heart):
    z = heart.base + 0.4 * heart.length
    plane = plane_of(heart, z)
    image, contrast = painted(heart, plane, z)
    labels = label_plane(heart, plane, z)
    assert np.median(image[labels == CINE.values["MYO"]]) == pytest.approx(contrast.muscle, rel=0.05)
    assert np.median(image[labels == CINE.values["LV"]]) > 1.3 * contrast.muscle


def test_trabeculae_and_fat_are_periodic_in_the_angle():
    details = draw_details(np.random.default_rng(0))
    np.testing.assert_allclose(details.trabeculae[:, 0], details.trabeculae[:, -1])
    assert details.fat[0] == pytest.approx(details.fat[-1])
    assert 0 <= details.fat.min() <= details.fat.max() <= 12


def test_below_the_apex_there_is_no_heart(heart):
    z = heart.lowest + 1.0
    image, _ = painted(heart, plane_of(heart, z), z, under=0.3)
    np.testing.assert_array_equal(image, 0.3)
