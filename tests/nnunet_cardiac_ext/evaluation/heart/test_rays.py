import numpy as np
import pytest
from helpers.ring_hearts import LABELS, LGE_LABELS, polar, ring

from nnunet_cardiac_ext.evaluation.heart.masks import heart_masks
from nnunet_cardiac_ext.evaluation.heart.rays import ANGLES, cast_rays


def rays_of(plane, spacing=(8.0, 1.0, 1.0), labels=LABELS):
    return cast_rays(heart_masks(plane[None], spacing, labels), 0)


@pytest.mark.parametrize(("inner", "outer"), [(20.0, 28.0), (25.0, 31.5), (12.0, 18.0)])
def test_concentric_circles_at_any_place_of_the_grid(inner, outer):
    errors = []
    for centre in ((0.0, 0.0), (0.3, -0.4), (0.5, 0.5), (-0.2, 0.1)):
        thickness = rays_of(ring(inner, outer, centre=centre)).thickness
        assert np.abs(thickness - (outer - inner)).max() < 1.5  # a voxel and a half at the worst ray
        errors.append(thickness.mean() - (outer - inner))
    # At whole radii a disc of voxels is larger or smaller than its circle.
    assert np.abs(errors).max() < 0.25
    assert abs(np.mean(errors)) < 0.05


def test_concentric_ellipses_ray_by_ray():
    angle = np.rad2deg(ANGLES)

    def ellipse(half_columns, half_rows):
        return lambda a: 1 / np.hypot(np.cos(np.deg2rad(a)) / half_columns, np.sin(np.deg2rad(a)) / half_rows)

    plane = ring(ellipse(24, 18), ellipse(34, 26))
    expected = ellipse(34, 26)(angle) - ellipse(24, 18)(angle)
    found = rays_of(plane).thickness
    assert np.abs(found - expected).max() < 1.5
    assert found.mean() == pytest.approx(expected.mean(), abs=0.1)
    sectors = (found.reshape(12, 15).mean(axis=1), expected.reshape(12, 15).mean(axis=1))
    assert np.abs(np.subtract(*sectors)).max() < 0.4


def test_pixels_that_are_no_squares():
    thickness = rays_of(ring(20, 28, spacing=(1.0, 1.7)), (8.0, 1.0, 1.7)).thickness
    assert thickness.mean() == pytest.approx(8, abs=0.1)


def test_off_centre_epicardium():
    cavity = ring(15, 15.01) == 3
    plane = np.where(cavity, 3, 2 * (ring(26, 26.01, centre=(0.0, -4.0)) == 3)).astype(np.uint8)
    expected = 4 * np.cos(ANGLES) + np.sqrt(26**2 - (4 * np.sin(ANGLES)) ** 2) - 15
    assert np.abs(rays_of(plane).thickness - expected).max() < 1.5
    assert rays_of(plane).thickness.mean() == pytest.approx(expected.mean(), abs=0.1)


def test_papillary_muscle_and_stray_voxels_are_no_wall():
    plane = ring(20, 28)
    alone = rays_of(plane).thickness
    plane[48, 40:43] = 2
    plane[48, 4:7] = 2
    # The centre moves a little: the cavity has lost three voxels.
    assert rays_of(plane).thickness == pytest.approx(alone, abs=0.05)


def test_rays_through_a_gap_have_no_thickness():
    plane = ring(20, 28)
    angle = polar(plane.shape, (1, 1))[1]
    plane[(plane == 2) & (angle < 60)] = 0
    found = np.isnan(rays_of(plane).thickness)
    assert found[:28].all()
    assert not found[32:178].any()


def test_share_of_an_infarct_from_the_inside():
    radius = polar((96, 96), (1, 1))[0]
    plane = np.select([radius < 20, radius < 25, radius < 30], [1, 3, 2], 0).astype(np.uint8)
    found = rays_of(plane, labels=LGE_LABELS)
    assert found.infarcted.mean() == pytest.approx(0.5, abs=0.02)
    assert found.thickness.mean() == pytest.approx(10, abs=0.1)


def test_no_reflow_counts_as_infarct_and_a_transmural_one_fills_the_wall():
    radius = polar((96, 96), (1, 1))[0]
    plane = np.select([radius < 20, radius < 24, radius < 28], [1, 4, 3], 0).astype(np.uint8)
    assert rays_of(plane, labels=LGE_LABELS).infarcted == pytest.approx(1)


def test_without_an_infarct_label_the_share_is_unknown():
    assert np.isnan(rays_of(ring(20, 28)).infarcted).all()


def test_rv_touches_the_rays_towards_it():
    plane = ring(20, 28)
    radius, angle = polar(plane.shape, (1, 1))
    plane[(radius >= 28) & (radius < 36) & (angle > 60) & (angle < 120)] = 1
    contact = rays_of(plane).contact
    degrees = np.rad2deg(ANGLES)
    assert contact[(degrees > 63) & (degrees < 117)].all()
    assert not contact[(degrees < 57) | (degrees > 123)].any()


def test_a_ray_that_starts_inside_the_wall_measures_from_its_start():
    plane = np.zeros((61, 61), dtype=np.uint8)
    plane[20:41, 20:41] = 2
    plane[30, [10, 50]] = 3  # the centroid of the two lies in the middle of the square
    assert rays_of(plane).thickness.min() == pytest.approx(10.5, abs=0.02)


@pytest.mark.parametrize(("kept", "reason"), [(2, "no cavity"), (3, "no wall")])
def test_slices_without_cavity_or_wall_say_so(kept, reason):
    plane = ring(20, 28)
    found = rays_of(np.where(plane == kept, plane, 0))
    assert found.reason == reason
    assert np.isnan(found.thickness).all()
