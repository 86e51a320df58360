import pytest

from nnunet_cardiac_ext.evaluation.conventions import CONVENTIONS
from nnunet_cardiac_ext.recipes import RECIPES
from nnunet_cardiac_ext.recipes.crocnet import METRICS
from nnunet_cardiac_ext.reproduce.selection import select
from nnunet_cardiac_ext.reproduce.tables import published_numbers

RECIPE = RECIPES["003"]
TABLES = {table.name: table for table in RECIPE.tables}
DATA_SET = "MNMs2LA"


@pytest.mark.parametrize("name", ["table1", "table2"])
def test_every_row_of_a_table_but_those_on_request_has_the_papers_numbers(name):
    published = published_numbers(TABLES[name], DATA_SET)
    on_request = {model.name for model in RECIPE.models if model.extra}
    assert {model for model, _ in published} == set(TABLES[name].rows) - on_request
    assert {structure for _, structure in published} == {"LV", "RV", "MYO"}


def test_rows_have_their_own_trainers():
    trainers = {model.name: model.trainer for model in RECIPE.models}
    assert trainers == {
        "unet": "CardiacTrainer", "residual_unet": "CardiacTrainer", "e2a_unet": "E2AUNetTrainer",
        "crocnet_single": "CroCNetSingleTrainer", "crocnet": "CroCNetTrainer", "crocnet_released": "CroCNetTrainer",
    }  # fmt: skip
    assert "crocnet_released" not in {model.name for model in select(RECIPE, ()).models}


@pytest.mark.parametrize(
    ("table", "model", "structure", "dice", "distance"),
    [
        ("table1", "unet", "LV", "87.26", "13.04"),
        ("table1", "residual_unet", "RV", "88.41", "8.39"),
        ("table1", "e2a_unet", "MYO", "84.33", "3.02"),
        ("table1", "crocnet", "RV", "92.14", "4.10"),
        ("table2", "crocnet_single", "LV", "94.44", "3.10"),
        ("table2", "crocnet_single", "MYO", "84.58", "2.86"),
    ],
)
def test_numbers_are_those_of_the_paper(table, model, structure, dice, distance):
    row = published_numbers(TABLES[table], DATA_SET)[model, structure]
    assert (row["dice_mean"], row["hd_as_printed"]) == (dice, distance)


def test_means_over_the_structures_are_those_that_the_paper_prints():
    rows = published_numbers(TABLES["table1"], DATA_SET)
    printed = {
        "unet": (85.14, 11.35), "residual_unet": (85.38, 10.80), "e2a_unet": (89.91, 3.92), "crocnet": (90.89, 3.35),
    }  # fmt: skip
    for model, (dice, distance) in printed.items():
        of_model = [row for (name, _), row in rows.items() if name == model]
        for column, expected in (("dice_mean", dice), ("hd_as_printed", distance)):
            assert sum(float(row[column]) for row in of_model) / 3 == pytest.approx(expected, abs=0.011)


def test_metrics_are_those_of_the_convention_that_is_scored():
    assert set(METRICS) <= CONVENTIONS["crocnet"].metrics.keys()
    assert {table.options["convention"] for table in RECIPE.tables} == {"crocnet"}
    assert "crocnet" in RECIPE.evaluation
