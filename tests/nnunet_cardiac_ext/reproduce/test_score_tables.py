import math

import numpy as np
import pytest
from helpers.studies import study_in, write_metrics
from scipy import stats

from nnunet_cardiac_ext.recipes import TableRecipe
from nnunet_cardiac_ext.reproduce.score_tables import score_seeds, score_tests, scores

LV, MYO = ("LV", "all", "dice"), ("MYO", "all", "dice")
DISTANCE = ("LV", "all", "hd")


def table_recipe(**options):
    defaults = {"metrics": ("dice", "hd"), "percent": ("dice",)}
    return TableRecipe("t", "T", "", ("model", "structure"), "", "D.", options=defaults | options)


def rows_of(table):
    return {(row["model"], row["structure"], row["region"]): row for row in table.rows}


def test_means_and_sd_are_over_the_cases_that_have_a_value(tmp_path):
    study = study_in(tmp_path)
    write_metrics(study, "baseline", {LV: [0.8, 0.9, 1.0], DISTANCE: [4.0, "nan", 8.0], MYO: [0.5, 0.6, 0.7]})
    write_metrics(study, "sampling20", {LV: [0.9, 0.9, 0.9], DISTANCE: ["nan"] * 3, MYO: [0.0, 0.0, 0.6]})
    rows = rows_of(scores(table_recipe(), study, ""))
    assert list(rows) == [(m, s, "all") for m in ("baseline", "sampling20") for s in ("LV", "MYO")]
    first = rows["baseline", "LV", "all"]
    assert (first["dice_mean"], first["dice_sd"], first["cases"]) == (pytest.approx(90), pytest.approx(10), 3)
    assert (first["hd_mean"], first["hd_sd"], first["hd_n"]) == (6, pytest.approx(math.sqrt(8)), 2)
    assert rows["sampling20", "LV", "all"]["hd_n"] == 0
    assert math.isnan(rows["sampling20", "LV", "all"]["hd_mean"])
    assert rows["sampling20", "MYO", "all"]["hd_n"] == 0  # it has none at all
    assert "dice_n" not in first  # as many as there are cases, in every row


def test_folds_and_seeds_are_taken_together(tmp_path):
    study = study_in(tmp_path, models=("baseline",), folds=(0, 1), seeds=(0, 1))
    for number, (fold, seed) in enumerate([(0, 0), (0, 1), (1, 0), (1, 1)]):
        write_metrics(study, "baseline", {LV: [0.1 * number]}, fold=fold, seed=seed)
    (row,) = scores(table_recipe(percent=()), study, "").rows
    assert (row["dice_mean"], row["cases"]) == (pytest.approx(0.15), 4)
    assert row["dice_sd"] == pytest.approx(np.std([0, 0.1, 0.2, 0.3], ddof=1))


def test_a_recipe_chooses_structures_regions_rows_and_convention(tmp_path):
    study = study_in(tmp_path)
    base = ("LV", "base", "dice")
    for name in ("baseline", "sampling20"):
        write_metrics(study, name, {LV: [0.5], base: [0.25], MYO: [0.7]}, convention="acdc")
    recipe = table_recipe(structures=("LV",), regions=("all", "base"), convention="acdc")
    rows = rows_of(scores(recipe, study, ""))
    assert {key[1:]: row["dice_mean"] for key, row in rows.items()} == {("LV", "all"): 50, ("LV", "base"): 25}
    assert scores(table_recipe(), study, "").rows == []


def test_models_are_compared_case_by_case_with_the_mean_over_their_seeds(tmp_path):
    study = study_in(tmp_path, seeds=(0, 1))
    usual = {0: [0.5, 0.6, 0.7, 0.6], 1: [0.6, 0.6, 0.8, 0.7]}
    other = {0: [0.7, 0.9, 0.8, "nan"], 1: [0.9, 0.9, 0.9, 0.9]}
    for seed in (0, 1):
        write_metrics(study, "baseline", {LV: usual[seed]}, seed=seed)
        write_metrics(study, "sampling20", {LV: other[seed]}, seed=seed)
    recipe = table_recipe(metrics=("dice",), test="ranksum")
    (row,) = score_tests(recipe, study, "").rows
    first, second = [80, 90, 85], [55, 60, 75]
    assert (row["model"], row["against"], row["cases"]) == ("sampling20", "baseline", 3)
    assert row["mean_difference"] == pytest.approx(np.mean(first) - np.mean(second))
    # The rank-sum test has no pairs: the fourth case counts in the sample that has it.
    assert row["p"] == pytest.approx(stats.mannwhitneyu(first, [*second, 65], method="exact").pvalue, rel=0.5)
    paired = score_tests(table_recipe(metrics=("dice",), test="paired-t"), study, "").rows[0]
    assert paired["p"] == pytest.approx(stats.ttest_rel(first, second).pvalue)
    assert paired["p_holm"] == pytest.approx(paired["p"])


def test_differences_are_to_the_model_that_the_recipe_names(tmp_path):
    study = study_in(tmp_path)
    write_metrics(study, "baseline", {LV: [0.5, 0.6]})
    write_metrics(study, "sampling20", {LV: [0.7, 0.9]})
    recipe = table_recipe(metrics=("dice",), test="paired-t", against="sampling20")
    (row,) = score_tests(recipe, study, "").rows
    assert (row["model"], row["mean_difference"]) == ("baseline", pytest.approx(-25))


def test_there_are_no_tests_without_the_model_that_they_are_against(tmp_path):
    study = study_in(tmp_path, models=("baseline",))
    write_metrics(study, "baseline", {LV: [0.5, 0.6]})
    assert score_tests(table_recipe(test="paired-t"), study, "") is None
    assert score_tests(table_recipe(test="paired-t", against="sampling20"), study, "") is None


def test_the_spread_over_seeds_is_that_of_their_means(tmp_path):
    study = study_in(tmp_path, models=("baseline",), seeds=(0, 1, 2))
    for seed, values in enumerate(([0.4, 0.6], [0.6, 0.8], [0.9, "nan"])):
        write_metrics(study, "baseline", {LV: values}, seed=seed)
    (row,) = score_seeds(table_recipe(metrics=("dice",)), study, "").rows
    assert (row["seeds"], row["mean"]) == (3, pytest.approx(70))
    assert row["sd_over_seeds"] == pytest.approx(20)
    assert row["by_seed"] == "50 70 90"
