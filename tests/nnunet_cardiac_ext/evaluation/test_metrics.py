import numpy as np
import pytest

from nnunet_cardiac_ext.evaluation.metrics import METRICS, MaskPair

SPACING = (10.0, 2.0, 1.0)


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


@pytest.mark.parametrize(
    ("name", "reference", "prediction", "expected"),
    [
        ("dice", ROW, MOVED, 2 * 2 / (3 + 3)),
        ("jaccard", ROW, MOVED, 2 / 4),
        ("hd", ROW, MOVED, 1.0),
        ("assd", ROW, MOVED, 1 / 3),  # both directed means: (1 + 0 + 0) / 3
        ("hd95", ROW, MOVED, 0.9),  # of (0, 0, 1): rank 0.95 * 2 = 1.9, so 0.9 of the way from 0 to 1
        ("dice", POINT, FAR, 0.0),
        ("hd", POINT, FAR, np.sqrt(20.0**2 + 2.0**2)),
        ("assd", POINT, FAR, np.sqrt(404.0)),
        # Directed means 0 (one voxel, hit) and (0 + 1 + 2) / 3 = 1: their mean is 1/2, the pooled mean would be 3/4.
        ("assd", mask((1, 2, 1)), ROW, 0.5),
        ("reference_volume", ROW, MOVED | POINT, 3 * 20 / 1000),
        ("predicted_volume", ROW, MOVED | POINT, 4 * 20 / 1000),
        ("dice", ROW, ROW, 1.0),
        ("hd", ROW, ROW, 0.0),
    ],
)
def test_hand_computed_values(name, reference, prediction, expected):
    assert METRICS[name].compute(MaskPair(reference, prediction, SPACING)) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("name", ["hd", "hd95", "assd"])
@pytest.mark.parametrize(("reference", "prediction"), [(ROW, mask()), (mask(), ROW), (mask(), mask())])
def test_distances_to_an_empty_mask_are_nan(name, reference, prediction):
    assert np.isnan(METRICS[name].compute(MaskPair(reference, prediction, SPACING)))


@pytest.mark.parametrize("name", ["dice", "jaccard"])
def test_overlap_is_zero_with_one_empty_mask_and_nan_with_two(name):
    compute = METRICS[name].compute
    assert compute(MaskPair(ROW, mask(), SPACING)) == 0
    assert compute(MaskPair(mask(), ROW, SPACING)) == 0
    assert np.isnan(compute(MaskPair(mask(), mask(), SPACING)))


def test_empty_masks_have_no_volume():
    pair = MaskPair(mask(), mask(), SPACING)
    assert METRICS["reference_volume"].compute(pair) == METRICS["predicted_volume"].compute(pair) == 0


@pytest.mark.parametrize(
    ("reference", "prediction", "reason"),
    [
        (ROW, ROW, ""),
        (mask(), ROW, "absent in reference"),
        (ROW, mask(), "absent in prediction"),
        (mask(), mask(), "absent in reference and prediction"),
    ],
)
def test_reason_says_which_mask_is_empty(reference, prediction, reason):
    assert MaskPair(reference, prediction, SPACING).reason_undefined == reason


def test_every_metric_has_unit_and_definition():
    for name, metric in METRICS.items():
        assert metric.name == name
        assert metric.unit in {"1", "mm", "ml"}
        assert metric.definition.endswith(".")
