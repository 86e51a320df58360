import re

import numpy as np
import pytest
from helpers.label_stacks import SPACING, heart

from nnunet_cardiac_ext.evaluation.inputs import Volume
from nnunet_cardiac_ext.evaluation.reporting.overlays import LONGEST_SIDE, MOST_RINGS, MOST_SLICES, outline, slice_views

LABELS = {"RV": 1, "MYO": 2, "LV": 3}


def rings(path):
    """The corners of each ring of a path in pixels."""
    for ring in path.strip("Mz").split("zM"):
        start, moves = ring.split("l")
        steps = np.array(re.findall(r"-?\d+", moves), dtype=int).reshape(-1, 2)
        corner = np.array(start.split(), dtype=int)
        yield (corner + np.concatenate([[[0, 0]], np.cumsum(steps, axis=0)])) / 2


def bounds(path):
    points = np.concatenate(list(rings(path)))
    return points.min(axis=0), points.max(axis=0)


def area(path):
    """Area within the rings of a path, holes counted as such, by the shoelace formula."""
    return abs(sum(np.sum(x * np.roll(y, -1) - y * np.roll(x, -1)) / 2 for x, y in (ring.T for ring in rings(path))))


def test_slices_run_from_base_to_apex_and_keep_their_numbers():
    labels = heart()[::-1]
    views = slice_views(None, labels, labels, spacing=SPACING, labels=LABELS)
    assert [view.number for view in views] == [5, 4, 3, 2, 1, 0]
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
    assert (numbers[0], numbers[-1]) == (0, 119)
    assert set(np.diff(numbers)) == {3, 4}


def test_aspect_is_that_of_the_body_not_of_the_voxels():
    (view, *_) = slice_views(None, heart(), heart(), spacing=SPACING, labels=LABELS)
    assert view.aspect == pytest.approx(view.width * 1.0 / (view.height * 2.0))


def test_dice_below_a_slice_is_nan_where_both_are_empty():
    labels = heart()
    labels[5] = 0
    *_, last = slice_views(None, labels, labels, spacing=SPACING, labels=LABELS)
    assert last.region == "outside"
    assert np.isnan(list(last.dice.values())).all()
    assert last.contours == []


def test_constant_image_and_empty_labels_are_drawn():
    empty = np.zeros((2, 8, 8), dtype=np.uint8)
    views = slice_views(Volume(empty, SPACING), empty, empty, spacing=SPACING, labels=LABELS)
    assert len(views) == 2
    assert all(view.picture.startswith("data:image/webp;base64,") for view in views)


def test_outline_encloses_the_voxels_but_for_the_corners_that_it_cuts():
    mask = np.zeros((20, 20), dtype=bool)
    mask[3:13, 4:17] = True
    mask[6:9, 7:12] = False
    # Half by half a pixel is cut off at each of the four corners, outside from the mask and inside from the hole.
    assert area(outline(mask)) == pytest.approx(mask.sum() - 4 / 8 + 4 / 8)
    mask[6:9, 7:12] = True
    assert area(outline(mask)) == pytest.approx(mask.sum() - 4 / 8)
    assert outline(np.zeros((3, 3), dtype=bool)) == ""


def test_of_noise_only_the_largest_pieces_are_drawn():
    mask = np.zeros((160, 160), dtype=bool)
    mask[::2, ::2] = True
    mask[50:60, 50:60] = True
    found = list(rings(outline(mask)))
    assert len(found) == MOST_RINGS
    assert np.ptp(found[0], axis=0).min() > 8


def test_without_a_reference_the_prediction_alone_is_drawn():
    views = slice_views(None, None, heart()[::-1], spacing=SPACING, labels=LABELS)
    assert [view.region for view in views][:2] == ["base", "middle"]
    assert not any(contour.is_reference for view in views for contour in view.contours)
    assert all(view.dice == {} for view in views)


def test_large_images_are_thinned_out_together_with_their_contours():
    labels = np.kron(heart(), np.ones((1, 20, 20), dtype=np.uint8))
    view, *_ = slice_views(None, labels, labels, spacing=(10, 1, 1), labels=LABELS)
    assert max(view.width, view.height) <= LONGEST_SIDE
    for contour in view.contours:
        low, high = bounds(contour.path)
        assert (low >= -0.5).all()
        assert (high <= [view.width + 0.5, view.height + 0.5]).all()


def test_weight_of_a_long_stack_of_noise_is_bounded():
    image = np.random.default_rng(0).random((2 * MOST_SLICES, LONGEST_SIDE, LONGEST_SIDE))
    labels = np.kron(heart(slices=2 * MOST_SLICES), np.ones((1, 6, 6), dtype=np.uint8))
    views = slice_views(Volume(image[:, :144, :144], SPACING), labels, labels, spacing=SPACING, labels=LABELS)
    assert len(views) == MOST_SLICES
    assert sum(len(view.picture) + sum(len(c.path) for c in view.contours) for view in views) < 1_000_000


def test_thirds_are_the_regions_where_the_evaluation_took_them():
    views = slice_views(None, heart(), heart(), spacing=SPACING, labels=LABELS, scheme="thirds")
    assert [view.region for view in views] == ["base"] * 2 + ["middle"] * 2 + ["apex"] * 2
