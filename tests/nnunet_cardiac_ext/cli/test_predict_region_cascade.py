"""`nnunet-cardiac predict region-cascade` as it is typed, with a real classifier."""

import json
import shutil

import numpy as np
import pytest
from helpers.acdc_files import save_nifti
from helpers.tiny_cascade import write_tiny_cascade
from helpers.tiny_dataset import CASES, NAME, VALIDATION, write_preprocessed_dataset
from helpers.tiny_model import write_image, write_tiny_model

from inference_pipelines.cascade_models import load_models
from nnunet_cardiac_ext.cli.main import main
from nnunet_cardiac_ext.evaluation.heart.images import LabelImage, read_frames
from nnunet_cardiac_ext.region_table import read_region_table

COMMAND = ["predict", "region-cascade", "-device", "cpu", "--quiet"]


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    return write_tiny_cascade(tmp_path_factory.mktemp("results"))


def given(folders):
    return ["-m", *(f"{name}={folder}" for name, folder in folders.items())]


def test_models_of_a_data_set_predict_a_folder(tmp_path, nnunet_root, capsys):
    folders = write_tiny_cascade(nnunet_root / "results")
    for case in ("a", "b"):
        write_image(tmp_path / "in", case, (4, 36, 40), seed=ord(case))
    assert main([*COMMAND, "-i", str(tmp_path / "in"), "-o", str(tmp_path / "out"), "-d", "999", "-f", "0"]) == 0
    captured = capsys.readouterr()
    assert captured.out == f"{tmp_path}/out: 2 cases written, regions predicted\n"
    assert captured.err == ""
    names = {path.name for path in (tmp_path / "out").iterdir() if path.suffix != ".json"}
    assert names == {"a.nii.gz", "b.nii.gz", "regions", "regions.csv"}
    rows = read_region_table(tmp_path / "out" / "regions.csv")
    assert [(row.case, row.slice) for row in rows] == [(case, number) for case in "ab" for number in range(4)]
    models = load_models(folders)
    image = models.baseline.preprocess([tmp_path / "in" / "a_0000.nii.gz"]).image
    np.testing.assert_allclose([row.probabilities for row in rows[:4]], models.classify(image), atol=1e-6)


def test_models_by_their_folders_and_another_way_of_regions(tmp_path, trained, capsys):
    write_image(tmp_path / "in", "a", (3, 32, 32))
    command = [*COMMAND, "-i", str(tmp_path / "in"), "-o", str(tmp_path / "out"), *given(trained)]
    assert main([*command, "--regions", "blended", "--save_probabilities", "--disable_tta"]) == 0
    assert (tmp_path / "out" / "a.npz").is_file()
    assert main(command) == 2
    assert "have regions blended, wanted is predicted" in capsys.readouterr().err


@pytest.mark.slow
def test_validation_cases_of_a_fold_with_reference_regions(tmp_path, nnunet_root, capsys):
    write_preprocessed_dataset(nnunet_root)
    write_tiny_cascade(nnunet_root / "results")
    command = [*COMMAND, "-d", "999", "-o", str(tmp_path / "out"), "--validation"]
    assert main([*command, "-f", "0", "--regions", "reference"]) == 0
    rows = read_region_table(tmp_path / "out" / "regions.csv")
    assert {row.case for row in rows} == set(VALIDATION)
    # Seven slices, hearts in the inner five: one at each end, see tiny_dataset.
    assert [row.used for row in rows] == [0, 1, 2, 2, 2, 3, 0]
    assert [row.region for row in rows] == [row.used for row in rows]
    record = json.loads((tmp_path / "out" / "predict_from_raw_data_args.json").read_text())
    assert record["list_of_lists_or_source_folder"] == str(nnunet_root / "raw" / NAME / "imagesTr")
    assert len(CASES) > len(VALIDATION)
    capsys.readouterr()
    assert main([*command, "-f", "1"]) == 2
    assert "expected fold_1/checkpoint_final.pth, found 0" in capsys.readouterr().err


def test_models_of_different_folds_are_used_with_a_warning(tmp_path, trained, capsys):
    shutil.copytree(trained["base"], tmp_path / "base")
    shutil.move(tmp_path / "base" / "fold_0", tmp_path / "base" / "fold_3")
    write_image(tmp_path / "in", "a", (2, 32, 32))
    folders = trained | {"base": tmp_path / "base"}
    assert main([*COMMAND, "-i", str(tmp_path / "in"), "-o", str(tmp_path / "out"), *given(folders)]) == 0
    error = capsys.readouterr().err
    assert error.startswith("nnunet-cardiac: the models were trained on different folds (baseline 0,")
    assert "base 3" in error
    assert error.count("\n") == 1


def test_a_broken_image_ends_with_one(tmp_path, trained, capsys):
    write_image(tmp_path / "in", "a", (2, 32, 32))
    (tmp_path / "in" / "b_0000.nii.gz").write_bytes(b"no image")
    assert main([*COMMAND, "-i", str(tmp_path / "in"), "-o", str(tmp_path / "out"), *given(trained)]) == 1
    assert "1 of 2 cases not predicted: b: " in capsys.readouterr().err
    assert (tmp_path / "out" / "a.nii.gz").is_file()


def test_measure_reads_the_labels_of_a_cine(tmp_path, trained):
    frames = np.random.default_rng(0).normal(100, 30, (2, 3, 32, 32)).astype(np.float32)
    save_nifti(tmp_path / "in" / "heart_0000.nii.gz", frames, spacing=(10.0, 1.5, 1.25))
    assert main([*COMMAND, "-i", str(tmp_path / "in"), "-o", str(tmp_path / "out"), *given(trained)]) == 0
    found, remarks = read_frames(LabelImage("heart", tmp_path / "out" / "heart.nii.gz"), {"RV": 1, "MYO": 2, "LV": 3})
    assert [frame.frame for frame in found] == [0, 1]
    assert found[0].volume.spacing == (10.0, 1.5, 1.25)
    assert remarks == []
    assert {row.frame for row in read_region_table(tmp_path / "out" / "regions.csv")} == {0, 1}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-d", "999"], "expected images, -i DIR, or --validation"),
        (["-d", "999", "--validation"], "--validation: expected exactly one fold, -f FOLD, and no -i"),
        (["-d", "999", "--validation", "-f", "0", "1"], "--validation: expected exactly one fold"),
        (["-d", "999", "--validation", "-f", "0", "-i", "IN"], "--validation: expected exactly one fold"),
        (["-i", "IN"], "expected -d, or -m baseline=DIR"),
        (["-i", "IN", "-m", "base"], "-m: expected NAME=DIR, each name once, got 'base'"),
        (["-i", "IN", "-m", "base=a", "base=b"], "-m: expected NAME=DIR, each name once, got 'base=b'"),
        (["-i", "IN", "-m", "top=a"], "with a name of baseline, classifier, base, middle, apex, got 'top'"),
        (["-i", "IN", "-d", "999", "-f", "x"], "-f: expected numbers or all, got 'x'"),
        (["-i", "IN", "-d", "999", "-num_parts", "2", "-part_id", "2"], "-part_id: expected 0 to 1, got 2"),
        (["-i", "IN", "-d", "999", "--regions", "best"], "invalid choice: 'best'"),
        (["-i", "IN", "-d", "999"], "model baseline: "),
        (["-i", "IN", "-d", "999"], "CardiacTrainer__nnUNetPlans__2d_cascade_baseline: no such model"),
        (
            ["-i", "IN", "-d", "999", "-c", "2d_other", "-p", "myPlans"],
            "/CardiacTrainer__myPlans__2d_other_baseline",
        ),
    ],
)
def test_wrong_use_is_one_line(tmp_path, nnunet_root, capsys, arguments, message):
    write_tiny_model(nnunet_root / "results")
    assert main([*COMMAND, "-o", str(tmp_path / "out"), *arguments]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--regions", "reference"], "--regions reference: expected the folder of reference labels, -ref LABELS"),
        (["-ref", "none"], "-ref none: no such folder of labels"),
        (["--regions", "ordered"], "--regions ordered: expected region_order.json in each fold"),
        ([], "no such folder of images"),
    ],
)
def test_what_is_missing_is_one_line(tmp_path, trained, capsys, arguments, message):
    classifier = shutil.copytree(trained["classifier"], tmp_path / "classifier")
    (classifier / "fold_0" / "region_order.json").unlink()
    folders = trained | {"classifier": classifier}
    command = [*COMMAND, "-i", str(tmp_path / "in"), "-o", str(tmp_path / "out"), *given(folders)]
    assert main([*command, *arguments]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert not (tmp_path / "out").exists()
