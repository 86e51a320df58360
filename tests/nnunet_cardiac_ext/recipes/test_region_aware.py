import pytest

from nnunet_cardiac_ext.architectures.slice_classifier import smallest_edge
from nnunet_cardiac_ext.recipes import CLASSIFIER, RECIPES, SEGMENTATION
from nnunet_cardiac_ext.registry import PRESETS
from nnunet_cardiac_ext.reproduce.tables import published_numbers

RECIPE = RECIPES["002"]
TABLES = {table.name: table for table in RECIPE.tables}


def test_it_holds_every_model_and_row_of_the_paper():
    names = {item.name for item in (*RECIPE.models, *RECIPE.pipelines)}
    assert {"baseline", "sampling4", "sampling20", "base", "middle", "apex", "cascade", "cascade-reference"} <= names
    assert len([model for model in RECIPE.models if model.kind == CLASSIFIER]) == 7


def test_classifiers_are_named_after_their_backbone():
    for model in RECIPE.models:
        if model.kind == CLASSIFIER:
            assert model.settings == {"backbone": model.name.removeprefix("classifier_")}


def test_cascades_differ_in_their_regions_and_in_how_region_models_began():
    found = {pipeline.name: (pipeline.models["apex"], pipeline.options) for pipeline in RECIPE.pipelines}
    assert found["cascade"] == ("apex", ("--regions", "predicted"))
    assert found["cascade-reference"] == ("apex", ("--regions", "reference"))
    assert found["cascade-extent"] == ("apex", ("--regions", "extent"))
    assert found["cascade-tuned-ordered"] == ("apex_tuned", ("--regions", "ordered"))
    assert len(set(found.values())) == len(found) == 10
    starts = {model.name: model.starts_from for model in RECIPE.models}
    assert [starts[f"{region}_tuned"] for region in ("base", "middle", "apex")] == ["baseline"] * 3
    assert [starts[region] for region in ("base", "middle", "apex")] == [""] * 3


def test_a_smoke_run_has_a_row_of_every_kind():
    models = {model.name: model.kind for model in RECIPE.models}
    assert {models.get(name, "pipeline") for name in RECIPE.smoke_models} == {SEGMENTATION, CLASSIFIER, "pipeline"}
    smallest = min(int(edge) for edge in RECIPE.smoke_settings["classifier.patch_size"].split(","))
    assert smallest >= smallest_edge("densenet121")


@pytest.mark.parametrize(
    ("table", "data_set", "key", "column", "value"),
    [
        ("table1", "ACDC", ("MYO", "apex"), "mean_percent", "64.99"),
        ("table1", "ACDC", ("MYO", "apex"), "sd_percent", "33.28"),
        # The abstract of the results: the cascade's apex of the LV myocardium in ACDC gains 7.60.
        ("table3", "ACDC", ("cascade", "MYO", "apex"), "mean_change_points", "7.60"),
        ("table3", "NHS", ("sampling20", "LV", "base"), "mean_change_points", "-0.06"),
        ("table2", "NHS", ("classifier_densenet121", "all"), "precision_percent", "91.72"),
        ("table2", "NHS", ("classifier_densenet121", "all"), "recall_percent", "91.50"),
        ("table2", "NHS", ("classifier_vgg11_bn", "all"), "recall_percent", "91.06"),
    ],
)
def test_numbers_are_those_of_the_paper(table, data_set, key, column, value):
    assert published_numbers(TABLES[table], data_set)[key][column] == value


def test_all_numbers_of_the_paper_are_there():
    counts = {("table1", "NHS"): 9, ("table2", "NHS"): 7, ("table3", "MNMs"): 12}
    for (table, data_set), count in counts.items():
        assert len(published_numbers(TABLES[table], data_set)) == count
    # The sum over the seven classifiers of the paper's Table 2, added up by hand.
    table2 = published_numbers(TABLES["table2"], "NHS").values()
    assert sum(float(row["precision_percent"]) for row in table2) == pytest.approx(628.73)


def test_the_best_classifier_of_the_paper_is_in_the_cascades():
    assert {pipeline.models["classifier"] for pipeline in RECIPE.pipelines} == {"classifier_densenet121"}
    assert PRESETS["region-classifier"].trainer == "RegionClassifierTrainer"
