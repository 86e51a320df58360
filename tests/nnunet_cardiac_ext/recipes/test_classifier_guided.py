import pytest

from nnunet_cardiac_ext.plans import PLAN_KEYS
from nnunet_cardiac_ext.recipes import RECIPES
from nnunet_cardiac_ext.recipes.classifier_guided import PROPOSED
from nnunet_cardiac_ext.reproduce.selection import select
from nnunet_cardiac_ext.reproduce.tables import published_numbers

RECIPE = RECIPES["004"]
TABLES = {table.name: table for table in RECIPE.tables}


def test_every_row_of_the_tables_is_a_model_and_every_number_is_there():
    published = published_numbers(TABLES["table2"], "ACDC")
    assert {model for model, *_ in published} == {model.name for model in RECIPE.models if not model.extra}
    assert len(published) == 8 * 3 * 3
    assert [model.name for model in select(RECIPE, ()).models] == [m.name for m in RECIPE.models if not m.extra]


def test_the_rows_differ_in_the_parts_that_their_names_say():
    for model in RECIPE.models:
        if model.extra or model.name == "det_seg":
            continue
        assert model.name in TABLES["table2"].rows
        parts = {key: model.settings[key] == "true" for key in ("fusion", "refinement", "presence")}
        assert parts == {
            "fusion": model.name.startswith("as_"), "refinement": "_ref" in model.name,
            "presence": model.name.endswith("_mt"),
        }  # fmt: skip
        assert model.trainer == "ClassifierGuidedTrainer"
        assert model.pipeline == ("classifier-guided" if parts["presence"] else "")
    assert RECIPE.models[0].name == "ss_seg"
    assert set(TABLES["table1"].rows) == {"ss_seg", "as_seg", "det_seg", PROPOSED}
    assert "det_seg" not in TABLES["table2"].rows


@pytest.mark.parametrize(
    ("model", "structure", "region", "value"),
    [
        ("ss_seg", "RV", "apex", "0.800"),
        ("as_seg", "RV", "apex", "0.830"),
        ("as_seg", "RV", "base", "0.899"),
        ("as_seg_ref_mt", "RV", "base", "0.920"),
        ("as_seg_mt", "MYO", "middle", "0.905"),
        ("ss_seg_ref_mt", "LV", "base", "0.952"),
        ("as_seg_ref", "LV", "apex", "0.911"),
        ("det_seg", "RV", "apex", "0.789"),
        ("det_seg", "MYO", "base", "0.843"),
    ],
)
def test_numbers_are_those_of_the_paper(model, structure, region, value):
    assert published_numbers(TABLES["table2"], "ACDC")[model, structure, region]["dice_mean"] == value


def test_the_evaluation_scores_what_the_tables_show_by_thirds():
    assert RECIPE.evaluation[:2] == ("--scheme", "thirds")
    scored = set(RECIPE.evaluation[3].split(","))
    assert {metric for table in RECIPE.tables for metric in table.options["metrics"]} == scored


def test_a_smoke_run_is_small_in_every_row():
    sizes = {key for key in RECIPE.smoke_settings if key.rpartition(".")[2] in PLAN_KEYS}
    assert {"features", "patch_size", "batch_size", "spacing", "sk_unet_2d.patch_size"} <= sizes
    # The heads of the transformers divide the last width.
    assert int(RECIPE.smoke_settings["features"].split(",")[-1]) % 8 == 0
