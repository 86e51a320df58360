import numpy as np
import pytest

from nnunet_cardiac_ext.evaluation.quality.scar import no_reflow_outside, no_reflow_uncovered, scar_outside, scar_shares
from nnunet_cardiac_ext.evaluation.quality.stack import LabelStack

LGE = {"LV": 1, "MYO": 2, "INFARCT": 3, "NOREFLOW": 4}


def stack():
    """A cavity of 6 x 6 in a wall of 14 x 14 with an infarct of 4 x 6 in it, and 2 x 2 no-reflow at the cavity."""
    array = np.zeros((1, 30, 30), dtype=np.uint8)
    array[0, 8:22, 8:22] = 2
    array[0, 12:18, 12:18] = 1
    array[0, 12:18, 18:22] = 3
    array[0, 14:16, 18:20] = 4
    return LabelStack(array, (8, 1, 1), LGE)


def values(measure, heart):
    return [(found.value, found.slice) for found in measure(heart) if found.value]


def test_scar_in_its_place_is_silent():
    for measure in (scar_outside, no_reflow_outside, no_reflow_uncovered):
        assert not values(measure, stack())


def test_scar_outside_the_wall_and_in_the_cavity():
    heart = stack()
    heart.array[0, 2:4, 2:5] = 3
    heart.array[0, 14, 14] = 3
    assert values(scar_outside, heart) == [(6 + 1, 0)]


def test_scar_that_fills_the_whole_ring_has_nothing_to_touch():
    heart = stack()
    heart.array[heart.array == 2] = 3
    assert not values(scar_outside, heart)


def test_no_reflow_without_infarct():
    heart = stack()
    heart.array[0, 14:16, 9:11] = 4
    assert values(no_reflow_outside, heart) == [(4, 0)]


def test_no_reflow_that_reaches_healthy_muscle():
    heart = stack()
    heart.array[0, 12:14, 18:20] = 2
    # 2 of the 8 pixels around the no-reflow.
    assert values(no_reflow_uncovered, heart) == [(pytest.approx(25), 0)]


def test_share_of_the_myocardium():
    assert values(scar_shares, stack()) == [(pytest.approx(100 * 24 / (14 * 14 - 36)), None)]


def test_labels_without_scar_have_nothing_to_say():
    heart = LabelStack(stack().array.clip(0, 2), (8, 1, 1), {"LV": 1, "MYO": 2})
    for measure in (scar_outside, no_reflow_outside, no_reflow_uncovered, scar_shares):
        assert not list(measure(heart))
