"""The main job from end to end, small, and what its steps are."""

import sys

import pytest

from nnunet_cardiac_ext.cli.main import main
from nnunet_cardiac_ext.demo import DemoOptions, demo, recipe
from nnunet_cardiac_ext.errors import UsageError
from nnunet_cardiac_ext.files import read_csv, read_json
from nnunet_cardiac_ext.steps import Runner

TINY = {
    "features": "4,8,8", "patch_size": "64,64", "batch_size": "2", "iterations_per_epoch": "2",
    "val_iterations_per_epoch": "1",
}  # fmt: skip


@pytest.fixture
def tiny_recipe(monkeypatch):
    """A recipe that takes seconds and learns nothing."""
    monkeypatch.setattr(recipe, "SETTINGS", recipe.SETTINGS | TINY)
    for name, value in {"PHANTOM_SUBJECTS": 5, "PHANTOM_TESTING": 1, "PHANTOM_EPOCHS": 1, "ACDC_EPOCHS": 1}.items():
        monkeypatch.setattr(recipe, name, value)
    # The demo sets these for its commands; the test's own environment stays as it was.
    for name in ("nnUNet_raw", "nnUNet_preprocessed", "nnUNet_results", "nnUNet_extTrainer"):
        monkeypatch.setenv(name, "")


@pytest.mark.slow
def test_from_phantoms_to_report_and_again_from_an_acdc_folder(tiny_recipe, tmp_path, capsys):
    first = demo(DemoOptions(output=tmp_path / "one", workers=1))
    assert {structure for structure, _ in first.dice} <= {"LV", "RV", "MYO"}
    assert (tmp_path / "one" / "report.html").stat().st_size > 10_000
    assert {row["case"][:10] for row in read_csv(tmp_path / "one" / "evaluation" / "metrics.csv")} == {"patient006"}
    steps = list(read_json(tmp_path / "one" / "steps.json"))
    first_half = ["phantom", "convert", "fingerprint", "plan", "preprocess"]
    assert steps == [*first_half, "train", "predict", "evaluate", "report"]

    capsys.readouterr()
    assert demo(DemoOptions(output=tmp_path / "one", workers=1)).dice == first.dice
    assert capsys.readouterr().out.count("done before") == len(steps)

    # The phantoms' training part alone is an ACDC folder without a labelled test part: the fold's patients are unseen.
    source = tmp_path / "one" / "phantoms" / "training"
    second = demo(DemoOptions(source=source, output=tmp_path / "two", workers=1, minutes=0.0001))
    scored = {row["case"][:10] for row in read_csv(tmp_path / "two" / "evaluation" / "metrics.csv")}
    raw = tmp_path / "two" / "nnunet" / "nnUNet_raw" / "Dataset027_ACDC"
    assert scored == {case[:10] for case in read_json(raw / "splits_final.json")[recipe.FOLD]["val"]}
    assert second.ejection_fractions["LV"].truth == "the reference contours"
    assert "num_epochs=1" in read_json(tmp_path / "two" / "steps.json")["minutes"]["command"]


def test_an_absent_folder_is_one_line(tmp_path, capsys):
    assert main(["demo", "-i", str(tmp_path / "no"), "-o", str(tmp_path / "out")]) == 2
    assert capsys.readouterr().err == f"nnunet-cardiac: {tmp_path / 'no'}: expected an ACDC folder, but there is none\n"
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("minutes", [0, -1, float("nan"), float("inf")])
def test_minutes_must_be_positive(tmp_path, minutes):
    with pytest.raises(UsageError, match=f"--minutes: expected a positive number, got {minutes}"):
        demo(DemoOptions(output=tmp_path, minutes=minutes))


@pytest.mark.parametrize("change", [{"seed": 1}, {"minutes": 3.0}, {"source": True}], ids=str)
def test_a_folder_keeps_to_the_demo_it_was_begun_with(tmp_path, monkeypatch, change):
    for name in ("nnUNet_raw", "nnUNet_preprocessed", "nnUNet_results", "nnUNet_extTrainer"):
        monkeypatch.setenv(name, "")
    begun = []
    monkeypatch.setattr(Runner, "run", lambda *_: begun.append(1) or sys.exit("enough"))
    for _ in range(2):
        with pytest.raises(SystemExit, match="enough"):
            demo(DemoOptions(output=tmp_path / "out"))
    change = {"source": tmp_path} if "source" in change else change
    with pytest.raises(UsageError, match=r"found that of .*phantoms.*; choose another -o"):
        demo(DemoOptions(output=tmp_path / "out", **change))
    assert len(begun) == 2
