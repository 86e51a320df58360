import pydoc
import subprocess
import sys
from importlib import resources

import pytest

from nnunet_cardiac_ext.plans import PLAN_KEYS, UNET_KEYS
from nnunet_cardiac_ext.recipes import CLASSIFIER, PART, RECIPES, SEGMENTATION
from nnunet_cardiac_ext.registry import DATA_SETS, PAPERS, PIPELINES, PRESET_GROUPS, PRESETS
from nnunet_cardiac_ext.reproduce.selection import check_settings
from nnunet_cardiac_ext.reproduce.tables import published_numbers
from nnunet_cardiac_ext.settings import KNOWN

recipes = pytest.mark.parametrize("recipe", RECIPES.values(), ids=list(RECIPES))


@recipes
def test_a_recipe_names_only_what_exists(recipe):
    assert recipe.paper in PAPERS
    assert recipe.data_set in DATA_SETS
    assert {model.preset for model in recipe.models} <= PRESETS.keys()
    assert {pipeline.pipeline for pipeline in recipe.pipelines} <= PIPELINES.keys()
    rows = {item.name for item in (*recipe.models, *recipe.pipelines)}
    assert {name for table in recipe.tables for name in table.rows} <= rows
    assert set(recipe.smoke_models) <= rows


@recipes
def test_all_settings_are_known_and_reach_a_model(recipe):
    blocks = [recipe.smoke_settings, recipe.paper_settings]
    for block in blocks:
        check_settings(recipe, block)
    keys = {key.rpartition(".")[2] for block in (*blocks, *(m.settings for m in recipe.models)) for key in block}
    assert keys <= {*KNOWN, *PLAN_KEYS}
    assert not {f"{CLASSIFIER}.{key}" for key in UNET_KEYS} & {key for block in blocks for key in block}


@recipes
def test_each_row_and_table_has_a_name_of_its_own(recipe):
    for items in ((*recipe.models, *recipe.pipelines), recipe.tables):
        assert len({item.name for item in items}) == len(items)


@recipes
def test_models_come_after_what_they_start_from_and_the_first_is_scored(recipe):
    assert recipe.models[0].kind == SEGMENTATION
    seen = set()
    for model in recipe.models:
        assert model.kind in (SEGMENTATION, PART, CLASSIFIER)
        assert model.starts_from in ("", *seen)
        seen.add(model.name)


@recipes
def test_a_part_that_is_not_scored_is_not_predicted_by_itself(recipe):
    for model in recipe.models:
        assert (model.kind == PART) == (model.settings.get("final_validation") == "false")


@recipes
def test_pipelines_get_a_model_of_the_right_preset_for_each_part(recipe):
    presets = {model.name: model.preset for model in recipe.models}
    for pipeline in recipe.pipelines:
        members = PRESET_GROUPS[pipeline.pipeline].members
        assert {part: presets[name] for part, name in pipeline.models.items()} == members


@recipes
def test_each_table_can_be_built_and_says_how(recipe):
    for table in recipe.tables:
        assert callable(pydoc.locate(table.build))
        assert table.definition.endswith(".")
        assert "  " not in table.definition


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


def test_importing_recipes_loads_neither_torch_nor_nnunet():
    code = "import sys, nnunet_cardiac_ext.recipes; print({'torch', 'nnunetv2', 'numpy'} & sys.modules.keys())"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "set()"
