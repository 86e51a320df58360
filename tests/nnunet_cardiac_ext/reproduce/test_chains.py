import pytest
from helpers.acdc_files import write_database
from helpers.studies import study_in

from dataset_conversion.acdc import convert
from nnunet_cardiac_ext import discovery
from nnunet_cardiac_ext.errors import UsageError
from nnunet_cardiac_ext.files import read_json, write_json
from nnunet_cardiac_ext.reproduce.chains import data_steps, environment, require_data


@pytest.fixture
def dataset(nnunet_root, tmp_path):
    return convert(write_database(tmp_path / "database"), 27, workers=1, quiet=True).folder


def test_a_planned_data_set_is_not_planned_again(dataset, nnunet_root, tmp_path):
    (step,) = data_steps(study_in(tmp_path))
    assert step.command[:3] == ("nnUNetv2_plan_and_preprocess", "-d", "27")
    assert step.product == nnunet_root / "preprocessed" / dataset.name / "nnUNetPlans.json"


def test_a_smoke_run_draws_and_converts_first(dataset, tmp_path):
    names = [step.name for step in data_steps(study_in(tmp_path, smoke=True))]
    assert names == ["phantom", "convert", "plan"]


def test_labels_of_another_kind_are_refused(dataset, tmp_path):
    require_data(study_in(tmp_path))
    described = read_json(dataset / "dataset.json")
    write_json(dataset / "dataset.json", described | {"labels": {"background": 0, "scar": 1}})
    with pytest.raises(UsageError, match="expected the labels LV, MYO, RV of a data set such as ACDC, got scar"):
        require_data(study_in(tmp_path))


def test_a_data_set_without_folds_by_subject_is_refused(dataset, tmp_path):
    (dataset / "splits_final.json").unlink()
    with pytest.raises(UsageError, match=r"expected splits_final\.json by subject"):
        require_data(study_in(tmp_path))


def test_commands_get_nnunets_folders_and_our_trainers(dataset, tmp_path, monkeypatch):
    monkeypatch.setenv(discovery.TRAINER_VARIABLE, "here")
    variables = environment(study_in(tmp_path, workers=3))
    assert variables["nnUNet_def_n_proc"] == "3"
    assert variables["nnUNet_n_proc_DA"] == "1"
    assert variables[discovery.TRAINER_VARIABLE] == "here"
    assert "nnUNet_n_proc_DA" not in environment(study_in(tmp_path, device="cuda"))
