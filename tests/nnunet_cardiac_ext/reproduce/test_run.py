import shutil

import pytest
from helpers.studies import study_in

from nnunet_cardiac_ext import discovery
from nnunet_cardiac_ext.errors import UsageError, WorkError
from nnunet_cardiac_ext.files import read_csv, read_json
from nnunet_cardiac_ext.reproduce import reproduce

SHORT = {"num_epochs": "1", "iterations_per_epoch": "3", "val_iterations_per_epoch": "1"}


@pytest.mark.slow
def test_a_smoke_run_makes_every_table_and_the_second_run_trains_nothing(tmp_path, monkeypatch):
    for variable in (*discovery.DIRECTORY_VARIABLES, discovery.TRAINER_VARIABLE):
        monkeypatch.delenv(variable, raising=False)
    study = study_in(tmp_path, smoke=True, settings=SHORT)
    page = reproduce(study).read_text()
    for table in study.recipe.tables:
        assert f"## {table.title}" in page
        assert read_csv(tmp_path / f"{table.name}.csv")
    assert {row["model"] for row in read_csv(tmp_path / "table3.csv")} == {"sampling20"}
    assert (tmp_path / "figure2.png").is_file()
    assert "its numbers say nothing" in page
    assert "iterations_per_epoch=3" in page
    assert "patch_size=96,96" in page
    models = sorted((tmp_path / "nnunet").rglob("checkpoint_final.pth"))
    assert len(models) == 2
    before = [path.stat().st_mtime_ns for path in models]
    assert reproduce(study).read_text() == page
    assert [path.stat().st_mtime_ns for path in models] == before
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
    ("models", "message"),
    [(("sampling20",), "expected baseline among them"), (("baseline", "x"), "expected some of baseline, .*, got 'x'")],
)
def test_models_that_cannot_be_compared_are_refused(tmp_path, models, message):
    with pytest.raises(UsageError, match=message):
        reproduce(study_in(tmp_path, models=models))
    assert list(tmp_path.iterdir()) == []
