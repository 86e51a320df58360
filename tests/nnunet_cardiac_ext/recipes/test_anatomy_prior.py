import pytest

from nnunet_cardiac_ext.plans import PLAN_KEYS
from nnunet_cardiac_ext.recipes import RECIPES
from nnunet_cardiac_ext.reproduce.selection import select
from nnunet_cardiac_ext.reproduce.tables import published_numbers

RECIPE = RECIPES["001"]
TABLE = RECIPE.tables[0]


def test_the_four_rows_of_table_1_are_run_unless_others_are_named():
    published = {model for model, _ in published_numbers(TABLE, "EMIDEC")}
    assert {model.name for model in select(RECIPE, ()).models} == published
    assert {model.name for model in RECIPE.models if model.extra} == {"awce_no_mixup", "nnunet"}


def test_each_row_has_the_trainer_of_its_ingredients():
    assert {model.name: model.trainer for model in RECIPE.models if not model.extra} == {
        "baseline": "AnatomyPriorBaselineTrainer",
        "attention": "AnatomyPriorAttentionTrainer",
        "awce": "AnatomyPriorAWCETrainer",
        "awce_penalty": "AnatomyPriorTrainer",
    }


@pytest.mark.parametrize(
    ("row", "column", "value"),
    [
        (("baseline", "NOREFLOW"), "dice_mean", "0.246"),
        (("attention", "INFARCT"), "dice_sd", "0.067"),
        (("awce_penalty", "NOREFLOW"), "dice_mean", "0.538"),
        (("awce", "MYO"), "dice_mean", "0.926"),
        (("awce", "LV"), "dice_sd", "0.014"),
    ],
)
def test_numbers_are_those_of_the_paper(row, column, value):
    assert published_numbers(TABLE, "EMIDEC")[row][column] == value


def test_a_smoke_run_is_small():
    assert {"features", "patch_size", "batch_size"} <= {key for key in RECIPE.smoke_settings if key in PLAN_KEYS}
