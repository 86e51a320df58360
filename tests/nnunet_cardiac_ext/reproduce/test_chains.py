import json
import os

import pytest
from helpers.acdc_files import write_database
from helpers.studies import row_named, study_in
from helpers.tiny_plans import tiny_plans

from dataset_conversion.acdc import convert
from nnunet_cardiac_ext import discovery
from nnunet_cardiac_ext.cli.main import build_parser
from nnunet_cardiac_ext.errors import UsageError
from nnunet_cardiac_ext.files import read_json, write_json
from nnunet_cardiac_ext.plans import plan
from nnunet_cardiac_ext.reproduce.chains import (
    data_steps,
    environment,
    pipeline_steps,
    require_data,
    training_steps,
)


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


def test_further_labels_are_welcome(dataset, tmp_path):
    described = read_json(dataset / "dataset.json")
    write_json(dataset / "dataset.json", described | {"labels": {**described["labels"], "scar": 4}})
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


@pytest.fixture
def planned(dataset, nnunet_root):
    """The folder of preprocessed data with plans, the preprocessed cases already there."""
    folder = nnunet_root / "preprocessed" / dataset.name
    (folder / "nnUNetPlans_2d").mkdir(parents=True)
    (folder / "nnUNetPlans.json").write_text(json.dumps(tiny_plans()))
    for label in (dataset / "labelsTr").glob("*.nii.gz"):
        (folder / "nnUNetPlans_2d" / f"{label.name.removesuffix('.nii.gz')}.pkl").touch()
    return folder


def steps_of(study, name, seed=None):
    """The steps of a model's training; its configuration is written as the first of them would do."""
    model = row_named(study, name)
    chain = training_steps(study, model, seed)
    first = next(chain)
    assert first.command[:6] == ("nnunet-cardiac", "plan", "-d", "27", "--preset", model.preset)
    plan(27, "baseline", {"num_epochs": 5}, name=study.configuration(model, seed), overwrite=True)
    return [first, *chain]


def test_a_scored_model_is_planned_trained_and_evaluated(planned, nnunet_root, tmp_path):
    study = study_in(tmp_path, settings={"num_epochs": "5"}, folds=(0, 2))
    plans, *others = steps_of(study, "sampling20", seed=3)
    assert {"sampling_ratio=20", "num_epochs=5", "seed=3"} <= set(plans.command)
    assert [step.name for step in others] == ["train_f0", "evaluate_f0", "train_f2", "evaluate_f2"]
    train, evaluate = others[2:]
    name = "2d_p002_sampling20_s3"
    assert train.command == (
        "nnUNetv2_train", "27", name, "2", "-tr", "RegionSamplingTrainer", "-device", "cpu", "--c",
    )  # fmt: skip
    folder = nnunet_root / "results/Dataset027_ACDC" / f"RegionSamplingTrainer__nnUNetPlans__{name}" / "fold_2"
    assert (train.epochs, train.product) == (5, folder / "validation/summary.json")
    assert evaluate.command[evaluate.command.index("-pred") + 1] == str(folder / "validation")
    assert "--slices" in evaluate.command


def test_missing_data_are_preprocessed(planned, tmp_path):
    next((planned / "nnUNetPlans_2d").iterdir()).unlink()
    names = [step.name for step in steps_of(study_in(tmp_path), "baseline")]
    assert names == ["plan", "preprocess_nnUNetPlans_2d", "train_f0", "evaluate_f0"]


def test_a_training_that_lacks_only_its_validation_makes_up_for_it(planned, tmp_path):
    study = study_in(tmp_path)
    folder = study.model_folder("baseline", None) / "fold_0"
    folder.mkdir(parents=True)
    (folder / "checkpoint_final.pth").touch()
    train = steps_of(study, "baseline")[1]
    assert (train.command[-1], train.epochs) == ("--val", None)


def test_a_part_of_a_pipeline_is_done_when_it_is_trained(planned, tmp_path):
    study = study_in(tmp_path)
    plans, train = steps_of(study, "apex")
    assert "final_validation=false" in plans.command
    assert train.product == study.model_folder("apex", None) / "fold_0/checkpoint_final.pth"
    tuned = steps_of(study, "apex_tuned", seed=1)[0]
    source = "CardiacTrainer__nnUNetPlans__2d_p002_baseline_s1/fold_{fold}/checkpoint_final.pth"
    assert f"initial_weights={source}" in tuned.command


def test_a_classifier_is_scored_by_its_own_validation(planned, tmp_path):
    study = study_in(tmp_path, settings={"features": "4,8", "classifier.num_epochs": "7"})
    plans, train = steps_of(study, "classifier_alexnet")
    assert plans.command[plans.command.index("--set") + 1 :] == (
        "num_epochs=7", "iterations_per_epoch=250", "batch_size=32", "backbone=alexnet",
    )  # fmt: skip
    assert train.command[4:6] == ("-tr", "RegionClassifierTrainer")
    assert train.product == study.model_folder("classifier_alexnet", None) / "fold_0/validation/summary.json"


def test_a_pipeline_gets_the_models_of_its_seed_and_is_evaluated(planned, tmp_path):
    study = study_in(tmp_path, tag="small")
    predict, evaluate = pipeline_steps(study, row_named(study, "cascade-tuned-ordered"), 2)
    words = iter(predict.command)
    assert [next(words) for _ in range(9)] == [
        "nnunet-cardiac", "predict", "region-cascade", "--validation", "-d", "27", "-f", "0", "-m",
    ]  # fmt: skip
    models = dict(next(words).split("=", 1) for _ in range(5))
    assert models == {
        "baseline": str(study.model_folder("baseline", 2)),
        "classifier": str(study.model_folder("classifier_densenet121", 2)),
        "base": str(study.model_folder("base_tuned", 2)),
        "middle": str(study.model_folder("middle_tuned", 2)),
        "apex": str(study.model_folder("apex_tuned", 2)),
    }
    output = tmp_path / "predictions/2d_p002_cascade-tuned-ordered_small_s2_f0"
    assert list(words) == ["--regions", "ordered", "-o", str(output), "-device", "cpu"]
    assert evaluate.command[evaluate.command.index("-pred") + 1] == str(output)
    scores = tmp_path / "evaluations/2d_p002_cascade-tuned-ordered_small_s2_f0"
    assert evaluate.command[evaluate.command.index("-o") + 1] == str(scores)


def test_a_model_with_a_pipeline_is_scored_by_what_that_predicts(planned, tmp_path):
    study = study_in(tmp_path, paper="004")
    _, train, predict, evaluate = steps_of(study, "as_seg_mt", seed=2)
    folder, output = study.model_folder("as_seg_mt", 2), tmp_path / "predictions/2d_p004_as_seg_mt_s2_f0"
    assert train.product == folder / "fold_0/validation/summary.json"
    assert predict.command == (
        "nnunet-cardiac", "predict", "classifier-guided", "--validation", "-f", "0", "-m", str(folder),
        "-o", str(output), "-device", "cpu",
    )  # fmt: skip
    assert evaluate.command[evaluate.command.index("-pred") + 1] == str(output)


def test_predictions_older_than_a_model_are_made_anew(planned, tmp_path):
    study = study_in(tmp_path)
    cascade = row_named(study, "cascade")
    weights = study.model_folder("middle", None) / "fold_0/checkpoint_final.pth"
    prediction = study.segmented(cascade, None, 0) / "a.nii.gz"
    for path in (weights, prediction):
        path.parent.mkdir(parents=True)
        path.touch()
    os.utime(weights, (1000, 1000))
    assert "--overwrite" not in next(pipeline_steps(study, cascade, None)).command
    os.utime(prediction, (500, 500))
    assert next(pipeline_steps(study, cascade, None)).command[-1] == "--overwrite"


@pytest.mark.parametrize("paper", ["002", "004"])
def test_the_parsers_know_every_command_of_ours(planned, tmp_path, paper):
    study = study_in(tmp_path, paper=paper, models=("all",), seeds=(1,))
    chains = [steps_of(study, model.name, 1) for model in study.selection.models]
    chains += [list(pipeline_steps(study, pipeline, 1)) for pipeline in study.selection.pipelines]
    commands = [step.command for chain in chains for step in chain if step.command[0] == "nnunet-cardiac"]
    assert {command[1] for command in commands} == {"plan", "predict", "evaluate"}
    for _, subcommand, *arguments in commands:
        build_parser(subcommand).parse_args(arguments)
