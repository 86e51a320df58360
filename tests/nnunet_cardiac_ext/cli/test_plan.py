"""`nnunet-cardiac plan` in-process."""

import json

import pytest
from helpers.tiny_plans import tiny_plans

from nnunet_cardiac_ext.cli.main import main
from nnunet_cardiac_ext.cli.plan import parse_change


@pytest.fixture
def plans_file(nnunet_root):
    path = nnunet_root / "preprocessed/Dataset999_Tiny/nnUNetPlans.json"
    path.parent.mkdir()
    path.write_text(json.dumps(tiny_plans()))
    return path


def test_it_writes_the_configuration_and_prints_the_commands(plans_file, capsys):
    arguments = ["--set", "num_epochs=5", "--set", "features=4,8,8,16", "--set", "schedule=none", "--name", "mine"]
    assert main(["plan", "-d", "999", "--preset", "region-sampling", *arguments]) == 0
    mine = json.loads(plans_file.read_text())["configurations"]["mine"]
    assert mine["cardiac"] == {"sampling_ratio": 20.0, "num_epochs": 5, "schedule": "none"}
    assert mine["architecture"]["arch_kwargs"]["features_per_stage"] == [4, 8, 8, 16]
    shown = capsys.readouterr().out
    assert f"wrote configuration mine in {plans_file}" in shown
    assert "  nnUNetv2_train 999 mine 0 -tr RegionSamplingTrainer\n" in shown


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--set", "nonsense"], "--set: expected KEY=VALUE, got 'nonsense'"),
        (["--set", "num_epochs=many"], "cardiac.num_epochs: expected a whole number >= 1, got 'many'"),
        (["--set", "nonsense=1"], "unknown key nonsense; known are "),
        (["-p", "other"], "other.json: not found"),
    ],
)
def test_wrong_use_is_one_line_and_exit_code_2(plans_file, capsys, options, message):
    assert main(["plan", "-d", "999", "--preset", "baseline", *options]) == 2
    shown = capsys.readouterr().err
    assert message in shown
    assert shown.count("\n") == 1


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a=3", 3), ("a=3e-4", 3e-4), ("a=true", True), ("a=null", None), ("a=sgd", "sgd"), ("a=1,2", [1, 2]),
        ("a=[1, 2]", [1, 2]), ("a = x=y ", "x=y"),
    ],
)  # fmt: skip
def test_values_are_json_lists_or_text(text, value):
    assert parse_change(text) == ("a", value)
