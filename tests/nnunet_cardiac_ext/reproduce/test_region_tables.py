import math

import pytest
from helpers.studies import study_in, write_profiles, write_slices
from scipy import stats

from nnunet_cardiac_ext.reproduce.region_tables import figure2, table1, table3

BASELINE = {
    ("LV", "base"): [0.8, 0.9, "nan"],
    ("LV", "middle"): [0.9, 0.95, 0.94],
    ("LV", "apex"): [0.5],
    ("RV", "non-cardiac"): [0.0],
}


def row_of(table, **keys):
    (row,) = [row for row in table.rows if keys.items() <= row.items()]
    return row


def test_table_1_is_mean_and_sd_over_slices_and_welch_against_the_middle(tmp_path):
    study = study_in(tmp_path)
    write_slices(study, "baseline", BASELINE)
    table = table1(study.recipe.tables[0], study, "ACDC")
    assert len(table.rows) == 9
    base = row_of(table, label="LV", region="base")
    assert (base["slices"], base["mean_percent"]) == (2, pytest.approx(85))
    assert base["sd_percent"] == pytest.approx(math.sqrt(50))
    assert base["p"] == pytest.approx(stats.ttest_ind([80, 90], [90, 95, 94], equal_var=False).pvalue)
    assert row_of(table, label="LV", region="middle")["p"] == ""
    assert math.isnan(row_of(table, label="LV", region="apex")["sd_percent"])
    assert row_of(table, label="RV", region="base")["slices"] == 0


def test_table_3_compares_the_same_slices_only(tmp_path):
    study = study_in(tmp_path)
    write_slices(study, "baseline", BASELINE)
    write_slices(study, "sampling20", {("LV", "base"): [0.9, 0.92, 0.5], ("LV", "middle"): [0.8, 0.85, 0.9]})
    table = table3(study.recipe.tables[1], study, "ACDC")
    base = row_of(table, model="sampling20", label="LV", region="base")
    assert base["slices"] == 2  # the third has no score in the baseline
    assert base["mean_change_points"] == pytest.approx(91 - 85)
    assert base["sd_change_points"] == pytest.approx(math.sqrt(50) - math.sqrt(2))
    middle = row_of(table, model="sampling20", label="LV", region="middle")
    assert middle["p"] == pytest.approx(stats.ttest_rel([80, 85, 90], [90, 95, 94]).pvalue)
    assert middle["mean_change_points"] < 0
    assert row_of(table, model="sampling20", label="LV", region="apex")["slices"] == 0


def test_slices_of_several_folds_and_seeds_are_taken_together(tmp_path):
    study = study_in(tmp_path, folds=(0, 1), seeds=(3, 4))
    for seed, fold, value in ((3, 0, 0.1), (3, 1, 0.2), (4, 0, 0.3), (4, 1, 0.4)):
        write_slices(study, "baseline", {("MYO", "apex"): [value]}, seed=seed, fold=fold)
    apex = row_of(table1(study.recipe.tables[0], study, ""), label="MYO", region="apex")
    assert (apex["slices"], apex["mean_percent"]) == (4, pytest.approx(25))


def test_figure_2_averages_the_cases_that_have_a_value(tmp_path):
    study = study_in(tmp_path)
    for model in ("baseline", "sampling20"):
        write_profiles(study, model, {("a", "LV"): [0.5, 0.7], ("b", "LV"): [0.7, "nan"], ("a", "RV"): ["nan", "nan"]})
    table = figure2(study.recipe.tables[2], study, "")
    found = {(row["label"], row["position"]): row["dice_percent"] for row in table.rows if row["model"] == "Baseline"}
    assert found["LV", 0] == pytest.approx(60)
    assert found["LV", 1] == pytest.approx(70)
    assert math.isnan(found["RV", 0])
    assert table.figure is not None
    assert table.figure.read_bytes().startswith(b"\x89PNG")
