"""Which model gets which slice; worked out by hand."""

import numpy as np
import pytest
from helpers.tiny_cascade import STACKS, certain

from inference_pipelines.region_choice import BLEND_THRESHOLD, StackRegions
from nnunet_cardiac_ext.data.whole_slices import UNKNOWN
from nnunet_cardiac_ext.errors import WorkError
from nnunet_cardiac_ext.region_order import RegionOrder
from nnunet_cardiac_ext.regions import Region

ORDER = RegionOrder.estimate([np.array(stack) for stack in STACKS])
NON_CARDIAC, BASE, MIDDLE, APEX = Region


def test_cropped_slices_are_non_cardiac_and_have_no_weights():
    known = StackRegions.of_stack(certain(1, 2, 3), first=2, slices=6)
    assert known.predicted.tolist() == [0, 0, 1, 2, 3, 0]
    assert known.used("predicted").tolist() == [0, 0, 1, 2, 3, 0]
    np.testing.assert_array_equal(known.weights("predicted"), np.eye(4)[[1, 2, 3]])
    np.testing.assert_array_equal(known.probabilities[0], [1, 0, 0, 0])


def test_the_order_of_a_heart_overrules_a_slice_that_stands_alone():
    known = StackRegions.of_stack(certain(0, 1, 2, 1, 2, 3, 0, certainty=0.6), first=0, slices=7, order=ORDER)
    assert known.used("predicted").tolist() == [0, 1, 2, 1, 2, 3, 0]
    assert known.used("ordered").tolist() == [0, 1, 2, 2, 2, 3, 0]
    assert known.weights("ordered")[3].tolist() == [0, 0, 1, 0]
    # Five cardiac slices: one at each end.
    assert known.used("extent").tolist() == [0, 1, 2, 2, 2, 3, 0]


def test_a_stack_of_one_slice_has_the_most_probable_region():
    known = StackRegions.of_stack(certain(3), first=0, slices=1, order=ORDER)
    for mode in ("predicted", "ordered"):
        assert known.used(mode).tolist() == [3]


def test_reference_regions_are_those_of_the_file_and_count_where_there_is_an_image():
    reference = np.array([1, 1, 2, UNKNOWN, 3])
    known = StackRegions.of_stack(certain(2, 2, 2, 2), first=1, slices=5, reference=reference)
    assert known.used("reference").tolist() == [0, 1, 2, 0, 3]
    rows = known.rows("a", None, np.arange(5), "reference")
    assert [row.region for row in rows] == [BASE, BASE, MIDDLE, None, APEX]
    assert [row.used for row in rows] == [NON_CARDIAC, BASE, MIDDLE, NON_CARDIAC, APEX]


def test_blending_weights_are_probabilities_without_the_negligible_ones():
    probabilities = np.array([[0.04, 0.16, 0.76, 0.04], [0.25, 0.25, 0.25, 0.25], [0.97, 0.01, 0.01, 0.01]])
    weights = StackRegions.of_stack(probabilities, first=0, slices=3).weights("blended")
    expected = [[0, 0.16 / 0.92, 0.76 / 0.92, 0], [0.25, 0.25, 0.25, 0.25], [1, 0, 0, 0]]
    np.testing.assert_allclose(weights, expected)
    assert weights[2].tolist() == [1, 0, 0, 0], "exactly: then the model's own logits are exported"
    assert 0.04 < BLEND_THRESHOLD < 0.16


def test_blended_slices_have_no_region_that_was_used():
    known = StackRegions.of_stack(certain(1, 2), first=0, slices=2, order=ORDER)
    assert known.used("blended") is None
    assert [row.used for row in known.rows("a", 3, np.arange(2), "blended")] == [None, None]


def test_rows_carry_the_numbers_of_the_file_in_their_order():
    known = StackRegions.of_stack(certain(1, 2, 3, certainty=0.7), first=1, slices=4, order=ORDER)
    rows = known.rows("a", 7, np.array([3, 2, 1, 0]), "predicted")
    assert [(row.case, row.frame, row.slice) for row in rows] == [("a", 7, number) for number in range(4)]
    assert [row.predicted for row in rows] == [APEX, MIDDLE, BASE, NON_CARDIAC]
    np.testing.assert_allclose(rows[1].probabilities, [0.1, 0.1, 0.7, 0.1])
    assert all(None not in (row.ordered, row.extent) and row.region is None for row in rows)


@pytest.mark.parametrize("mode", ["ordered", "extent", "reference"])
def test_regions_that_are_not_known_are_one_line(mode):
    known = StackRegions.of_stack(certain(1, 2), first=0, slices=2)
    with pytest.raises(WorkError, match=f"--regions {mode}: expected such regions"):
        known.weights(mode)
