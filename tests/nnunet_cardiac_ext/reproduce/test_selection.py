import pytest

from nnunet_cardiac_ext.errors import UsageError
from nnunet_cardiac_ext.recipes import CLASSIFIER, PART, ModelRecipe, PipelineRecipe, Recipe
from nnunet_cardiac_ext.reproduce.selection import check_once, check_settings, select, settings_for

RECIPE = Recipe(
    paper="000", data_set="acdc", configuration="2d", tables=(),
    models=(
        ModelRecipe("baseline", "B", "baseline"),
        ModelRecipe("long", "L", "baseline", epochs_factor=3, extra=True),
        ModelRecipe("apex", "A", "x", kind=PART),
        ModelRecipe("tuned", "T", "x", kind=PART, starts_from="baseline"),
        ModelRecipe("classifier_a", "CA", "y", kind=CLASSIFIER),
        ModelRecipe("classifier_b", "CB", "y", kind=CLASSIFIER),
    ),
    pipelines=(
        PipelineRecipe("cascade", "C", "z", {"classifier": "classifier_b", "apex": "apex"}),
        PipelineRecipe("cascade-tuned", "CT", "z", {"classifier": "classifier_b", "apex": "tuned"}),
    ),
    smoke_models=("cascade",),
)  # fmt: skip


def names(*chosen, smoke=False):
    selection = select(RECIPE, chosen, smoke=smoke)
    return [model.name for model in selection.models], [pipeline.name for pipeline in selection.pipelines]


def test_a_pipeline_pulls_in_its_models_and_the_baseline():
    assert names("cascade") == (["baseline", "apex", "classifier_b"], ["cascade"])


def test_a_model_pulls_in_the_one_that_it_starts_from():
    assert names("tuned") == (["baseline", "tuned"], [])
    assert names("cascade-tuned") == (["baseline", "tuned", "classifier_b"], ["cascade-tuned"])


def test_a_scored_model_pulls_in_the_baseline_and_a_classifier_does_not():
    assert names("long") == (["baseline", "long"], [])
    assert names("classifier_a") == (["classifier_a"], [])


def test_by_default_all_but_the_extras_are_run():
    models, pipelines = names()
    assert models == ["baseline", "apex", "tuned", "classifier_a", "classifier_b"]
    assert pipelines == ["cascade", "cascade-tuned"]
    assert names("all")[0] == [model.name for model in RECIPE.models]


def test_a_smoke_run_has_rows_of_its_own_unless_others_are_named():
    assert names(smoke=True) == names("cascade")
    assert names("long", smoke=True) == names("long")


def test_an_unknown_name_is_refused():
    with pytest.raises(UsageError, match=r"^--models: expected some of baseline, .*cascade-tuned, or all, got 'x'"):
        names("baseline", "x")


def test_settings_reach_the_models_by_their_keys():
    settings = {"seed": "1", "classifier.seed": "2", "apex.seed": "3", "classifier_b.seed": "4", "lr": "5"}
    found = {model.name: settings_for(model, settings) for model in RECIPE.models}
    assert found["baseline"] == found["tuned"] == {"seed": "1", "lr": "5"}
    assert found["apex"] == {"seed": "3", "lr": "5"}
    assert found["classifier_a"] == {"seed": "2"}
    assert found["classifier_b"] == {"seed": "4"}


def test_a_model_can_leave_a_common_setting_out():
    settings = {"seed": "1", "lr": "5", "apex.lr": "", "classifier.seed": "2", "classifier_b.seed": ""}
    found = {model.name: settings_for(model, settings) for model in RECIPE.models}
    assert found["apex"] == {"seed": "1"}
    assert found["baseline"] == {"seed": "1", "lr": "5"}
    assert (found["classifier_a"], found["classifier_b"]) == ({"seed": "2"}, {})


def test_an_empty_value_that_leaves_nothing_out_stays_to_be_refused():
    found = {model.name: settings_for(model, {"lr": "", "apex.rate": ""}) for model in RECIPE.models}
    assert found["baseline"] == {"lr": ""}
    assert found["apex"] == {"lr": "", "rate": ""}


def test_settings_of_no_model_are_refused():
    check_settings(RECIPE, ["seed", "classifier.seed", "apex.seed"])
    with pytest.raises(UsageError, match=r"^--set heart.seed: expected one of baseline, .* before the dot"):
        check_settings(RECIPE, ["heart.seed"])


def test_a_model_that_others_need_with_every_seed_cannot_be_run_once():
    selection = select(RECIPE, ("all",))
    check_once(RECIPE, selection, ["classifier_a", "long", "cascade"])
    check_once(RECIPE, selection, ["classifier_b", "cascade", "cascade-tuned"])
    with pytest.raises(UsageError, match=r"^--once classifier_b: .* but cascade-tuned needs it"):
        check_once(RECIPE, selection, ["classifier_b", "cascade"])
    with pytest.raises(UsageError, match=r"^--once: expected some of baseline, .*, got 'x'"):
        check_once(RECIPE, selection, ["x"])
