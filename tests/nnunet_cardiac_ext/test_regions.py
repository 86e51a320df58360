"""Base end, region split and slice weights, against hand-counted tables, closed forms and real stacks."""

import numpy as np
import pytest
import SimpleITK

from nnunet_cardiac_ext.anatomy import CINE, LGE, MOUSE
from nnunet_cardiac_ext.regions import (
    REGION_NAMES,
    Region,
    assign_regions,
    base_end_cues,
    base_is_first,
    quadratic_slice_weights,
)

RV, MYO, LV = CINE.values["RV"], CINE.values["MYO"], CINE.values["LV"]


def stack_of(profile):
    """One slice per number: a bar of that many LV voxels; 0 gives an empty slice."""
    labels = np.zeros((len(profile), 3, 40), dtype=np.uint8)
    for index, length in enumerate(profile):
        labels[index, 1, :length] = LV
    return labels


def heart(left=(10, 9, 8, 6, 3), right=(9, 8, 6, 3, 0), distance=(16, 15, 13, 11, 0)):
    """A stack from base to apex: squares of half widths `left`, and beside them squares `right` at `distance`."""
    labels = np.zeros((len(left), 64, 64), dtype=np.uint8)
    for index, (outer, side, offset) in enumerate(zip(left, right, distance, strict=True)):
        top, first = 32 - side // 2, 30 - offset - side // 2
        labels[index, top : top + side, first : first + side] = RV
        labels[index, 32 - outer : 32 + outer, 32 - outer : 32 + outer] = MYO
        labels[index, 34 - outer : 30 + outer, 34 - outer : 30 + outer] = LV
    return labels


def test_each_region_has_its_name_in_their_order():
    assert list(REGION_NAMES) == list(Region) == [0, 1, 2, 3]
    assert list(REGION_NAMES.values()) == ["non-cardiac", "base", "middle", "apex"]


# Segmented slices, slices at each end: n * 0.2 and n / 3 rounded to the nearest, counted by hand, at least one.
AT_EACH_END = {
    "20/60/20": {2: 1, 3: 1, 4: 1, 5: 1, 6: 1, 7: 1, 8: 2, 10: 2, 12: 2, 13: 3, 15: 3},
    "thirds": {2: 1, 3: 1, 4: 1, 5: 2, 6: 2, 7: 2, 8: 3, 9: 3, 10: 3, 11: 4},
}


@pytest.mark.parametrize(
    ("scheme", "count", "ends"), [(scheme, n, ends) for scheme, row in AT_EACH_END.items() for n, ends in row.items()]
)
def test_split_of_the_segmented_slices(scheme, count, ends):
    regions = assign_regions(stack_of(range(count + 5, 5, -1)), scheme)
    assert regions.tolist() == [Region.BASE] * ends + [Region.MIDDLE] * (count - 2 * ends) + [Region.APEX] * ends


@pytest.mark.parametrize("scheme", ["20/60/20", "thirds"])
@pytest.mark.parametrize("count", range(3, 40))
def test_a_slice_belongs_to_the_region_that_holds_its_centre(scheme, count):
    share = {"20/60/20": 1 / 5, "thirds": 1 / 3}[scheme]
    centres = (np.arange(count) + 0.5) / count
    expected = np.select([centres < share, centres > 1 - share], [Region.BASE, Region.APEX], Region.MIDDLE)
    assert np.array_equal(assign_regions(stack_of([7] * count), scheme, base_first=True), expected)


def test_empty_slices_are_non_cardiac_also_between_segmented_ones():
    regions = assign_regions(stack_of([0, 0, 9, 8, 0, 6, 4, 0]))
    assert regions.tolist() == [0, 0, 1, 2, 0, 2, 3, 0]


def test_regions_follow_the_given_end_whatever_the_labels_say():
    labels = stack_of([9, 8, 7, 6, 5])
    assert assign_regions(labels).tolist() == [1, 2, 2, 2, 3]
    assert assign_regions(labels, base_first=False).tolist() == [3, 2, 2, 2, 1]
    assert assign_regions(labels[::-1]).tolist() == [3, 2, 2, 2, 1]


def test_one_segmented_slice_is_middle_and_two_are_base_and_apex():
    assert assign_regions(stack_of([0, 5, 0])).tolist() == [0, 2, 0]
    assert assign_regions(stack_of([0, 5, 9])).tolist() == [0, 3, 1]


def test_an_empty_stack_is_all_non_cardiac():
    assert assign_regions(stack_of([0, 0, 0])).tolist() == [0, 0, 0]
    assert assign_regions(np.zeros((0, 4, 4), dtype=int)).tolist() == []


def test_ignored_voxels_of_preprocessed_labels_are_background():
    labels = stack_of([0, 9, 6, 3, 0]).astype(np.int16)
    labels[labels == 0] = -1
    assert assign_regions(labels).tolist() == [0, 1, 2, 3, 0]


def test_wrong_scheme_and_wrong_shape_are_told():
    with pytest.raises(ValueError, match=r"20/60/20, thirds, got 'halves'"):
        assign_regions(stack_of([3, 2]), "halves")
    with pytest.raises(ValueError, match=r"\(slice, row, column\), got shape \(4, 4\)"):
        assign_regions(np.zeros((4, 4), dtype=int))


@pytest.mark.parametrize("profile", [[0, 0], [0, 5, 0], []])
def test_fewer_than_two_segmented_slices_have_no_base_end(profile):
    with pytest.raises(ValueError, match="at least two segmented slices"):
        base_is_first(stack_of(profile))


def test_flipping_the_stack_flips_the_answer_and_moves_in_the_plane_do_not():
    labels = heart()
    assert base_is_first(labels)
    for moved in (labels[:, ::-1], labels[:, :, ::-1], labels.transpose(0, 2, 1), np.rot90(labels, axes=(1, 2))):
        assert base_is_first(moved)
        assert not base_is_first(moved[::-1])
        assert base_end_cues(moved) == pytest.approx(base_end_cues(labels))
        assert tuple(base_end_cues(moved[::-1])) == tuple(-cue for cue in base_end_cues(moved))


def test_empty_slices_around_the_heart_change_nothing():
    labels = heart()
    padded = np.concatenate([np.zeros_like(labels[:3]), labels, np.zeros_like(labels[:1])])
    assert base_end_cues(padded) == base_end_cues(labels)


def test_cues_are_centres_of_mass_counted_by_hand():
    labels = stack_of([4, 2])
    # Positions +1 and -1: (4 - 2) / (4 + 2).
    assert base_end_cues(labels) == pytest.approx((1 / 3, 0, 0))
    labels[0, 0, 10:13], labels[1, 0, 10:12] = RV, RV
    # Centroids: LV columns 1.5 and 0.5, RV columns 11 and 10.5, one row apart.
    far, near = np.hypot(9.5, 1), np.hypot(10, 1)
    assert base_end_cues(labels) == pytest.approx((1 / 3, 1 / 5, (far - near) / (far + near)))


def test_a_basal_slice_without_rv_does_not_mislead():
    labels = heart(right=(0, 9, 8, 5, 3), distance=(0, 16, 15, 13, 9))
    assert base_is_first(labels)
    assert not base_is_first(labels[::-1])


def test_an_apical_aneurysm_does_not_mislead():
    labels = heart(left=(7, 8, 9, 10, 10), distance=(18, 17, 16, 14, 0))
    assert base_end_cues(labels).area < 0
    assert base_is_first(labels)


def test_a_symmetric_stack_counts_as_base_first():
    labels = heart(left=(4, 9, 9, 4), right=(3, 8, 8, 3), distance=(9, 17, 17, 9))
    assert tuple(base_end_cues(labels)) == (0, 0, 0)
    assert base_is_first(labels)
    assert base_is_first(labels[::-1])


def test_other_label_maps():
    infarct = np.where(heart() == RV, 0, heart())
    late = np.select([infarct == LV, infarct == MYO], [LGE.values["LV"], LGE.values["MYO"]], 0)
    late[:, :32][late[:, :32] == LGE.values["MYO"]] = LGE.values["INFARCT"]
    assert base_end_cues(late, label_map=LGE) == base_end_cues(infarct)
    wall = (infarct > 0).astype(np.uint8)
    assert base_is_first(wall, label_map=MOUSE)
    assert assign_regions(wall[::-1], label_map=MOUSE).tolist() == [3, 2, 2, 2, 1]


@pytest.mark.parametrize("ratio", [4, 20])
def test_weights_have_the_closed_form_of_nine_slices(ratio):
    weights = quadratic_slice_weights(9, ratio)
    squares = np.array([16, 9, 4, 1, 0, 1, 4, 9, 16]) / 16
    # The squares add up to 60 / 16.
    assert weights == pytest.approx((1 + (ratio - 1) * squares) / (9 + (ratio - 1) * 60 / 16), rel=1e-14)
    assert weights.max() / weights.min() == pytest.approx(ratio)


@pytest.mark.parametrize(("count", "ratio", "realised"), [(8, 4, 3.77), (8, 20, 14.4), (10, 4, 3.86), (10, 20, 16.2)])
def test_an_even_number_of_slices_misses_the_minimum(count, ratio, realised):
    weights = quadratic_slice_weights(count, ratio)
    assert weights.max() / weights.min() == pytest.approx(realised, rel=5e-3)


@pytest.mark.parametrize("ratio", [1, 4, 20])
def test_share_of_the_outer_two_fifths_over_continuous_position(ratio):
    weights = quadratic_slice_weights(100_001, ratio)
    z = np.linspace(0, 1, 100_001)
    # The integral of w over |2z - 1| > 3/5, and over all z.
    outer, total = 2 / 5 + (ratio - 1) * (1 - (3 / 5) ** 3) / 3, 1 + (ratio - 1) / 3
    assert weights[(z < 0.2) | (z > 0.8)].sum() == pytest.approx(outer / total, abs=1e-4)


@pytest.mark.parametrize("count", [1, 2, 3, 7, 20])
def test_weights_add_up_to_one_and_are_symmetric(count):
    weights = quadratic_slice_weights(count, 20)
    assert weights.shape == (count,)
    assert weights.sum() == pytest.approx(1, abs=1e-15)
    assert np.allclose(weights, weights[::-1], rtol=1e-14)
    assert quadratic_slice_weights(count, 1) == pytest.approx(np.full(count, 1 / count))


@pytest.mark.parametrize(("count", "ratio"), [(0, 4), (-1, 4), (5, 0.5), (5, float("nan")), (5, float("inf"))])
def test_impossible_weights_are_refused(count, ratio):
    with pytest.raises(ValueError, match="at least"):
        quadratic_slice_weights(count, ratio)


@pytest.mark.real_data
def test_all_real_acdc_stacks_run_from_base_to_apex(real_data):
    paths = sorted(real_data.glob("acdc/training/*/*_gt.nii.gz"))
    assert paths
    for path in paths:
        labels = SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(str(path)))
        assert base_is_first(labels), path.name
        assert not base_is_first(labels[::-1]), path.name
