import shutil

import pytest
from helpers.studies import study_in

from nnunet_cardiac_ext import discovery
from nnunet_cardiac_ext.errors import UsageError, WorkError
from nnunet_cardiac_ext.files import read_csv, read_json
from nnunet_cardiac_ext.reproduce import reproduce

WAYS = ("ordered", "extent", "reference", "blended")
SHORT = {"num_epochs": "1", "iterations_per_epoch": "3", "val_iterations_per_epoch": "1"}
SHORT |= {f"classifier.{key}": value for key, value in SHORT.items()}


@pytest.mark.slow
def test_a_smoke_run_makes_every_table_and_the_second_run_trains_nothing(tmp_path, monkeypatch):
    for variable in (*discovery.DIRECTORY_VARIABLES, discovery.TRAINER_VARIABLE):
        monkeypatch.delenv(variable, raising=False)
    study = study_in(tmp_path, smoke=True, settings=SHORT, models=())
    page = reproduce(study).read_text()
    tables = {table.name: table.title for table in study.recipe.tables}
    # No tuned region models in a smoke run.
    del tables["figure2_tuned"]
    for name, title in tables.items():
        assert f"## {title}\n" in page
        assert read_csv(tmp_path / f"{name}.csv")
    rows = {row["model"] for row in read_csv(tmp_path / "table3.csv")}
    assert rows == {"sampling20", "cascade"} | {f"cascade-{way}" for way in WAYS}
    regions = {row["model"]: row["accuracy_percent"] for row in read_csv(tmp_path / "regions.csv")}
    assert (float(regions["cascade-reference"]), regions["cascade-blended"]) == (100, "")
    assert (tmp_path / "figure2.png").is_file()
    assert "its numbers say nothing" in page
    assert "iterations_per_epoch=3" in page
    assert "patch_size=96,96" in page
    trained = sorted((tmp_path / "nnunet").rglob("checkpoint_final.pth"))
    assert len(trained) == 6
    made = trained + sorted((tmp_path / "predictions").rglob("*.nii.gz"))
    before = [path.stat().st_mtime_ns for path in made]
    assert reproduce(study).read_text() == page
    assert [path.stat().st_mtime_ns for path in made] == before
    # A changed setting under the same name must not pass for the models that are there.
    with pytest.raises(WorkError, match=r"plan failed .*--overwrite"):
        reproduce(study_in(tmp_path, smoke=True, settings=SHORT | {"num_epochs": "2"}))
    shutil.rmtree(tmp_path / "nnunet")


def test_a_folder_keeps_to_one_study(nnunet_root, tmp_path):
    with pytest.raises(UsageError, match="Dataset027_"):
        reproduce(study_in(tmp_path / "out"))
    assert read_json(tmp_path / "out" / "study.json")["dataset_id"] == 27
    with pytest.raises(UsageError, match="choose another -o"):
        reproduce(study_in(tmp_path / "out", smoke=True))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"models": ("baseline", "x")}, r"^--models: expected some of baseline, .*, or all, got 'x'"),
        ({"settings": {"heart.seed": "1"}}, r"^--set heart.seed: expected one of baseline, .* before the dot"),
    ],
)
def test_models_that_do_not_exist_are_refused(tmp_path, options, message):
    with pytest.raises(UsageError, match=message):
        reproduce(study_in(tmp_path, **options))
    assert list(tmp_path.iterdir()) == []
