from helpers.studies import row_named, study_in, write_slices


def test_each_training_has_a_configuration_and_a_place_of_its_own(tmp_path):
    study = study_in(tmp_path, seeds=(0, 1), folds=(0, 2), tag="short")
    names = [study.configuration(model, seed) for model, seed in study.trainings()]
    assert names[:2] == ["2d_p002_baseline_short_s0", "2d_p002_baseline_short_s1"]
    places = {study.evaluation(model, seed, fold) for model, seed in study.trainings() for fold in study.folds}
    assert len(places) == 8


def test_the_papers_settings_count_then_the_models_then_the_users(tmp_path):
    study = study_in(tmp_path, settings={"num_epochs": "5"})
    sampling20 = row_named(study, "sampling20")
    found = study.settings_of(sampling20, seed=3)
    paper = {"iterations_per_epoch": "250", "batch_size": "32", "initial_lr": "0.01"}
    assert found == paper | {"sampling_ratio": "20", "num_epochs": "5", "seed": "3"}
    smoke = study_in(tmp_path, smoke=True).settings_of(sampling20, seed=None)
    common = {key: value for key, value in study.recipe.smoke_settings.items() if "." not in key}
    assert smoke == common | {"sampling_ratio": "20"}


def test_only_the_chosen_models_are_run(tmp_path):
    study = study_in(tmp_path)
    assert [row.name for row in study.segmentations] == ["baseline", "sampling20"]
    assert study.classifiers == ()
    whole = study_in(tmp_path, models=())
    assert len(whole.classifiers) == 7
    assert [row.name for row in whole.segmentations][:5] == [
        "baseline", "baseline_tuned", "sampling4", "sampling20", "cascade",
    ]  # fmt: skip


def test_a_classifier_takes_only_settings_written_for_it(tmp_path):
    study = study_in(tmp_path, settings={"features": "4,8", "num_epochs": "5", "classifier.num_epochs": "7"})
    found = study.settings_of(row_named(study, "classifier_alexnet"), seed=None)
    assert found == {
        "backbone": "alexnet", "num_epochs": "7", "iterations_per_epoch": "250", "batch_size": "32",
    }  # fmt: skip


def test_a_model_that_starts_from_another_gets_its_weights_of_the_same_seed_and_fold(tmp_path):
    study = study_in(tmp_path, tag="small", settings={"num_epochs": "12"})
    tuned = row_named(study, "base_tuned")
    assert study.settings_of(tuned, seed=0)["initial_weights"] == (
        "CardiacTrainer__nnUNetPlans__2d_p002_baseline_small_s0/fold_{fold}/checkpoint_final.pth"
    )
    assert "initial_weights" not in study.settings_of(row_named(study, "base"), seed=0)


def test_a_longer_training_is_a_multiple_of_the_chosen_length(tmp_path):
    long = row_named(study_in(tmp_path), "baseline_long")
    assert study_in(tmp_path).settings_of(long, seed=None)["num_epochs"] == "3000"
    assert study_in(tmp_path, settings={"num_epochs": "12"}).settings_of(long, seed=None)["num_epochs"] == "36"
    # What is no number is left to `plan`, which says so.
    assert study_in(tmp_path, settings={"num_epochs": "many"}).settings_of(long, seed=None)["num_epochs"] == "many"


def test_settings_of_one_model_are_put_over_those_of_all(tmp_path):
    study = study_in(tmp_path, settings={"apex.num_epochs": "24", "num_epochs": "12"})
    lengths = {name: study.settings_of(row_named(study, name), seed=None)["num_epochs"] for name in ("base", "apex")}
    assert lengths == {"base": "12", "apex": "24"}


def test_predictions_lie_with_the_model_and_those_of_pipelines_with_the_study(nnunet_root, tmp_path):
    (nnunet_root / "raw" / "Dataset027_ACDC").mkdir()
    study = study_in(tmp_path, tag="small")
    folder = nnunet_root / "results/Dataset027_ACDC/ApexRegionTrainer__nnUNetPlans__2d_p002_apex_small_s1"
    assert study.model_folder("apex", 1) == folder
    assert study.segmented(row_named(study, "apex"), 1, 3) == folder / "fold_3/validation"
    assert study.segmented(row_named(study, "cascade"), 1, 3) == tmp_path / "predictions/2d_p002_cascade_small_s1_f3"


def test_rows_say_where_they_come_from(tmp_path):
    study = study_in(tmp_path, seeds=(5,), folds=(1,))
    write_slices(study, "baseline", {("LV", "base"): [0.5]}, seed=5, fold=1)
    (row,) = study.rows(study.segmentations[0], "slices.csv")
    assert (row["fold"], row["seed"], row["dice"]) == ("1", "5", "0.5")


def test_some_models_take_the_first_seed_only(tmp_path):
    study = study_in(tmp_path, seeds=(4, 5), once=("sampling20",))
    assert [(model.name, seed) for model, seed in study.trainings()] == [
        ("baseline", 4), ("baseline", 5), ("sampling20", 4),
    ]  # fmt: skip
    write_slices(study, "sampling20", {("LV", "base"): [0.5]}, seed=4)
    assert len(study.rows(study.segmentations[1], "slices.csv")) == 1


def test_a_configuration_is_named_after_the_stock_one_that_it_inherits_from(tmp_path):
    study = study_in(tmp_path, paper="000", tag="small")
    assert study.configuration(row_named(study, "unet2d"), 0) == "2d_p000_unet2d_small_s0"
    assert study.configuration(row_named(study, "att_mnet"), None) == "3d_fullres_p000_att_mnet_small"


def test_an_ablation_with_its_own_trainer_lies_in_that_trainers_folder(tmp_path):
    study = study_in(tmp_path, paper="000")
    folders = [study.folder_name(row_named(study, name), None) for name in ("att_mnet", "att_mnet_ddl")]
    assert folders == [
        "AttMnetTrainer__nnUNetPlans__3d_fullres_p000_att_mnet",
        "AttMnetDDLTrainer__nnUNetPlans__3d_fullres_p000_att_mnet_ddl",
    ]


def test_a_smoke_run_is_small_where_the_models_own_settings_are_of_the_papers_size(tmp_path):
    unet = row_named(study_in(tmp_path, paper="000"), "unet3d")
    assert study_in(tmp_path, paper="000").settings_of(unet, None)["features"] == "32,64,128,256,576"
    assert study_in(tmp_path, paper="000", smoke=True).settings_of(unet, None)["features"] == "4,8,16"
