import numpy as np
from helpers.ring_hearts import LABELS, LGE_LABELS, ring, ring_heart

from nnunet_cardiac_ext.evaluation.heart.masks import heart_masks
from nnunet_cardiac_ext.regions import Region


def test_a_cavity_without_label_is_what_the_wall_encloses():
    plane = ring(10, 14)
    masks = heart_masks((plane == 2).astype(np.uint8)[None], (1.0, 1.0, 1.0), {"MYO": 1})
    assert (masks.cavity[0] == (plane == 3)).all()
    assert masks.right is None
    assert masks.infarct is None


def test_infarct_and_no_reflow_are_wall_and_no_reflow_is_infarct():
    array = np.array([[[0, 1, 2, 3, 4]]])
    masks = heart_masks(array, (1.0, 1.0, 1.0), LGE_LABELS)
    assert masks.wall.ravel().tolist() == [False, False, True, True, True]
    assert masks.infarct.ravel().tolist() == [False, False, False, True, True]
    assert masks.cavity.ravel().tolist() == [False, True, False, False, False]


def test_rings_are_thirds_of_the_left_ventricle_from_the_base():
    stack = np.pad(ring_heart(slices=9), ((1, 2), (0, 0), (0, 0)))
    expected = [0, 1, 1, 1, 2, 2, 2, 3, 3, 3, 0, 0]
    assert heart_masks(stack, (8.0, 1.0, 1.0), LABELS).regions.tolist() == expected
    assert heart_masks(stack[::-1], (8.0, 1.0, 1.0), LABELS).regions.tolist() == expected[::-1]


def test_what_the_case_table_says_of_the_base_counts():
    regions = heart_masks(ring_heart(slices=3), (8.0, 1.0, 1.0), LABELS, base_first=False).regions
    assert regions.tolist() == [Region.APEX, Region.MIDDLE, Region.BASE]


def test_slices_of_the_rv_alone_belong_to_no_ring():
    stack = ring_heart(slices=6)
    stack[0][stack[0] > 1] = 0
    assert heart_masks(stack, (8.0, 1.0, 1.0), LABELS).regions[0] == Region.NON_CARDIAC


def test_nothing_segmented():
    masks = heart_masks(np.zeros((3, 4, 4), dtype=np.uint8), (1.0, 1.0, 1.0), LABELS)
    assert not masks.wall.any()
    assert (masks.regions == Region.NON_CARDIAC).all()
