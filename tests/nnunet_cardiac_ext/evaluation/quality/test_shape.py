import numpy as np
import pytest

from nnunet_cardiac_ext.evaluation.quality.shape import (
    border_contacts,
    fragments,
    gaps,
    holes,
    islands,
    slice_counts,
    voxel_counts,
)
from nnunet_cardiac_ext.evaluation.quality.stack import LabelStack

CINE = {"RV": 1, "MYO": 2, "LV": 3}


def stack(slices=5, labels=CINE):
    """A cavity of 6 x 6 pixels in a wall of 10 x 10, a RV of 4 x 10 beside it."""
    array = np.zeros((slices, 30, 30), dtype=np.uint8)
    array[:, 10:20, 10:20] = 2
    array[:, 12:18, 12:18] = 3
    array[:, 10:20, 6:10] = 1
    return LabelStack(array, (10, 1, 1), labels)


def values(measure, array_stack):
    return [(pytest.approx(found.value), found.slice) for found in measure(array_stack)]


@pytest.mark.parametrize("measure", [gaps, islands, fragments, holes, border_contacts])
def test_a_whole_heart_has_none(measure):
    assert list(measure(stack())) == []


def test_counts():
    assert [found.value for found in voxel_counts(stack())] == [5 * 40, 5 * 64, 5 * 36]
    assert [found.value for found in slice_counts(stack())] == [5]


def test_scar_may_be_absent():
    found = voxel_counts(LabelStack(stack().array, (10, 1, 1), CINE | {"INFARCT": 4, "NOREFLOW": 5}))
    assert len(list(found)) == 3


def test_a_gap_is_named_with_its_length():
    heart = stack(7)
    heart.array[2:4][heart.array[2:4] == 1] = 0
    (found,) = gaps(heart)
    assert (found.value, found.slice) == (2, 2)
    assert found.what == "RV missing between slices 1 and 4, first"
    assert not list(islands(heart))


def test_an_island_counts_in_space_and_in_its_slice():
    heart = stack()
    heart.array[2, 1:5, 1:6] = 1
    assert values(islands, heart) == [(100 * 20 / 220, 2)]
    assert values(fragments, heart) == [(100 * 20 / 60, 2)]


def test_pieces_that_touch_at_a_corner_are_one():
    heart = stack()
    heart.array[2, 20, 5] = 1
    heart.array[2, 21, 4] = 1
    assert list(fragments(heart)) == []


def test_a_slice_moved_off_the_rest_is_an_island_but_no_fragment():
    heart = stack()
    heart.array[4] = 0
    heart.array[4, 22:26, 22:28] = 3
    assert values(islands, heart) == [(100 * 24 / 424, 4), (100 * 24 / 168, 4)]
    assert list(fragments(heart)) == []


@pytest.mark.parametrize("labels", [CINE, {"MYO": 2}], ids=["cine", "mouse"])
def test_the_apical_cap_inside_the_ring_above_is_no_island(labels):
    heart = stack(labels=labels)
    heart.array[~np.isin(heart.array, list(labels.values()))] = 0
    heart.array[4] = 0
    heart.array[4, 14:16, 14:16] = 2
    assert list(islands(heart)) == []


def test_a_hole_of_the_cavity_whatever_fills_it():
    for label in (0, 2):
        heart = stack()
        heart.array[1, 14:16, 14:16] = label
        assert values(holes, heart) == [(100 * 4 / 36, 1)]


def test_a_hole_between_cavity_and_wall():
    heart = stack()
    heart.array[1, 12:18, 12] = 0
    assert values(holes, heart) == [(100 * 6 / 100, 1)]


def test_the_cavity_of_a_mouse_heart_is_no_hole():
    heart = stack(labels={"MYO": 2})
    heart.array[heart.array != 2] = 0
    assert list(holes(heart)) == []


def test_pixels_on_the_edge_are_counted():
    heart = stack()
    heart.array[3, 10:20, 0:6] = 1
    assert values(border_contacts, heart) == [(10, 3)]
