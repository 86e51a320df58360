from dataclasses import replace

import numpy as np
import pytest
from helpers.drawn_hearts import cine_stack

from nnunet_cardiac_ext.evaluation.quality.neighbours import (
    end_areas,
    left_area_jumps,
    right_area_jumps,
    slice_shifts,
    tapering,
    wrong_ends,
)
from nnunet_cardiac_ext.evaluation.quality.stack import LabelStack


def boxes(widths, label=3):
    """A stack of boxes 10 rows high, as wide as given."""
    array = np.zeros((len(widths), 20, 40), dtype=np.uint8)
    for k, width in enumerate(widths):
        array[k, 5:15, 5 : 5 + width] = label
    return LabelStack(array, (10, 1, 2), {"RV": 1, "MYO": 2, "LV": 3})


def test_area_against_the_mean_of_both_neighbours():
    found = {m.slice: m.value for m in left_area_jumps(boxes([20, 20, 10, 16, 16]))}
    assert found == pytest.approx({1: 100 * 5 / 20, 2: 100 * 8 / 18, 3: 100 * 3 / 16})


def test_area_of_the_rv_is_measured_alike():
    assert [m.value for m in right_area_jumps(boxes([20, 20, 10, 16, 16], label=1))] == pytest.approx(
        [m.value for m in left_area_jumps(boxes([20, 20, 10, 16, 16]))]
    )


def test_no_area_jump_beside_a_gap():
    assert not [m for m in left_area_jumps(boxes([20, 20, 0, 20, 20])) if m.value < 100 or m.slice == 2]


def test_a_moved_slice_is_its_way_off_the_line():
    stack = boxes([10] * 5)
    stack.array[2] = np.roll(stack.array[2], 4, axis=1)
    found = {m.slice: m.value for m in slice_shifts(stack)}
    diameter = 2 * np.sqrt(10 * 10 * 2 / np.pi)
    assert found == pytest.approx({1: 100 * 4 / diameter, 2: 100 * 8 / diameter, 3: 100 * 4 / diameter})


def test_a_slanted_heart_is_not_moved():
    stack = boxes([10] * 5)
    for k in range(5):
        stack.array[k] = np.roll(stack.array[k], 2 * k, axis=1)
    assert [m.value for m in slice_shifts(stack)] == pytest.approx([0, 0, 0], abs=1e-9)


def test_smaller_end_in_percent_of_the_largest_area():
    assert [m.value for m in end_areas(boxes([16, 20, 20, 5]))] == [25]
    assert not list(end_areas(boxes([16])))


def test_taper_and_direction_of_a_drawn_heart():
    stack = cine_stack()
    total = sum(stack.cues)
    assert [m.value for m in tapering(stack)] == [pytest.approx(total)]
    assert [m.value for m in wrong_ends(stack)] == [pytest.approx(-total)]
    flipped = replace(stack, array=stack.array[::-1])
    assert [m.value for m in wrong_ends(flipped)] == [pytest.approx(total)]
    assert [m.value for m in wrong_ends(replace(flipped, base_first=False))] == [pytest.approx(-total)]
    assert not list(wrong_ends(replace(stack, base_first=None)))
