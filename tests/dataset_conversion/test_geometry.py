import numpy as np
import pytest

from dataset_conversion.geometry import Geometry, format_spacing, geometry_of, nearest_orthonormal, slice_axis


def test_spacing_comes_from_pixdim_whatever_the_affine_says():
    geometry = geometry_of(np.array([1.25, 1.5, 10.0]), np.diag([-1.0, -1.0, 1.0, 1.0]))
    assert geometry.spacing == (10.0, 1.5, 1.25)
    assert np.allclose(geometry.affine, np.diag([-1.25, -1.5, 10.0, 1.0]))
    assert geometry.notes == ("affine says 1x1x1 mm, pixdim 1.25x1.5x10 mm: pixdim is used",)


def test_a_consistent_affine_is_kept_without_a_note():
    affine = np.array([[0, 0, 8, 5], [-1.25, 0, 0, 6], [0, -1.5, 0, 7], [0, 0, 0, 1.0]])
    geometry = geometry_of(np.array([1.25, 1.5, 8.0]), affine)
    assert np.allclose(geometry.affine, affine)
    assert geometry.notes == ()


def test_shear_is_repaired_and_reported():
    affine = np.eye(4)
    affine[1, 2] = np.tan(np.radians(6))
    geometry = geometry_of(np.array([1.0, 1.0, 1.0 / np.cos(np.radians(6))]), affine)
    assert geometry.notes == ("axes 6.00 degrees off right angles, repaired to the nearest orthonormal ones",)
    assert np.allclose(geometry.axes.T @ geometry.axes, np.eye(3))
    # The nearest right angle takes half of the shear from each of the two axes.
    assert geometry.axes[1, 2] == pytest.approx(np.sin(np.radians(3)))
    assert geometry.axes[2, 1] == pytest.approx(-np.sin(np.radians(3)))


def test_left_handed_axes_stay_left_handed():
    axes, shear = nearest_orthonormal(np.diag([-1.0, 1.0, 1.0]))
    assert np.linalg.det(axes) == pytest.approx(-1)
    assert shear == 0


def test_rounding_to_float32_is_no_shear():
    rotation = np.linalg.qr(np.random.default_rng(0).normal(size=(3, 3)))[0]
    affine = np.eye(4)
    affine[:3, :3] = rotation.astype(np.float32)
    assert geometry_of(np.ones(3), affine).notes == ()


@pytest.mark.parametrize("spacing", [(1, 0, 1), (1, -1, 1), (1, np.nan, 1), (np.inf, 1, 1)])
def test_spacing_that_is_no_length_is_refused(spacing):
    with pytest.raises(ValueError, match="expected a positive spacing"):
        geometry_of(np.array(spacing), np.eye(4))


@pytest.mark.parametrize(
    ("axes", "message"),
    [(np.diag([1.0, 0, 1]), "length 0"), (np.full((3, 3), np.nan), "NaN"), (np.ones((3, 3)), "in one plane")],
)
def test_an_affine_without_three_axes_is_refused(axes, message):
    affine = np.eye(4)
    affine[:3, :3] = axes
    with pytest.raises(ValueError, match=message):
        geometry_of(np.ones(3), affine)


def test_spacing_as_text():
    assert format_spacing((1.5625, 1.5625, 10.0)) == "1.5625x1.5625x10"


@pytest.mark.parametrize(
    ("shape", "spacing", "axis"),
    [
        ((256, 216, 10), (1.4, 1.4, 10.0), 2),
        ((10, 256, 216), (10.0, 1.4, 1.4), 0),
        ((256, 10, 216), (1.4, 8.0, 1.4), 1),
        ((256, 256, 1), (1.7, 1.7, 1.0), 2),  # a long-axis image: thinner than its pixels are wide
        ((1, 256, 256), (1.7, 1.7, 1.7), 0),
        ((256, 1, 256), (8.0, 1.7, 1.7), 1),
        ((256, 256, 36), (0.13, 0.13, 0.16), 2),  # near isotropic
        ((36, 256, 256), (0.16, 0.13, 0.13), 2),
        ((248, 258, 7), (1.1, 1.6, 13.0), 2),  # pixels that are not square
        ((1, 1, 5), (1.0, 1.0, 9.0), 2),
    ],
)
def test_slice_axis_goes_by_geometry(shape, spacing, axis):
    assert slice_axis(shape, spacing) == axis


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_every_voxel_keeps_its_place_when_the_slice_axis_moves(axis):
    rotation = np.linalg.qr(np.random.default_rng(2).normal(size=(3, 3)))[0]
    geometry = Geometry((8.0, 1.5, 1.25), rotation, np.array([3.0, -40.0, 12.5]))
    moved = geometry.with_slices_along(axis)
    index = np.array([5, 7, 2])  # column, row, slice as the file has them
    reordered = [value for other, value in enumerate(index) if other != axis] + [index[axis]]
    before = geometry.affine @ [*index, 1]
    assert np.allclose(moved.affine @ [*reordered, 1], before)
    assert moved.spacing[0] == geometry.spacing[::-1][axis]
    assert bool(moved.notes) == (axis != 2)
