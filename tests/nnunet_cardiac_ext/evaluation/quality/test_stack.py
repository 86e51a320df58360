import numpy as np
import pytest
from helpers.drawn_hearts import cine_stack, lge_stack, mouse_stack

from nnunet_cardiac_ext.evaluation.quality.stack import MARGIN, LabelStack


def test_the_window_holds_all_labels_and_all_slices_with_an_empty_margin():
    stack = cine_stack()
    assert np.bincount(stack.window.ravel())[1:].tolist() == np.bincount(stack.array.ravel())[1:].tolist()
    assert len(stack.window) == len(stack.array)
    inner = stack.window[:, MARGIN:-MARGIN, MARGIN:-MARGIN]
    assert inner.sum() == stack.window.sum()
    assert all(inner.any(axis=axis).all() for axis in ((0, 1), (0, 2)))


def test_scar_belongs_to_the_myocardium():
    stack = lge_stack()
    assert set(stack.bodies) == {"LV", "MYO"}
    assert stack.body("MYO").sum() == np.isin(stack.array, (2, 3, 4)).sum()
    assert stack.scar().sum() == np.isin(stack.array, (3, 4)).sum()


def test_areas_and_centres_are_in_millimetres():
    array = np.zeros((2, 6, 8), dtype=np.uint8)
    array[0, 1:3, 2:5] = 3
    stack = LabelStack(array, (10, 2, 0.5), {"LV": 3})
    mask = stack.body("LV")
    assert stack.areas(mask).tolist() == [6, 0]
    centre = stack.centre(mask[0])
    # In the window the structure begins at the margin.
    assert centre == pytest.approx([(MARGIN + 0.5) * 2, (MARGIN + 1) * 0.5])
    assert np.isnan(stack.centre(mask[1])).all()
    assert stack.voxel_ml == 0.01


def test_middle_slices_are_the_inner_three_fifths():
    assert cine_stack(slices=10).middle.tolist() == [2, 3, 4, 5, 6, 7]


def test_absent_structures_and_empty_images_have_empty_masks():
    assert not mouse_stack().body("RV").any()
    empty = LabelStack(np.zeros((3, 5, 5), dtype=np.uint8), (1, 1, 1), {"LV": 3})
    assert not empty.window.any()
    assert empty.cues is None
    assert len(empty.segmented) == len(empty.middle) == 0


def test_the_base_end_is_seen():
    assert sum(cine_stack().cues) > 0.3
