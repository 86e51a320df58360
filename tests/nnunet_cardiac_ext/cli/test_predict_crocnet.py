"""`nnunet-cardiac predict crocnet` as it is typed."""

import pytest
from helpers.tiny_crocnet import write_tiny_crocnet
from helpers.tiny_model import write_image, write_tiny_model

from nnunet_cardiac_ext.cli.main import main


def test_the_model_is_found_by_data_set_number_and_by_folder(tmp_path, nnunet_root, capsys):
    model = write_tiny_crocnet(nnunet_root / "results")
    write_image(tmp_path / "in", "a", (1, 32, 32))
    common = ["predict", "crocnet", "-i", str(tmp_path / "in"), "-device", "cpu", "--quiet", "--disable_tta"]
    assert main([*common, "-o", str(tmp_path / "one"), "-d", "999", "-f", "0"]) == 0
    assert "1 cases written, both stages, folds 0 of CroCNetTrainer__" in capsys.readouterr().out
    assert main([*common, "-o", str(tmp_path / "two"), "-m", str(model), "--save_stage1", "--save_boxes"]) == 0
    assert (tmp_path / "one/a.nii.gz").read_bytes() == (tmp_path / "two/a.nii.gz").read_bytes()
    assert (tmp_path / "two/boxes.csv").is_file()
    capsys.readouterr()
    assert main([*common, "-o", str(tmp_path / "three"), "-d", "999", "--no-refine"]) == 0
    assert "1 cases written, stage 1, folds 0" in capsys.readouterr().out
    assert (tmp_path / "three/a.nii.gz").read_bytes() == (tmp_path / "two/stage1/a.nii.gz").read_bytes()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "predict crocnet: expected either -m or -d"),
        (["-d", "999", "-m", "MODEL"], "predict crocnet: expected either -m or -d"),
        (["-d", "999"], "no such model; trained are: nnUNetTrainer__nnUNetPlans__2d"),
        (["-m", "MODEL"], "expected a model of CroCNet, got PlainConvUNet"),
    ],
)
def test_wrong_use_is_one_line(tmp_path, nnunet_root, capsys, arguments, message):
    model = write_tiny_model(nnunet_root / "results")
    arguments = [str(model) if argument == "MODEL" else argument for argument in arguments]
    code = main(["predict", "crocnet", "-i", str(tmp_path), "-o", str(tmp_path / "o"), "-device", "cpu", *arguments])
    error = capsys.readouterr().err
    assert code == 2
    assert message in error
    assert error.count("\n") == 1
