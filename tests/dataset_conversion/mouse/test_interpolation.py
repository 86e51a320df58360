import numpy as np
import pytest

from dataset_conversion.mouse.interpolation import (
    interpolate_image,
    interpolate_mask,
    signed_distance,
    slice_positions,
)

PIXEL = (0.13, 0.13)


def discs(radii, size=61):
    rows, columns = np.mgrid[:size, :size] - size // 2
    return np.stack([(np.hypot(rows, columns) <= radius) for radius in radii])


def test_eight_slices_of_the_paper_become_36():
    positions = slice_positions(8, 0.8, 0.16)
    assert len(positions) == 36
    assert positions == pytest.approx(np.arange(36) / 5)


@pytest.mark.parametrize(
    ("slices", "spacing", "new", "count"),
    [(8, 1.0, 0.16, 44), (1, 0.8, 0.16, 1), (3, 0.8, 0.8, 3), (5, 0.8, 1.6, 3), (4, 1.0, 0.7, 5), (2, 0.3, 0.1, 4)],
)
def test_no_slice_lies_behind_the_last_one(slices, spacing, new, count):
    positions = slice_positions(slices, spacing, new)
    assert len(positions) == count
    assert positions[-1] <= slices - 1


def test_a_linear_ramp_stays_exact():
    rows, columns = np.mgrid[:3, :4]
    ramp = np.arange(8)[:, None, None] * 10.0 + rows + 0.5 * columns
    result = interpolate_image(ramp.astype(np.int16), slice_positions(8, 0.8, 0.16))
    expected = np.arange(36)[:, None, None] * 2.0 + ramp[0].astype(np.int16)
    assert result == pytest.approx(expected, abs=1e-5)
    assert result.dtype == np.float32


def test_met_slices_are_kept_as_they_are():
    image = np.random.default_rng(0).integers(0, 4000, (8, 5, 6), dtype=np.uint16)
    labels = discs([9, 8, 12, 7, 5, 3, 2, 1])
    positions = slice_positions(8, 0.8, 0.16)
    assert np.array_equal(interpolate_image(image, positions)[::5], image)
    assert np.array_equal(interpolate_mask(labels, positions, PIXEL)[::5], labels)


def test_the_radius_of_a_cone_changes_linearly():
    result = interpolate_mask(discs([25, 15, 5]), slice_positions(3, 0.8, 0.16), PIXEL)
    radii = np.sqrt(result.sum(axis=(1, 2)) / np.pi)
    assert radii == pytest.approx(np.linspace(25, 5, 11), abs=0.4)
    assert np.diff(radii) == pytest.approx(np.full(10, -2.0), abs=0.4)


def test_both_outlines_of_a_hollow_cone_change_linearly():
    wall = discs([24, 14]) & ~discs([14, 8])
    result = interpolate_mask(wall, slice_positions(2, 1.0, 0.25), PIXEL)
    expected = [np.pi * ((24 - 2.5 * k) ** 2 - (14 - 1.5 * k) ** 2) for k in range(5)]
    assert result.sum(axis=(1, 2)) == pytest.approx(expected, rel=0.04)


def test_distances_are_in_millimetres_of_rows_and_columns():
    mask = np.zeros((9, 9), dtype=bool)
    mask[4, 4] = True
    distance = signed_distance(mask, (0.3, 0.1))
    assert distance[4, 4] == pytest.approx(0.1 - 0.05)
    assert distance[4, 7] == pytest.approx(-(0.3 - 0.05))
    assert distance[6, 4] == pytest.approx(-(0.6 - 0.05))


def test_towards_an_empty_slice_a_shape_keeps_its_half_of_the_gap():
    labels = discs([0, 6, 6, 0])
    labels[[0, 3]] = False
    result = interpolate_mask(labels, slice_positions(4, 1.0, 0.2), PIXEL)
    filled = np.flatnonzero(result.any(axis=(1, 2)))
    assert filled.tolist() == list(range(3, 13))  # 0.6 to 2.4 slices
    assert result.sum() * 0.2 == labels.sum() * 1.0


def test_a_gap_in_the_middle_and_empty_stacks():
    labels = discs([4, 4, 4])
    labels[1] = False
    result = interpolate_mask(labels, slice_positions(3, 1.0, 0.2), PIXEL)
    assert result.any(axis=(1, 2)).tolist() == [True] * 3 + [False] * 5 + [True] * 3
    assert not interpolate_mask(labels & False, slice_positions(3, 1.0, 0.2), PIXEL).any()


def test_a_single_slice_stays_alone():
    labels = discs([4])
    positions = slice_positions(1, 0.8, 0.16)
    assert np.array_equal(interpolate_mask(labels, positions, PIXEL), labels)
    assert interpolate_image(labels, positions).shape == labels.shape


def test_a_wall_with_a_gap_stays_a_wall_on_its_way_to_a_ring():
    ring = discs([20]) & ~discs([14])
    crescent = ring.copy()
    crescent[:, :, 42:] = False
    result = interpolate_mask(np.concatenate([crescent, ring]), slice_positions(2, 1.0, 0.2), PIXEL)
    assert np.array_equal(result[[0, -1]], np.concatenate([crescent, ring]))
    assert not result[:, 22:39, 22:39].any()  # the cavity stays empty
    areas = result.sum(axis=(1, 2))
    assert (np.diff(areas) >= 0).all()


def test_a_wall_that_moves_by_more_than_its_thickness_does_not_tear():
    walls = np.concatenate([discs([22]) & ~discs([17]), discs([12]) & ~discs([7])])
    result = interpolate_mask(walls, slice_positions(2, 0.8, 0.16), PIXEL)
    thickness = result[:, 30, 30:].sum(axis=1)
    assert thickness.min() >= 4
    assert thickness.max() <= 6
