"""`nnunet-cardiac predict slices` as it is typed."""

import nibabel as nib
import numpy as np
import pytest
from helpers.acdc_files import save_nifti
from helpers.nnunet_prediction import read
from helpers.tiny_model import write_image, write_tiny_model

from nnunet_cardiac_ext.cli.main import main


def test_model_is_found_by_data_set_number_and_by_folder(tmp_path, nnunet_root, capsys):
    model = write_tiny_model(nnunet_root / "results")
    write_image(tmp_path / "in", "a", (2, 32, 32))
    common = ["predict", "slices", "-i", str(tmp_path / "in"), "-device", "cpu", "--quiet"]
    assert main([*common, "-o", str(tmp_path / "one"), "-d", "999", "-c", "2d", "-f", "0"]) == 0
    assert "1 cases written" in capsys.readouterr().out
    assert main([*common, "-o", str(tmp_path / "two"), "-m", str(model), "--save_probabilities"]) == 0
    assert (tmp_path / "one" / "a.nii.gz").read_bytes() == (tmp_path / "two" / "a.nii.gz").read_bytes()
    assert (tmp_path / "two" / "a.npz").is_file()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "expected either -m or both -d and -c"),
        (["-d", "999"], "expected either -m or both -d and -c"),
        (["-m", "MODEL", "-d", "999"], "expected either -m or both -d and -c"),
        (["-m", "/nowhere"], "expected a trained model folder with dataset.json"),
        (["-d", "999", "-c", "2d_other"], "trained are: nnUNetTrainer__nnUNetPlans__2d"),
        (["-d", "998", "-c", "2d"], "expected a folder Dataset998_*"),
        (["-d", "heart", "-c", "2d"], "expected a number or a name like"),
        (["-m", "MODEL", "-f", "x"], "-f: expected numbers or all, got 'x'"),
        (["-m", "MODEL", "-f", "4"], "expected fold_4/checkpoint_final.pth, found 0"),
        (["-m", "MODEL", "-num_parts", "2", "-part_id", "2"], "-part_id: expected 0 to 1, got 2"),
        (["-m", "MODEL", "-step_size", "2"], "step size: expected above 0 and at most 1, got 2"),
        (["-m", "MODEL", "--batch", "0"], "batch: expected at least 1"),
        (["-m", "MODEL"], "no such folder of images"),
    ],
)
def test_wrong_use_is_one_line(tmp_path, nnunet_root, capsys, arguments, message):
    model = write_tiny_model(nnunet_root / "results")
    arguments = [str(model) if argument == "MODEL" else argument for argument in arguments]
    code = main(["predict", "slices", "-i", str(tmp_path / "none"), "-o", str(tmp_path), "-device", "cpu", *arguments])
    error = capsys.readouterr().err
    assert code == 2
    assert message in error
    assert error.count("\n") == 1


def test_broken_image_ends_with_one(tmp_path, capsys):
    model = write_tiny_model(tmp_path / "results")
    write_image(tmp_path / "in", "a", (2, 32, 32))
    (tmp_path / "in" / "b_0000.nii.gz").write_bytes(b"no image")
    command = ["predict", "slices", "-i", str(tmp_path / "in"), "-o", str(tmp_path / "out"), "-m", str(model)]
    assert main([*command, "-device", "cpu", "--quiet"]) == 1
    error = capsys.readouterr().err
    assert "1 of 2 cases not predicted" in error
    assert error.splitlines()[-1].startswith("nnunet-cardiac:")
    assert (tmp_path / "out" / "a.nii.gz").is_file()


def test_a_cine_becomes_one_file_of_labels(tmp_path, capsys):
    model = write_tiny_model(tmp_path / "results")
    write_image(tmp_path / "in", "a", (2, 32, 32))
    stack = read(tmp_path / "in" / "a_0000.nii.gz")
    save_nifti(tmp_path / "in" / "b_0000.nii.gz", np.stack([stack, stack[::-1]]), spacing=(10.0, 1.5, 1.5))
    command = ["predict", "slices", "-i", str(tmp_path / "in"), "-o", str(tmp_path / "out"), "-m", str(model)]
    assert main([*command, "-device", "cpu", "--quiet"]) == 0
    assert "2 cases written" in capsys.readouterr().out
    labels = nib.load(tmp_path / "out" / "b.nii.gz")
    assert labels.header.get_zooms()[:3] == (1.5, 1.5, 10.0)
    np.testing.assert_array_equal(np.asarray(labels.dataobj)[..., 0].T, read(tmp_path / "out" / "a.nii.gz"))
