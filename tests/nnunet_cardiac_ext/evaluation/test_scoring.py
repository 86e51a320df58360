import numpy as np
import pytest
from helpers.label_stacks import SPACING, heart

from nnunet_cardiac_ext.evaluation.metrics import CONVENTION, METRICS
from nnunet_cardiac_ext.evaluation.scoring import REGIONS, score_case
from nnunet_cardiac_ext.evaluation.scoring_settings import ScoringSettings

LABELS = {"RV": 1, "MYO": 2, "LV": 3}


def values(reference, prediction, labels=LABELS):
    score = score_case("a", reference, prediction, spacing=SPACING, labels=labels)
    return {(row.structure, row.region, row.metric): row for row in score.rows}


def test_one_row_per_structure_region_and_metric():
    rows = values(heart(), heart())
    regional = [name for name, metric in METRICS.items() if metric.regional and not metric.on_request]
    expected = {(s, "all", name) for s in LABELS for name, metric in METRICS.items() if not metric.on_request}
    expected |= {(s, r, m) for s in LABELS for r in REGIONS[1:] for m in regional}
    assert set(rows) == expected
    assert {row.convention for row in rows.values()} == {CONVENTION}


def test_spoiled_basal_slice_shows_in_the_base_alone():
    prediction = heart()
    prediction[0] = 0  # of six slices the first is the base
    rows = values(heart(), prediction)
    assert rows["LV", "base", "dice"].value == 0
    assert rows["LV", "middle", "dice"].value == rows["LV", "apex", "dice"].value == 1
    assert rows["LV", "base", "predicted_volume"].value == 0


def test_regions_follow_the_base_when_the_stack_is_turned_over():
    prediction = heart()
    prediction[0] = 0
    rows = values(heart()[::-1], prediction[::-1])
    assert rows["LV", "base", "dice"].value == 0
    assert rows["LV", "apex", "dice"].value == 1


def test_regional_volumes_add_up_to_the_whole():
    rows = values(heart(), heart(shift=1))
    for structure in LABELS:
        parts = sum(rows[structure, region, "reference_volume"].value for region in REGIONS[1:])
        assert parts == pytest.approx(rows[structure, "all", "reference_volume"].value)


def test_prediction_outside_the_segmented_slices_counts_for_the_whole_only():
    reference = np.concatenate([heart(), np.zeros((1, 24, 24), np.uint8)])
    prediction = reference.copy()
    prediction[-1, 5:9, 5:9] = 3
    rows = values(reference, prediction)
    assert rows["LV", "apex", "dice"].value == 1
    assert rows["LV", "all", "dice"].value < 1


def test_missing_structure_is_nan_with_its_reason():
    reference = heart()
    reference[reference == 1] = 0
    rows = values(reference, reference)
    assert np.isnan(rows["RV", "all", "dice"].value)
    assert rows["RV", "all", "dice"].reason == "absent in reference and prediction"
    assert rows["RV", "all", "reference_volume"].value == 0
    assert rows["RV", "all", "reference_volume"].reason == ""


def test_empty_reference_has_no_regions_and_says_so():
    rows = values(np.zeros((3, 24, 24), np.uint8), heart(slices=3))
    assert rows["LV", "all", "dice"].value == 0
    assert np.isnan(rows["LV", "base", "dice"].value)
    assert rows["LV", "base", "dice"].reason == "no slice in this region"
    assert rows["LV", "all", "hd"].reason == "absent in reference"


def test_other_label_order_gives_the_same_numbers():
    order = {"LV": 1, "MYO": 2, "RV": 3}
    swapped = np.array([0, 3, 2, 1], dtype=np.uint8)
    expected, found = values(heart(), heart(shift=1)), values(swapped[heart()], swapped[heart(shift=1)], labels=order)
    assert {key: row.value for key, row in found.items()} == {key: row.value for key, row in expected.items()}


def test_single_structure_needs_no_right_ventricle():
    rows = values((heart() == 2).astype(np.uint8), (heart() == 2).astype(np.uint8), labels={"MYO": 1})
    assert rows["MYO", "base", "dice"].value == 1


def test_numbers_do_not_depend_on_the_background_around_the_heart():
    wider = [np.pad(labels, ((0, 0), (3, 5), (2, 7))) for labels in (heart(), heart(shift=1))]
    expected, found = values(heart(), heart(shift=1)), values(*wider)
    of_the_field = {"specificity", "npv"}
    assert {key: row.value for key, row in found.items() if key[2] not in of_the_field} == pytest.approx(
        {key: row.value for key, row in expected.items() if key[2] not in of_the_field}
    )
    for name in of_the_field:
        assert found["LV", "all", name].value > expected["LV", "all", name].value


def test_specificity_counts_the_whole_image():
    row = values(heart(), heart(shift=1))["LV", "all", "specificity"]
    outside, wrong = (heart() != 3).sum(), ((heart(shift=1) == 3) & (heart() != 3)).sum()
    assert row.value == pytest.approx((outside - wrong) / outside)


def test_empty_files_have_all_rows():
    empty = np.zeros((3, 8, 8), np.uint8)
    rows = values(empty, empty)
    assert np.isnan(rows["LV", "all", "dice"].value)
    assert rows["LV", "all", "specificity"].value == 1


def score(settings, reference=None, prediction=None):
    reference = heart() if reference is None else reference
    prediction = heart(shift=1) if prediction is None else prediction
    return score_case("a", reference, prediction, spacing=SPACING, labels=LABELS, settings=settings)


def test_thirds_are_other_regions_of_the_same_stack():
    prediction = heart(slices=6)
    prediction[:2] = 0  # the first two of six slices: a third, and more than a fifth
    found = {}
    for scheme in ("20/60/20", "thirds"):
        rows = score(ScoringSettings(LABELS, scheme=scheme), prediction=prediction).rows
        found[scheme] = {row.region: row.value for row in rows if (row.structure, row.metric) == ("LV", "dice")}
    assert found["thirds"]["base"] == 0
    assert found["thirds"]["middle"] == found["thirds"]["apex"] == 1
    assert 0 < found["20/60/20"]["middle"] < 1


def test_conventions_stand_one_after_the_other_and_define_what_they_define():
    rows = score(ScoringSettings(LABELS, conventions=("acdc", "mnms"), metrics=("hd", "jaccard"))).rows
    assert [(row.convention, row.structure, row.metric) for row in rows] == [
        *(("acdc", name, "hd") for name in LABELS),
        *(("mnms", name, metric) for name in LABELS for metric in ("jaccard", "hd")),
    ]
    assert all(row.region == "all" for row in rows)


def test_undefined_by_slices_says_so():
    reference, prediction = np.zeros((2, 2, 24, 24), np.uint8)
    reference[0, 5, 5] = prediction[1, 5, 5] = 3
    rows = score(ScoringSettings({"LV": 3}, conventions=("crocnet",)), reference, prediction).rows
    assert {row.metric: row.reason for row in rows if row.structure == "LV"}["hd_2d"] == "no slice holds both"


def test_volumes_are_known_whatever_was_asked_for():
    volumes = score(ScoringSettings(LABELS, conventions=("mnms",), metrics=("dice",))).volumes
    found = {(row.structure, row.metric): row.value for row in volumes}
    assert found["RV", "reference_volume"] == pytest.approx((heart() == 1).sum() * 20 / 1000)
    assert len(found) == 6


def test_slices_are_scored_on_request_only():
    assert score(ScoringSettings(LABELS)).slices == []
    assert len(score(ScoringSettings(LABELS, slices=True)).slices) == 6 * 3
