import numpy as np
import pytest
from helpers.mouse_files import circle
from matplotlib.path import Path

from dataset_conversion.mouse.contours import area, coverage


def sampled_coverage(rows, columns, shape, samples=40):
    """Share of a grid of test points in each voxel that matplotlib finds inside."""
    offsets = (np.arange(samples) + 0.5) / samples - 0.5
    y = (np.arange(shape[0])[:, None] + offsets).ravel()
    x = (np.arange(shape[1])[:, None] + offsets).ravel()
    points = np.stack(np.meshgrid(y, x, indexing="ij"), axis=-1).reshape(-1, 2)
    inside = Path(np.stack([rows, columns], axis=1)).contains_points(points)
    return inside.reshape(shape[0], samples, shape[1], samples).mean(axis=(1, 3))


def test_a_square_between_voxel_centres_covers_quarters_at_its_corners():
    covered = coverage(np.array([1.0, 1.0, 3.0, 3.0]), np.array([1.0, 2.0, 2.0, 1.0]), (5, 4))
    expected = np.zeros((5, 4))
    expected[1:4, 1:3] = [[0.25, 0.25], [0.5, 0.5], [0.25, 0.25]]
    assert covered == pytest.approx(expected, abs=1e-12)


def test_rows_and_columns_are_not_mixed_up():
    covered = coverage(np.array([0.5, 0.5, 1.5, 1.5]), np.array([0.5, 4.5, 4.5, 0.5]), (3, 6))
    assert np.argwhere(covered == 1).tolist() == [[1, 1], [1, 2], [1, 3], [1, 4]]


@pytest.mark.parametrize("radius", [2.0, 5.3, 20.0, 30.7])
@pytest.mark.parametrize("centre", [(34.0, 35.0), (33.6, 34.2)])
def test_areas_of_circles(radius, centre):
    assert coverage(*circle(radius, centre), (70, 70)).sum() == pytest.approx(np.pi * radius**2, rel=1e-9)


@pytest.mark.parametrize("radius", [15.0, 21.3, 30.7])
def test_areas_of_discs_and_rings_after_the_decision_of_half_a_voxel(radius):
    centres = np.random.default_rng(0).uniform(35, 36, size=(20, 2))
    outer = np.stack([coverage(*circle(radius, centre), (72, 72)) for centre in centres])
    inner = np.stack([coverage(*circle(radius - 7.5, centre), (72, 72)) for centre in centres])
    discs, rings = (outer > 0.5).sum(axis=(1, 2)), (outer - inner > 0.5).sum(axis=(1, 2))
    disc, ring = np.pi * radius**2, np.pi * (radius**2 - (radius - 7.5) ** 2)
    # A single outline of few voxels is off by rounding; there is no bias.
    assert discs == pytest.approx(np.full(20, disc), rel=0.005 if radius > 30 else 0.01)
    assert discs.mean() == pytest.approx(disc, rel=0.002)
    assert rings.mean() == pytest.approx(ring, rel=0.002)


@pytest.mark.parametrize("seed", range(4))
def test_shares_of_star_shaped_outlines_equal_those_of_test_points(seed):
    generator = np.random.default_rng(seed)
    angles = np.sort(generator.uniform(0, 2 * np.pi, 25))
    lengths = generator.uniform(1.5, 5.5, 25)
    rows, columns = 6.1 + lengths * np.cos(angles), 5.8 + lengths * np.sin(angles)
    assert coverage(rows, columns, (13, 12)) == pytest.approx(sampled_coverage(rows, columns, (13, 12)), abs=0.03)
    assert coverage(rows, columns, (13, 12)).sum() == pytest.approx(area(rows, columns), rel=1e-9)


def test_direction_and_a_repeated_first_point_make_no_difference():
    rows, columns = circle(4.2, (8.0, 9.0))
    assert np.array_equal(rows[[0]], rows[[0]])
    once = coverage(rows[:-1], columns[:-1], (18, 18))
    assert coverage(rows, columns, (18, 18)) == pytest.approx(once, abs=1e-12)
    assert coverage(rows[::-1], columns[::-1], (18, 18)) == pytest.approx(once, abs=1e-12)


def test_the_border_of_the_image_is_inside_and_beyond_it_is_not():
    whole = np.array([-0.5, -0.5, 2.5, 2.5]), np.array([-0.5, 3.5, 3.5, -0.5])
    assert coverage(*whole, (3, 4)) == pytest.approx(np.ones((3, 4)))
    with pytest.raises(ValueError, match=r"expected contours inside the image, column -0.5 to 2.5, got -0.5 to 3.5"):
        coverage(*whole, (3, 3))


def test_area_of_a_triangle():
    assert area(np.array([0.0, 0.0, 3.0]), np.array([0.0, 4.0, 0.0])) == pytest.approx(6.0)
