import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from nnunet_cardiac_ext.evaluation.metrics import METRICS, MaskPair, normalised_surface_dice, nsd_metric

SPACING = (10.0, 2.0, 1.0)
UNITS = {"1", "mm", "mm3", "ml", "px", "voxels", "slices", "pieces", "holes"}
SYMMETRIC = ("dice", "jaccard", "hd", "hd_pixels", "hd95", "assd", "nsd")
RATIOS = ("dice", "jaccard", "sensitivity", "specificity", "ppv", "npv", "nsd")
LENGTHS = ("hd", "hd95", "assd")
# Counted slice by slice (test_fragments.py).
COUNTS = ("extra_pieces", "extra_holes", "false_slices", "missed_slices")


def mask(*voxels, shape=(3, 5, 6)):
    array = np.zeros(shape, dtype=bool)
    for voxel in voxels:
        array[voxel] = True
    return array


# Three voxels in a row against the same row moved by one column: two in common, four in the union.
ROW = mask((1, 2, 1), (1, 2, 2), (1, 2, 3))
MOVED = mask((1, 2, 2), (1, 2, 3), (1, 2, 4))
# One voxel against one two slices and one row away.
POINT, FAR = mask((0, 1, 1)), mask((2, 2, 1))
FULL = np.ones((3, 5, 6), dtype=bool)


@pytest.mark.parametrize(
    ("name", "reference", "prediction", "expected"),
    [
        ("dice", ROW, MOVED, 2 * 2 / (3 + 3)),
        ("jaccard", ROW, MOVED, 2 / 4),
        ("sensitivity", ROW, MOVED | POINT, 2 / 3),
        ("ppv", ROW, MOVED | POINT, 2 / 4),
        ("specificity", ROW, MOVED | POINT, 85 / 87),  # 90 voxels: 3 in the reference, 2 wrong ones beside
        ("npv", ROW, MOVED | POINT, 85 / 86),
        ("hd", ROW, MOVED, 1.0),
        ("assd", ROW, MOVED, 1 / 3),  # both directed means: (1 + 0 + 0) / 3
        ("hd95", ROW, MOVED, 0.9),  # of (0, 0, 1): rank 0.95 * 2 = 1.9, so 0.9 of the way from 0 to 1
        ("dice", POINT, FAR, 0.0),
        ("hd", POINT, FAR, np.sqrt(20.0**2 + 2.0**2)),
        ("hd_pixels", POINT, FAR, np.sqrt(2**2 + 1**2)),
        ("assd", POINT, FAR, np.sqrt(404.0)),
        # Directed means 0 (one voxel, hit) and (0 + 1 + 2) / 3 = 1: their mean is 1/2, the pooled mean would be 3/4.
        ("assd", mask((1, 2, 1)), ROW, 0.5),
        # Three mm further along a row: the farther voxel of either is 3 mm off, the others 2, 1, 0.
        ("nsd", mask((0, 0, 0), (0, 0, 1)), mask((0, 0, 3), (0, 0, 4)), 2 / 4),
        ("reference_volume", ROW, MOVED | POINT, 3 * 20 / 1000),
        ("predicted_volume", ROW, MOVED | POINT, 4 * 20 / 1000),
        ("dice", ROW, ROW, 1.0),
        ("hd", ROW, ROW, 0.0),
        ("nsd", ROW, ROW, 1.0),
    ],
)
def test_hand_computed_values(name, reference, prediction, expected):
    assert METRICS[name].compute(MaskPair(reference, prediction, SPACING)) == pytest.approx(expected, abs=1e-12)


NAN = float("nan")


@pytest.mark.parametrize(
    ("name", "no_prediction", "no_reference", "neither"),
    [
        ("dice", 0, 0, NAN),
        ("jaccard", 0, 0, NAN),
        ("nsd", 0, 0, NAN),
        ("sensitivity", 0, NAN, NAN),
        ("ppv", NAN, 0, NAN),
        ("specificity", 1, 87 / 90, 1),
        ("npv", 87 / 90, 1, 1),
        *((name, NAN, NAN, NAN) for name in ("hd", "hd95", "assd", "hd_pixels")),
        ("reference_volume", 0.06, 0, 0),
        ("predicted_volume", 0, 0.06, 0),
    ],
)
def test_empty_masks(name, no_prediction, no_reference, neither):
    pairs = ((ROW, mask()), (mask(), ROW), (mask(), mask()))
    found = [METRICS[name].compute(MaskPair(*pair, SPACING)) for pair in pairs]
    assert found == pytest.approx([no_prediction, no_reference, neither], nan_ok=True)


def test_full_masks_agree_in_all_but_what_is_outside():
    pair = MaskPair(FULL, FULL, SPACING)
    found = {name: metric.compute(pair) for name, metric in METRICS.items() if metric.unit != "ml"}
    ratios = {name: NAN if name in ("specificity", "npv") else 1 for name in RATIOS}
    assert found == pytest.approx(ratios | dict.fromkeys((*LENGTHS, *COUNTS, "hd_pixels"), 0), nan_ok=True)


def test_specificity_grows_with_the_field_of_view_and_sensitivity_does_not():
    near, far = MaskPair(ROW, MOVED, SPACING), MaskPair(ROW, MOVED, SPACING, image_voxels=9000)
    assert METRICS["specificity"].compute(near) == pytest.approx(86 / 87)
    assert METRICS["specificity"].compute(far) == pytest.approx(8996 / 8997)
    assert METRICS["sensitivity"].compute(near) == METRICS["sensitivity"].compute(far)


def test_surface_dice_counts_a_voxel_at_the_tolerance_whatever_the_rounding():
    a, b = mask((0, 0, 0), shape=(1, 1, 8)), mask((0, 0, 3), shape=(1, 1, 8))
    pair = MaskPair(a, b, (1, 1, 0.1))  # 3 * 0.1 is a rounding above 0.3
    assert normalised_surface_dice(pair, 0.3) == 1
    assert normalised_surface_dice(pair, 0.29) == 0


def test_another_tolerance_stands_in_the_name_of_the_surface_dice():
    assert METRICS["nsd"].definition == nsd_metric(2).definition
    other = nsd_metric(1.5)
    assert other.name == "nsd_1.5mm"
    assert "1.5 mm" in other.definition
    assert other.compute(MaskPair(ROW, MOVED, (10, 2, 1.6))) == pytest.approx(4 / 6)


def test_every_metric_has_unit_and_definition():
    for name, metric in METRICS.items():
        assert metric.name == name
        assert metric.unit in UNITS
        assert metric.definition.endswith(".")


# The same examples in every run, nothing left on disk, and no time limit on a busy machine.
PROPERTY = settings(deadline=None, database=None, derandomize=True, max_examples=150)
masks = arrays.arrays(bool, st.tuples(*[st.integers(1, 5)] * 3).map(lambda shape: (2, *shape)))
spacings = st.tuples(*[st.floats(0.2, 12)] * 3)


def numbers(pair, names=tuple(name for name in METRICS if name not in COUNTS)):
    return {name: METRICS[name].compute(pair) for name in names}


def same(found):
    return pytest.approx(found, nan_ok=True, rel=1e-9, abs=1e-12)


@PROPERTY
@given(masks, spacings)
def test_exchanging_reference_and_prediction(both, spacing):
    ahead, back = MaskPair(*both, spacing), MaskPair(*both[::-1], spacing)
    assert numbers(ahead, SYMMETRIC) == same(numbers(back, SYMMETRIC))
    for name, other in (("sensitivity", "ppv"), ("specificity", "npv"), ("reference_volume", "predicted_volume")):
        assert METRICS[name].compute(ahead) == same(METRICS[other].compute(back))


@PROPERTY
@given(masks, spacings, st.floats(0.25, 4))
def test_distances_scale_with_the_spacing_and_overlap_does_not(both, spacing, factor):
    near, far = MaskPair(*both, spacing), MaskPair(*both, tuple(factor * value for value in spacing))
    assert numbers(far, LENGTHS) == same({name: factor * value for name, value in numbers(near, LENGTHS).items()})
    unscaled = (*(name for name in RATIOS if name != "nsd"), "hd_pixels")
    assert numbers(far, unscaled) == same(numbers(near, unscaled))
    assert METRICS["reference_volume"].compute(far) == same(factor**3 * METRICS["reference_volume"].compute(near))
    # Scaled by a power of two nothing rounds: the same share lies within twice the tolerance at twice the spacing.
    twice = MaskPair(*both, tuple(2 * value for value in spacing))
    assert normalised_surface_dice(twice, 4.0 + 1e-6) == same(normalised_surface_dice(near, 2.0))


@PROPERTY
@given(masks, spacings, st.permutations(range(3)), st.lists(st.integers(0, 2), unique=True))
def test_flips_and_the_order_of_axes_change_nothing(both, spacing, order, flipped):
    turned = np.flip(both, [axis + 1 for axis in flipped]).transpose(0, *(axis + 1 for axis in order))
    pair = MaskPair(*turned, tuple(spacing[axis] for axis in order))
    assert numbers(pair) == same(numbers(MaskPair(*both, spacing)))


@PROPERTY
@given(masks, spacings)
def test_bounds(both, spacing):
    found = numbers(MaskPair(*both, spacing))
    for name in RATIOS:
        assert np.isnan(found[name]) or 0 <= found[name] <= 1
    diagonal = float(np.linalg.norm((np.array(both.shape[1:]) - 1) * spacing))
    for name in LENGTHS:
        assert np.isnan(found[name]) or 0 <= found[name] <= diagonal * (1 + 1e-9)
    if not np.isnan(found["hd"]):
        assert found["hd95"] <= found["hd"]
        assert found["assd"] <= found["hd"] * (1 + 1e-9)
    if not np.isnan(found["dice"]):
        assert found["jaccard"] == same(found["dice"] / (2 - found["dice"]))


@PROPERTY
@given(masks, spacings)
def test_a_mask_agrees_with_itself(both, spacing):
    found = numbers(MaskPair(both[0], both[0], spacing))
    assert all(np.isnan(found[name]) or found[name] == 1 for name in RATIOS)
    assert all(np.isnan(found[name]) or found[name] == 0 for name in LENGTHS)
