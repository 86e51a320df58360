from helpers.studies import study_in, write_slices


def test_each_training_has_a_configuration_and_a_place_of_its_own(tmp_path):
    study = study_in(tmp_path, seeds=(0, 1), folds=(0, 2), tag="short")
    names = [study.configuration(model, seed) for model, seed in study.trainings()]
    assert names[:2] == ["2d_p002_baseline_short_s0", "2d_p002_baseline_short_s1"]
    places = {study.evaluation(model, seed, fold) for model, seed in study.trainings() for fold in study.folds}
    assert len(places) == 8


def test_the_papers_settings_count_then_the_models_then_the_users(tmp_path):
    study = study_in(tmp_path, settings={"num_epochs": "5"})
    _, sampling20 = study.chosen
    found = study.settings_of(sampling20, seed=3)
    assert found == dict(study.recipe.paper_settings) | {"sampling_ratio": "20", "num_epochs": "5", "seed": "3"}
    smoke = study_in(tmp_path, smoke=True).settings_of(sampling20, seed=None)
    assert smoke == dict(study.recipe.smoke_settings) | {"sampling_ratio": "20"}


def test_only_the_chosen_models_are_run(tmp_path):
    assert [model.name for model in study_in(tmp_path).chosen] == ["baseline", "sampling20"]
    assert len(study_in(tmp_path, models=()).chosen) == 3


def test_rows_say_where_they_come_from(tmp_path):
    study = study_in(tmp_path, seeds=(5,), folds=(1,))
    write_slices(study, "baseline", {("LV", "base"): [0.5]}, seed=5, fold=1)
    (row,) = study.rows(study.chosen[0], "slices.csv")
    assert (row["fold"], row["seed"], row["dice"]) == ("1", "5", "0.5")
