import pydoc
import subprocess
import sys
from importlib import resources

import pytest

from nnunet_cardiac_ext.plans import PLAN_KEYS
from nnunet_cardiac_ext.recipes import RECIPES
from nnunet_cardiac_ext.registry import DATA_SETS, PAPERS, PRESETS
from nnunet_cardiac_ext.reproduce.tables import published_numbers
from nnunet_cardiac_ext.settings import KNOWN

recipes = pytest.mark.parametrize("recipe", RECIPES.values(), ids=list(RECIPES))


@recipes
def test_a_recipe_names_only_what_exists(recipe):
    assert recipe.paper in PAPERS
    assert recipe.data_set in DATA_SETS
    assert {model.preset for model in recipe.models} <= PRESETS.keys()
    settings = [recipe.smoke_settings, recipe.paper_settings, *(model.settings for model in recipe.models)]
    assert {key for block in settings for key in block} <= {*KNOWN, *PLAN_KEYS}


@recipes
def test_each_model_and_table_has_a_name_of_its_own(recipe):
    for items in (recipe.models, recipe.tables):
        assert len({item.name for item in items}) == len(items)


@recipes
def test_each_table_can_be_built_and_says_how(recipe):
    for table in recipe.tables:
        assert callable(pydoc.locate(table.build))
        assert table.definition.endswith(".")


@recipes
def test_published_numbers_have_the_tables_keys(recipe):
    for table in recipe.tables:
        if table.published:
            path = resources.files("nnunet_cardiac_ext.reproduce") / "published" / table.published
            data_sets = {line.split(",")[0] for line in path.read_text().splitlines()[1:]}
            for name in data_sets:
                rows = published_numbers(table, name)
                assert rows
                assert all(set(table.keys) <= row.keys() for row in rows.values())


def test_numbers_are_those_of_the_paper():
    table1, table3, _ = RECIPES["002"].tables
    assert published_numbers(table1, "ACDC")["MYO", "apex"] | {"label": "", "region": ""} == {
        "label": "", "region": "", "mean_percent": "64.99", "sd_percent": "33.28", "significant": "yes",
    }  # fmt: skip
    # From the abstract of the results: the cascade's apex of the LV myocardium in ACDC gains 7.60.
    assert published_numbers(table3, "ACDC")["cascade", "MYO", "apex"]["mean_change_points"] == "7.60"
    assert published_numbers(table3, "NHS")["sampling20", "LV", "base"]["mean_change_points"] == "-0.06"
    assert (len(published_numbers(table1, "NHS")), len(published_numbers(table3, "MNMs"))) == (9, 12)


def test_importing_recipes_loads_neither_torch_nor_nnunet():
    code = "import sys, nnunet_cardiac_ext.recipes; print({'torch', 'nnunetv2', 'numpy'} & sys.modules.keys())"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "set()"
