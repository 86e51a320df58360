import numpy as np
import pytest

from nnunet_cardiac_ext.evaluation.quality.stack import LabelStack
from nnunet_cardiac_ext.evaluation.quality.wall import bare_cavities, missing_right, open_rings, right_distances

CINE = {"RV": 1, "MYO": 2, "LV": 3}


def stack(slices=5, labels=CINE):
    """A cavity of 6 x 6 pixels in a wall of 10 x 10, a RV of 4 x 10 beside it; slices 1 to 3 are the middle."""
    array = np.zeros((slices, 30, 30), dtype=np.uint8)
    array[:, 10:20, 10:20] = 2
    array[:, 12:18, 12:18] = 3
    array[:, 10:20, 6:10] = 1
    return LabelStack(array, (10, 2, 1), labels)


def flagged(measure, heart):
    return {found.slice: found.value for found in measure(heart) if found.value}


def test_a_closed_ring_is_closed():
    assert not flagged(open_rings, stack())
    assert not flagged(bare_cavities, stack())


def test_a_gap_in_the_ring_is_measured_on_the_outline_of_the_cavity():
    heart = stack()
    heart.array[2, 12:15, 18:20] = 0
    heart.array[0, 12:15, 18:20] = 0
    # 3 of the 24 pixel faces around the cavity.
    assert flagged(open_rings, heart) == {2: pytest.approx(100 * 3 / 24)}
    assert flagged(bare_cavities, heart) == {0: pytest.approx(100 * 3 / 24)}


def test_the_rv_closes_no_ring():
    heart = stack()
    heart.array[2, 12:18, 10:12] = 1
    assert flagged(open_rings, heart) == {2: pytest.approx(100 * 6 / 24)}


def test_the_wall_of_a_mouse_heart_has_to_enclose_something():
    heart = stack(labels={"MYO": 2})
    heart.array[heart.array != 2] = 0
    heart.array[3, 14, 18:20] = 0
    assert flagged(open_rings, heart) == {3: 100}


def test_touching_is_one_pixel_and_a_gap_counts_in_the_coarser_direction():
    heart = stack()
    heart.array[2, :, 9] = 0
    heart.array[3, :, 7:10] = 0
    ways = flagged(right_distances, heart)
    # Columns are 1 mm, rows 2 mm: one column is half a pixel of the coarser side.
    assert ways == {0: 0.5, 1: 0.5, 2: 1.0, 3: 2.0, 4: 0.5}


def test_share_of_middle_slices_without_rv():
    heart = stack()
    heart.array[2:][heart.array[2:] == 1] = 0
    assert [found.value for found in missing_right(heart)] == [pytest.approx(100 * 2 / 3)]


def test_a_heart_without_any_rv_is_left_to_the_check_for_absence():
    heart = stack()
    heart.array[heart.array == 1] = 0
    assert not list(missing_right(heart))
    assert not list(right_distances(heart))
