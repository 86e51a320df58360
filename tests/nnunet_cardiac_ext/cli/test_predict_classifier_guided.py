"""`nnunet-cardiac predict classifier-guided` as it is typed."""

import pytest
from helpers.tiny_model import write_image, write_tiny_model
from helpers.tiny_stacks import write_stack_model

from nnunet_cardiac_ext.architectures.classifier_guided import PRESENT
from nnunet_cardiac_ext.cli.main import build_parser, main
from nnunet_cardiac_ext.files import read_json, write_json


def test_the_model_is_found_by_data_set_number_and_by_folder(tmp_path, nnunet_root, capsys):
    model = write_stack_model(nnunet_root / "results")
    write_image(tmp_path / "in", "a", (3, 32, 32))
    common = ["predict", "classifier-guided", "-i", str(tmp_path / "in"), "-device", "cpu", "--quiet", "--disable_tta"]
    assert main([*common, "-o", str(tmp_path / "one"), "-d", "999", "-c", "stack", "-f", "0"]) == 0
    assert "1 cases written, folds 0 of ClassifierGuidedTrainer__nnUNetPlans__stack" in capsys.readouterr().out
    assert main([*common, "-o", str(tmp_path / "two"), "-m", str(model), "--save_probabilities"]) == 0
    for name in ("a.nii.gz", "presence.csv"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()
    assert (tmp_path / "two" / "a.npz").is_file()
    assert main([*common, "-o", str(tmp_path / "all"), "-m", str(model), "--presence_threshold", "0"]) == 0
    assert ",no" in (tmp_path / "two" / "presence.csv").read_text()
    assert ",no" not in (tmp_path / "all" / "presence.csv").read_text()


def test_without_the_option_the_threshold_is_the_papers():
    arguments = build_parser("predict").parse_args(["classifier-guided", "-i", "in", "-o", "out", "-m", "model"])
    assert arguments.presence_threshold == PRESENT


def test_validation_cases_of_a_fold(tmp_path, nnunet_root, capsys):
    model = write_stack_model(nnunet_root / "results")
    data = read_json(model / "plans.json")["dataset_name"]
    for name in ("a", "b"):
        write_image(nnunet_root / "raw" / data / "imagesTr", name, (3, 32, 32))
    write_json(nnunet_root / "preprocessed" / data / "splits_final.json", [{"train": ["a"], "val": ["b"]}])
    command = ["predict", "classifier-guided", "-o", str(tmp_path / "out"), "-m", str(model), "-device", "cpu"]
    assert main([*command, "--quiet", "--validation", "-f", "0"]) == 0
    assert "1 cases written" in capsys.readouterr().out
    assert [path.name for path in (tmp_path / "out").glob("*.nii.gz")] == ["b.nii.gz"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-i", "."], "expected either -m or -d"),
        (["-m", "MODEL"], "predict classifier-guided: expected images, -i DIR, or --validation"),
        (["-m", "MODEL", "--validation"], "--validation: expected exactly one fold, -f FOLD, and no -i"),
        (["-i", ".", "-m", "MODEL", "-d", "999"], "expected either -m or -d"),
        (["-i", ".", "-m", "MODEL"], "expected a configuration of whole stacks"),
        (["-i", ".", "-d", "999"], "ClassifierGuidedTrainer__nnUNetPlans__stack_all_slice: no such model"),
        (["-i", ".", "-m", "MODEL", "--batch", "0"], "batch: expected at least 1"),
        (["-i", ".", "-m", "MODEL", "--presence_threshold", "1"], "expected at least 0 and below 1, got 1"),
    ],
)
def test_wrong_use_is_one_line(tmp_path, nnunet_root, capsys, arguments, message):
    model = write_tiny_model(nnunet_root / "results")
    arguments = [str(model) if argument == "MODEL" else argument for argument in arguments]
    command = ["predict", "classifier-guided", "-o", str(tmp_path), "-device", "cpu"]
    assert main([*command, *arguments]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
