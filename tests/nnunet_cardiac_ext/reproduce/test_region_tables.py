import math

import pytest
from helpers.studies import study_in, table_named, write_profiles, write_slices
from scipy import stats

from nnunet_cardiac_ext.reproduce.region_tables import figure2, seeds, table1, table3

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
    table = table1(table_named(study, "table1"), study, "ACDC")
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
    table = table3(table_named(study, "table3"), study, "ACDC")
    base = row_of(table, model="sampling20", label="LV", region="base")
    assert base["slices"] == 2  # the third has no score in the baseline
    assert (base["mean_percent"], base["sd_percent"]) == (pytest.approx(91), pytest.approx(math.sqrt(2)))
    assert base["mean_change_points"] == pytest.approx(91 - 85)
    assert base["sd_change_points"] == pytest.approx(math.sqrt(50) - math.sqrt(2))
    middle = row_of(table, model="sampling20", label="LV", region="middle")
    assert middle["p"] == pytest.approx(stats.ttest_rel([80, 85, 90], [90, 95, 94]).pvalue)
    assert middle["mean_change_points"] < 0
    assert row_of(table, model="sampling20", label="LV", region="apex")["slices"] == 0


def test_p_values_are_corrected_for_all_tests_of_a_table(tmp_path):
    study = study_in(tmp_path)
    write_slices(study, "baseline", BASELINE | {("MYO", "middle"): [0.9, 0.8, 0.7], ("MYO", "apex"): [0.5, 0.4, 0.2]})
    table = table1(table_named(study, "table1"), study, "ACDC")
    p_values = {(row["label"], row["region"]): row["p"] for row in table.rows}
    known = {key: p for key, p in p_values.items() if p != "" and not math.isnan(p)}
    assert set(known) == {("LV", "base"), ("MYO", "apex")}
    low, high = sorted(known, key=known.get)
    rows = {(row["label"], row["region"]): row for row in table.rows}
    # Two tests: Holm doubles the smaller p; Benjamini and Hochberg double it too, but not beyond the larger one.
    assert rows[low]["p_holm"] == pytest.approx(min(2 * known[low], 1))
    assert rows[high]["p_holm"] == pytest.approx(max(known[high], 2 * known[low]))
    assert rows[low]["p_bh"] == pytest.approx(min(2 * known[low], known[high]))
    assert rows[high]["p_bh"] == pytest.approx(known[high])
    assert rows["LV", "middle"]["p_holm"] == ""
    assert math.isnan(rows["RV", "base"]["p_holm"])


def test_pipelines_are_rows_of_table_3(tmp_path):
    study = study_in(tmp_path, models=("sampling20", "cascade", "cascade-reference"))
    for name, value in (("baseline", 0.5), ("sampling20", 0.6), ("cascade", 0.7), ("cascade-reference", 0.8)):
        write_slices(study, name, {("RV", "apex"): [value, value]})
    table = table3(table_named(study, "table3"), study, "ACDC")
    rows = [row for row in table.rows if (row["label"], row["region"]) == ("RV", "apex")]
    apex = {row["model"]: row["mean_change_points"] for row in rows}
    assert apex == {
        "sampling20": pytest.approx(10), "cascade": pytest.approx(20), "cascade-reference": pytest.approx(30),
    }  # fmt: skip
    assert len(table.rows) == 27


def test_a_study_without_rows_for_a_table_has_none(tmp_path):
    study = study_in(tmp_path, models=("classifier_alexnet",))
    builders = {"table1": table1, "table3": table3, "seeds": seeds, "figure2": figure2}
    assert [build(table_named(study, name), study, "") for name, build in builders.items()] == [None] * 4
    write_slices(study_in(tmp_path, models=("baseline",)), "baseline", BASELINE)
    assert table3(table_named(study, "table3"), study_in(tmp_path, models=("baseline",)), "") is None


def test_the_table_of_seeds_is_mean_and_sd_over_the_means_of_the_seeds(tmp_path):
    study = study_in(tmp_path, seeds=(1, 2))
    apex = ("LV", "apex")
    for seed, before, after in ((1, [0.5, 0.7], [0.8, 0.9]), (2, [0.4, "nan"], [0.6, 0.3])):
        write_slices(study, "baseline", {apex: before}, seed=seed)
        write_slices(study, "sampling20", {apex: after}, seed=seed)
    table = seeds(table_named(study, "seeds"), study, "ACDC")
    baseline = row_of(table, model="baseline", label="LV", region="apex")
    assert (baseline["seeds"], baseline["mean_percent"], baseline["by_seed"]) == (2, pytest.approx(50), "60.00 40.00")
    assert baseline["sd_over_seeds"] == pytest.approx(math.sqrt(200))
    assert baseline["change_points"] == ""
    row = row_of(table, model="sampling20", label="LV", region="apex")
    # Means 85 and 45; changes +25 and +20, of the slices that both have.
    assert row["mean_percent"] == pytest.approx(65)
    assert row["change_points"] == pytest.approx(22.5)
    assert row["change_sd_over_seeds"] == pytest.approx(math.sqrt(12.5))
    assert len(table.rows) == 18


def test_a_row_of_one_seed_is_compared_with_the_baseline_of_that_seed(tmp_path):
    study = study_in(tmp_path, seeds=(1, 2), once=("sampling20",))
    for seed, value in ((1, 0.5), (2, 0.1)):
        write_slices(study, "baseline", {("LV", "apex"): [value]}, seed=seed)
    write_slices(study, "sampling20", {("LV", "apex"): [0.6]}, seed=1)
    row = row_of(seeds(table_named(study, "seeds"), study, ""), model="sampling20", label="LV", region="apex")
    assert (row["seeds"], row["mean_percent"], row["change_points"]) == (1, pytest.approx(60), pytest.approx(10))
    change = row_of(table3(table_named(study, "table3"), study, ""), model="sampling20", label="LV", region="apex")
    assert (change["slices"], change["mean_change_points"]) == (1, pytest.approx(10))


def test_one_seed_has_no_spread(tmp_path):
    study = study_in(tmp_path, models=("baseline",))
    write_slices(study, "baseline", BASELINE)
    row = row_of(seeds(table_named(study, "seeds"), study, ""), label="LV", region="base")
    assert (row["seeds"], row["mean_percent"]) == (1, pytest.approx(85))
    assert math.isnan(row["sd_over_seeds"])


def test_false_alarms_are_counted_where_they_have_no_pair(tmp_path):
    study = study_in(tmp_path)
    write_slices(study, "baseline", {("RV", "apex"): ["false alarm", "nan", 0.8, "false alarm"]})
    write_slices(study, "sampling20", {("RV", "apex"): ["nan", "false alarm", 0.0, "false alarm"]})
    row = row_of(table3(table_named(study, "table3"), study, ""), model="sampling20", label="RV", region="apex")
    assert (row["false_alarms"], row["baseline_false_alarms"], row["slices"]) == (2, 2, 2)


def test_slices_of_several_folds_and_seeds_are_taken_together(tmp_path):
    study = study_in(tmp_path, folds=(0, 1), seeds=(3, 4))
    for seed, fold, value in ((3, 0, 0.1), (3, 1, 0.2), (4, 0, 0.3), (4, 1, 0.4)):
        write_slices(study, "baseline", {("MYO", "apex"): [value]}, seed=seed, fold=fold)
    apex = row_of(table1(table_named(study, "table1"), study, ""), label="MYO", region="apex")
    assert (apex["slices"], apex["mean_percent"]) == (4, pytest.approx(25))


def test_figure_2_averages_the_cases_that_have_a_value(tmp_path):
    study = study_in(tmp_path)
    for model in ("baseline", "sampling20"):
        write_profiles(study, model, {("a", "LV"): [0.5, 0.7], ("b", "LV"): [0.7, "nan"], ("a", "RV"): ["nan", "nan"]})
    table = figure2(table_named(study, "figure2"), study, "")
    found = {(row["label"], row["position"]): row["dice_percent"] for row in table.rows if row["model"] == "Baseline"}
    assert found["LV", 0] == pytest.approx(60)
    assert found["LV", 1] == pytest.approx(70)
    assert math.isnan(found["RV", 0])
    assert table.figure is not None
    assert table.figure.read_bytes().startswith(b"\x89PNG")


def test_figure_2_shows_the_rows_of_the_paper(tmp_path):
    study = study_in(tmp_path, models=("sampling4", "sampling20", "cascade", "cascade-blended", "cascade-reference"))
    for row in study.segmentations:
        write_profiles(study, row.name, {("a", "LV"): [0.5, 0.7]})
    table = figure2(table_named(study, "figure2"), study, "")
    assert list(dict.fromkeys(row["model"] for row in table.rows)) == [
        "Baseline", "Batch sampling (ratio 20)", "Classification and segmentation",
        "Reference regions and segmentation",
    ]  # fmt: skip
