import numpy as np
import pytest
from helpers.label_stacks import SPACING, heart

from nnunet_cardiac_ext.evaluation.inputs import Volume
from nnunet_cardiac_ext.evaluation.overlays import MOST_SLICES, slice_views

LABELS = {"RV": 1, "MYO": 2, "LV": 3}


def bounds(path):
    points = np.array([part.split() for part in path.strip("MZ").split("L")], dtype=float)
    return points.min(axis=0), points.max(axis=0)


def test_slices_run_from_base_to_apex_and_keep_their_numbers():
    labels = heart()[::-1]
    views = slice_views(None, labels, labels, spacing=SPACING, labels=LABELS)
    assert [view.number for view in views] == [6, 5, 4, 3, 2, 1]
    assert [view.region for view in views] == ["base", "middle", "middle", "middle", "middle", "apex"]


def test_contours_enclose_the_voxels_of_the_mask():
    labels = np.zeros((1, 30, 30), dtype=np.uint8)
    labels[0, 10:14, 5:12] = 3
    (view,) = slice_views(None, labels, labels, spacing=(10, 5, 5), labels=LABELS)
    low, high = bounds(view.contours[0].path)
    crop_row, crop_column = 10 - 5, 0  # 25 mm margin are five voxels; five columns are all there are
    np.testing.assert_allclose(low, [5 - crop_column, 10 - crop_row])
    np.testing.assert_allclose(high, [12 - crop_column, 14 - crop_row])


def test_long_stacks_are_thinned_out_but_keep_base_and_apex():
    labels = np.repeat(heart(), 20, axis=0)
    numbers = [view.number for view in slice_views(None, labels, labels, spacing=SPACING, labels=LABELS)]
    assert len(numbers) == MOST_SLICES
    assert (numbers[0], numbers[-1]) == (1, 120)
    assert set(np.diff(numbers)) == {3, 4}


def test_aspect_is_that_of_the_body_not_of_the_voxels():
    (view, *_) = slice_views(None, heart(), heart(), spacing=SPACING, labels=LABELS)
    assert view.aspect == pytest.approx(view.width * 1.0 / (view.height * 2.0))


def test_dice_below_a_slice_is_nan_where_both_are_empty():
    labels = heart()
    labels[5] = 0
    *_, last = slice_views(None, labels, labels, spacing=SPACING, labels=LABELS)
    assert last.region == "no reference"
    assert np.isnan(list(last.dice.values())).all()
    assert last.contours == []


def test_constant_image_and_empty_labels_are_drawn():
    empty = np.zeros((2, 8, 8), dtype=np.uint8)
    views = slice_views(Volume(empty, SPACING), empty, empty, spacing=SPACING, labels=LABELS)
    assert len(views) == 2
    assert all(view.picture.startswith("data:image/png;base64,") for view in views)
