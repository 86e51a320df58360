import numpy as np
import pytest

from nnunet_cardiac_ext.anatomy import CINE
from nnunet_cardiac_ext.phantoms.mouse_scan import SPACING, draw_scan, label_scan, paint_scan


@pytest.fixture(scope="module")
def scan():
    return draw_scan(0, 1, "day7", frames=6, matrix=112)


@pytest.fixture(scope="module")
def image(scan):
    return paint_scan(scan, [0, scan.systole])


def test_image_and_labels_have_the_same_shape(scan, image):
    assert image.shape == (2, len(scan.stack.depths), 112, 112)
    assert image.dtype == np.int16
    labels = label_scan(scan, 0)
    assert (labels.shape, labels.dtype) == (image.shape[1:], np.uint8)
    assert set(np.unique(labels)) == {0, CINE.values["MYO"], CINE.values["LV"]}


def test_blood_is_brighter_than_muscle_and_muscle_than_lung(scan, image):
    labels = label_scan(scan, 0)
    blood, muscle = (np.median(image[0][labels == CINE.values[name]]) for name in ("LV", "MYO"))
    assert blood > 1.4 * muscle
    assert np.percentile(image[0], 5) < 0.6 * muscle


def test_stacks_have_8_to_11_slices_unless_told():
    counts = [len(draw_scan(1, n, "day56", frames=4, matrix=96).stack.depths) for n in range(1, 9)]
    assert all(8 <= count <= 11 for count in counts)
    assert len(draw_scan(1, 1, "pre", frames=4, matrix=96, slices=5).stack.depths) == 5


def test_drawn_voxels_are_ten_times_the_true_ones(scan):
    assert (scan.stack.spacing, scan.stack.voxel) == pytest.approx((10 * SPACING[0], 10 * SPACING[1]))


def test_some_animals_have_the_apex_first_in_all_their_scans():
    orders = {n: {draw_scan(3, n, day, frames=4, matrix=96).apex_first for day in ("pre", "day56")} for n in (1, 2, 3)}
    assert all(len(found) == 1 for found in orders.values())
    assert {True, False} == set.union(*orders.values())
    for number, found in orders.items():
        labels = label_scan(draw_scan(3, number, "pre", frames=4, matrix=96), 0)
        areas = (labels > 0).sum((1, 2))
        filled = areas[areas > 0]
        assert (filled[:2].sum() < filled[-2:].sum()) == found.pop()


def test_a_frame_does_not_depend_on_the_others(scan, image):
    np.testing.assert_array_equal(paint_scan(scan, [scan.systole])[0], image[1])


def test_noise_differs_from_frame_to_frame(image):
    air = image[:, :, :6, :6].astype(float)
    assert abs(np.corrcoef(air[0].ravel(), air[1].ravel())[0, 1]) < 0.15
