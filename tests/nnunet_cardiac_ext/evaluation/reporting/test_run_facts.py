import json

from nnunet_cardiac_ext.evaluation.reporting.run_facts import run_facts
from nnunet_cardiac_ext.evaluation.reporting.sources import Sources
from nnunet_cardiac_ext.evaluation.reporting.training_log import Training


def facts_of(tmp_path, plans, debug=None, name="ATrainer__nnUNetPlans__2d_x"):
    model = tmp_path / "Dataset001_A" / name
    (model / "fold_0").mkdir(parents=True)
    (model / "plans.json").write_text(json.dumps(plans))
    if debug:
        (model / "fold_0" / "debug.json").write_text(json.dumps(debug))
    sources = Sources(("a",), {"LV": 1}, tmp_path, None, None, {}, None, {}, None, None, None, model)
    return dict(run_facts(sources, [Training("0", {0: 1.0, 1: 0.5}, seconds={0: 30.0, 1: 60.0})]))


def test_model_settings_seed_and_device(tmp_path):
    plans = {"configurations": {"2d_x": {"cardiac": {"seed": 7, "sampling_ratio": 4}}}}
    debug = {"device": "cuda:0", "gpu_name": "H200", "torch_version": "2", "hostname": "mine", "network": "UNet"}
    found = facts_of(tmp_path, plans, debug)
    assert found["Model"] == "ATrainer, configuration 2d_x of nnUNetPlans, data set Dataset001_A"
    assert found["Seed"] == "7"
    assert found["Settings"] == "sampling_ratio = 4"
    assert found["Fold 0"] == "2 epochs in 1.5 min, Device cuda:0, GPU H200, PyTorch 2"
    assert found["Labels"] == "LV = 1"


def test_a_stock_model_has_no_seed_and_may_lack_facts(tmp_path):
    found = facts_of(tmp_path, {"configurations": {"2d_x": {}}})
    assert found["Seed"].startswith("none")
    assert "Settings" not in found
    assert found["Fold 0"] == "2 epochs in 1.5 min"


def test_facts_of_another_shape_are_left_out(tmp_path):
    for number, plans in enumerate(([], {"configurations": 3}, {"configurations": {"2d_x": {"cardiac": "x"}}})):
        assert facts_of(tmp_path / str(number), plans, [1])["Seed"].startswith("none")


def test_a_folder_of_another_name_is_named_as_it_is(tmp_path):
    assert facts_of(tmp_path, {}, name="mine")["Model"] == "mine, configuration ? of ?, data set Dataset001_A"
