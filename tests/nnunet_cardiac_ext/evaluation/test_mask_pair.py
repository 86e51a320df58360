import numpy as np
import pytest

from nnunet_cardiac_ext.evaluation.mask_pair import MaskPair

SPACING = (10.0, 2.0, 1.0)


def mask(*voxels, shape=(3, 5, 6)):
    array = np.zeros(shape, dtype=bool)
    for voxel in voxels:
        array[voxel] = True
    return array


ROW = mask((1, 2, 1), (1, 2, 2), (1, 2, 3))
MOVED = mask((1, 2, 2), (1, 2, 3), (1, 2, 4))
FULL = np.ones((3, 5, 6), dtype=bool)


@pytest.mark.parametrize(
    ("reference", "prediction", "reason"),
    [
        (ROW, ROW, ""),
        (mask(), ROW, "absent in reference"),
        (ROW, mask(), "absent in prediction"),
        (mask(), mask(), "absent in reference and prediction"),
        (FULL, ROW, "no voxel outside in reference"),
        (FULL, FULL, "no voxel outside in reference and prediction"),
    ],
)
def test_reason_says_which_mask_is_empty_or_full(reference, prediction, reason):
    assert MaskPair(reference, prediction, SPACING).reason_undefined == reason


def test_counts_by_hand():
    pair = MaskPair(ROW, MOVED, SPACING)
    assert (pair.reference_count, pair.predicted_count, pair.common_count) == (3, 3, 2)
    assert pair.background_count == 3 * 5 * 6 - 4
    assert pair.voxel_volume == 20


def test_masks_cut_from_an_image_count_its_background():
    box = np.s_[:, 2:3, 1:5]
    cut = MaskPair(ROW[box], MOVED[box], SPACING, image_voxels=90)
    whole = MaskPair(ROW, MOVED, SPACING)
    assert cut.background_count == whole.background_count
    np.testing.assert_array_equal(cut.distances.from_reference, whole.distances.from_reference)


def test_distances_of_slices_leave_the_other_slices_out_of_sight():
    reference, prediction = mask((0, 1, 1), (1, 2, 2)), mask((0, 1, 1), (1, 4, 2), (2, 0, 0))
    first, second, third = MaskPair(reference, prediction, SPACING).slice_distances
    assert (first.maximum(), second.maximum()) == (0, 4)
    assert np.isnan(third.maximum())
