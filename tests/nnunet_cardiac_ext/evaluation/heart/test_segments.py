import math

import numpy as np
import pytest
from helpers.ring_hearts import LABELS, LGE_LABELS, polar, ring, ring_heart

from nnunet_cardiac_ext.evaluation.heart.masks import heart_masks
from nnunet_cardiac_ext.evaluation.heart.orientation import handedness
from nnunet_cardiac_ext.evaluation.heart.segments import (
    CaseName,
    sector_means,
    segment_rows,
    slice_rows,
    thinnest_slice,
    with_thickening,
)
from nnunet_cardiac_ext.evaluation.heart.wall import measure_wall

NAME = CaseName("p1", "p1_ed", "ED")


def wall_of(stack, labels=LABELS, spacing=(8.0, 1.0, 1.0)):
    return measure_wall(heart_masks(stack, spacing, labels), handedness(None))


def lines(stack, labels=LABELS):
    return segment_rows(NAME, wall_of(stack, labels))


def scarred_stack(share, *, half_width=30, slices=6):
    """LGE labels of a ring whose wall is infarcted over `share` of its thickness from the inside, left of the image."""
    radius, angle = polar((96, 96), (1, 1))
    inside = np.abs((angle + 180) % 360 - 180) < half_width
    planes = []
    for k in range(slices):
        inner = 22 - k
        plane = np.select([radius < inner, radius < inner + 10], [1, 2], 0)
        planes.append(np.where((plane == 2) & inside & (radius < inner + 10 * share), 3, plane))
    return np.stack(planes).astype(np.uint8)


def test_an_even_wall_has_one_thickness_everywhere():
    rows = lines(ring_heart(wall=8.0))
    assert [row.part for row in rows] == ["segment"] * 16 + ["ring"] * 3 + ["heart"]
    assert [row.segment for row in rows[:16]] == [str(number) for number in range(1, 17)]
    assert [row.thickness_mm for row in rows] == pytest.approx([8.0] * 20, abs=0.35)
    assert rows[-1].thickness_mm == pytest.approx(8.0, abs=0.1)
    assert rows[-1].rays == 9 * 180
    assert all(row.thickening_percent is None and row.reason == "" for row in rows)


def test_thickening_by_hand():
    diastole, systole = lines(ring_heart(wall=8.0)), lines(ring_heart(wall=12.0))
    found = with_thickening(systole, diastole)
    assert found[-1].thickening_percent == pytest.approx(50, abs=1.5)
    assert found[3].thickening_percent == pytest.approx(
        100 * (systole[3].thickness_mm / diastole[3].thickness_mm - 1), rel=1e-9
    )


def test_sectors_of_the_image_do_not_thicken_but_rings_do():
    diastole, systole = lines(ring_heart(wall=8.0, rv=False)), lines(ring_heart(wall=12.0, rv=False))
    found = with_thickening(systole, diastole)
    assert math.isnan(found[0].thickening_percent)
    assert "sector of the image" in found[0].reason
    assert found[-1].thickening_percent == pytest.approx(50, abs=1.5)


def test_without_rv_sectors_have_no_number_and_follow_the_image():
    rows = lines(ring_heart(rv=False))
    assert {row.segment for row in rows} == {""}
    assert rows[0].name == "basal, image 0 to 60 degrees"
    assert {row.septum_from for row in rows} == {"image"}


def test_a_segment_without_wall_says_why():
    stack = ring_heart(slices=2)  # base and apex: no slice in the middle
    row = lines(stack)[6]
    assert math.isnan(row.thickness_mm)
    assert row.reason == "no slice with cavity and wall in this ring"
    found = with_thickening(lines(ring_heart()), lines(stack))[6]
    assert math.isnan(found.thickening_percent)
    assert found.reason.startswith("at ED: no slice")


def test_transmurality_of_a_half_wall_infarct():
    rows = {row.name: row for row in lines(scarred_stack(0.5), LGE_LABELS)}
    septal = rows["apical, image 315 to 45 degrees"]  # the infarct covers 60 of its 90 degrees
    assert septal.transmurality_mean_percent == pytest.approx(50 * 60 / 90, abs=3)
    assert septal.transmurality_max_percent == pytest.approx(50, abs=10)
    assert septal.infarct_extent_percent == pytest.approx(100 * 60 / 90, abs=4)
    assert rows["whole wall"].transmurality_mean_percent == pytest.approx(50 / 6, abs=0.7)
    lateral = rows["apical, image 135 to 225 degrees"]
    assert lateral.transmurality_max_percent == 0


def test_a_transmural_infarct_reaches_the_whole_extent():
    rows = lines(scarred_stack(1.0), LGE_LABELS)
    assert rows[-1].transmurality_max_percent == pytest.approx(100)
    assert rows[-1].transmurality_mean_percent == pytest.approx(100 / 6, abs=1)


def test_thinning_of_a_slice_in_closed_form():
    # 10 mm, and 4 mm over 90 degrees: mean (270 x 10 + 90 x 4) / 360 = 8.5, thinnest 4.
    plane = ring(20, lambda angle: np.where((angle >= 90) & (angle < 180), 24.0, 30.0))
    stack = np.stack([plane, ring(18, 28), ring(16, 26)])
    masks = heart_masks(stack, (1.0, 1.0, 1.0), LABELS)
    areas = masks.cavity.sum(axis=(1, 2)), masks.wall.sum(axis=(1, 2))
    found = slice_rows(NAME, wall_of(stack), *areas)
    assert found[0].thickness_mm == pytest.approx(8.5, abs=0.15)
    assert found[0].thinnest_sector_mm == pytest.approx(4, abs=0.4)
    assert found[0].thinning_ratio == pytest.approx(4 / 8.5, abs=0.05)
    assert found[1].thinning_ratio > 0.93
    assert [row.ring for row in found] == ["basal", "mid", "apical"]
    assert found[1].wall_area_mm2 == pytest.approx(np.pi * (28**2 - 18**2), rel=0.01)
    assert thinnest_slice(found).slice == 0


def test_a_thinned_part_of_30_degrees_is_a_sector_of_its_own():
    plane = ring(20, lambda angle: np.where((angle >= 90) & (angle < 120), 24.0, 30.0))
    stack = np.stack([plane] * 3)
    found = slice_rows(NAME, wall_of(stack), np.zeros(3), np.zeros(3))
    assert found[0].thinnest_sector_mm == pytest.approx(4, abs=1)


def test_slices_without_cavity_say_so():
    stack = ring_heart(slices=6)
    stack[-1][stack[-1] == 3] = 2
    found = slice_rows(NAME, wall_of(stack), np.zeros(6), np.zeros(6))
    assert found[-1].reason == "no cavity"
    assert math.isnan(found[-1].thickness_mm)
    assert thinnest_slice(found[-1:]) is None


def test_sector_means_by_hand():
    angles = np.deg2rad([10, 50, 100, 359.999999])
    found = sector_means(angles, np.array([1.0, 3.0, np.nan, 7.0]), 4)
    assert found[[0, 3]] == pytest.approx([2, 7])
    assert np.isnan(found[1:3]).all()
