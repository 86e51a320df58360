import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813
from helpers.masks import brute_force_distances, random_pair

from nnunet_cardiac_ext.evaluation.foreign_metrics import (
    ACDC_METRICS,
    CROCNET_METRICS,
    EMIDEC_METRICS,
    MNMS_METRICS,
    NNUNET_METRICS,
)
from nnunet_cardiac_ext.evaluation.metrics import METRICS, MaskPair

SPACING = (10.0, 2.0, 1.0)
NAN = float("nan")


def mask(*voxels, shape=(3, 5, 6)):
    array = np.zeros(shape, dtype=bool)
    for voxel in voxels:
        array[voxel] = True
    return array


ROW = mask((1, 2, 1), (1, 2, 2), (1, 2, 3))
BEYOND = mask((2, 2, 1), (2, 2, 2))
EMPTY = mask()
# What each says of one empty mask and of two, from the notes on the scripts; a metric is not in its set by chance.
RULES = {
    "acdc": (ACDC_METRICS, {"dice": (0, 1), "hd": (1, 0), "assd": (1, 0)}),
    "mnms": (MNMS_METRICS, {"dice": (0, NAN), "jaccard": (0, NAN), "hd": (-1, NAN), "assd": (-1, NAN)}),
    "emidec": (EMIDEC_METRICS, {"dice": (0, 1), "hd": (NAN, NAN)}),
    "nnunet": (NNUNET_METRICS, {"dice": (0, NAN), "jaccard": (0, NAN)}),
    "crocnet": (CROCNET_METRICS, {"dice": (0, NAN), "hd95_2d_pixels": (NAN, NAN), "hd_2d": (NAN, NAN)}),
}


@pytest.mark.parametrize("name", RULES)
def test_empty_masks_by_the_rules_of_each(name):
    metrics, rules = RULES[name]
    for metric, (one, both) in rules.items():
        pairs = ((ROW, EMPTY), (EMPTY, ROW), (EMPTY, EMPTY))
        found = [metrics[metric].compute(MaskPair(*pair, SPACING)) for pair in pairs]
        assert found == pytest.approx([one, one, both], nan_ok=True), metric


@pytest.mark.parametrize(("metrics", "name"), [(m, n) for m, rule in RULES.values() for n in rule if n in METRICS])
def test_full_masks_agree_with_ours_unless_the_geometry_differs(metrics, name):
    reference, prediction, spacing = random_pair(3)
    pair = MaskPair(reference, prediction, spacing)
    if metrics is EMIDEC_METRICS and name == "hd":
        pair = MaskPair(reference, prediction, spacing[::-1])
        assert metrics[name].compute(MaskPair(reference, prediction, spacing)) == METRICS[name].compute(pair)
    elif metrics is not CROCNET_METRICS:
        assert metrics[name].compute(pair) == METRICS[name].compute(pair)


def test_emidec_volumes_by_hand():
    pair = MaskPair(ROW, BEYOND, SPACING, whole_count=6)
    assert EMIDEC_METRICS["volume_difference"].compute(pair) == 20
    assert EMIDEC_METRICS["relative_volume_difference"].compute(pair) == pytest.approx(1 / 6)
    assert np.isnan(EMIDEC_METRICS["relative_volume_difference"].compute(MaskPair(ROW, BEYOND, SPACING)))


def test_acdc_volume_error_is_prediction_minus_reference_in_ml():
    assert ACDC_METRICS["volume_error"].compute(MaskPair(ROW, BEYOND, SPACING)) == pytest.approx(-0.02)


def test_axis_slip_uses_the_column_spacing_along_the_slices():
    here, above, beside = mask((1, 2, 1)), mask((2, 2, 1)), mask((1, 2, 2))
    hausdorff = EMIDEC_METRICS["hd"].compute
    assert hausdorff(MaskPair(here, above, SPACING)) == 1
    assert hausdorff(MaskPair(here, beside, SPACING)) == 10


def test_crocnet_takes_slices_by_themselves_and_pools_both_directions():
    reference = mask((0, 2, 1), (1, 2, 1), (2, 0, 0), shape=(4, 5, 12))
    prediction = mask((0, 2, 1), (0, 2, 11), (1, 4, 1), shape=(4, 5, 12))
    found = {name: metric.compute(MaskPair(reference, prediction, SPACING)) for name, metric in CROCNET_METRICS.items()}
    # Slice 0: distances 0 one way, 0 and 10 columns the other; slice 1: two rows; slice 2 has no prediction, 3 nothing.
    assert found["dice"] == pytest.approx((2 / 3 + 0 + 0) / 3)
    assert found["hd95_2d_pixels"] == pytest.approx((0.9 * 10 + 2) / 2)
    assert found["hd95_2d"] == pytest.approx((0.9 * 10 * 1 + 2 * 2) / 2)
    assert found["hd_2d"] == pytest.approx((10 * 1 + 2 * 2) / 2)


def test_crocnet_equals_brute_force_in_single_slices():
    for seed in range(20):
        reference, prediction, spacing = random_pair(seed)
        reference, prediction = reference[:1], prediction[-1:]
        distances = np.concatenate(brute_force_distances(reference[0], prediction[0], (1, 1)))
        found = CROCNET_METRICS["hd95_2d_pixels"].compute(MaskPair(reference, prediction, spacing))
        assert found == pytest.approx(np.percentile(distances, 95))


def test_nnunet_equals_its_own_evaluation(tmp_path):
    from nnunetv2.evaluation.evaluate_predictions import compute_metrics
    from nnunetv2.imageio.simpleitk_reader_writer import SimpleITKIO

    reference, prediction, spacing = random_pair(5)
    for name, array in (("reference", reference), ("prediction", prediction)):
        sitk.WriteImage(sitk.GetImageFromArray(array.astype(np.uint8)), str(tmp_path / f"{name}.nii.gz"))
    files = (str(tmp_path / f"{name}.nii.gz") for name in ("reference", "prediction"))
    expected = compute_metrics(*files, SimpleITKIO(), [1])["metrics"][1]
    pair = MaskPair(reference, prediction, spacing)
    names = {"dice": "Dice", "jaccard": "IoU"} | {name: name.upper() for name in ("tp", "fp", "fn", "tn")}
    for ours, theirs in (names | {"n_ref": "n_ref", "n_pred": "n_pred"}).items():
        assert NNUNET_METRICS[ours].compute(pair) == pytest.approx(expected[theirs])


def test_definitions_name_the_rules():
    assert "0 where one mask is empty, 1 where both are." in ACDC_METRICS["dice"].definition
    assert "-1 where one mask is empty, undefined where both are." in MNMS_METRICS["hd"].definition
    for metrics, _ in RULES.values():
        assert all(metric.definition.endswith(".") and not metric.regional for metric in metrics.values())
