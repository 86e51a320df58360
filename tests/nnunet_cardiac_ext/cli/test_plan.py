"""`nnunet-cardiac plan` in-process."""

import json

import pytest

from nnunet_cardiac_ext.cli.main import main
from nnunet_cardiac_ext.cli.plan import parse_change


def test_it_writes_the_configuration_and_prints_the_commands(plans_file, capsys):
    arguments = ["--set", "num_epochs=5", "--set", "features=4,8,8,16", "--set", "schedule=none", "--name", "mine"]
    assert main(["plan", "-d", "999", "--preset", "region-sampling", *arguments]) == 0
    mine = json.loads(plans_file.read_text())["configurations"]["mine"]
    assert mine["cardiac"] == {"sampling_ratio": 20.0, "num_epochs": 5, "schedule": "none"}
    assert mine["architecture"]["arch_kwargs"]["features_per_stage"] == [4, 8, 8, 16]
    shown = capsys.readouterr().out
    assert f"wrote configuration mine in {plans_file}" in shown
    assert "  nnUNetv2_train 999 mine 0 -tr RegionSamplingTrainer\n" in shown


def test_a_group_is_shown_briefly_with_all_commands(plans_file, capsys):
    assert main(["plan", "-d", "999", "--preset", "region-cascade", "--set", "num_epochs=5", "base.num_epochs=7"]) == 0
    shown = capsys.readouterr().out
    for part, epochs in (("baseline", 5), ("classifier", 5), ("base", 7), ("middle", 5), ("apex", 5)):
        assert f"wrote configuration 2d_cascade_{part} in {plans_file}\n  cardiac: {{" in shown
        block = shown.partition(f"configuration 2d_cascade_{part} in")[2].splitlines()[1]
        assert f'"num_epochs": {epochs}' in block
    assert "inherits_from" not in shown
    assert "  nnUNetv2_train 999 2d_cascade_apex 0 -tr ApexRegionTrainer\n" in shown
    assert shown.endswith("  nnunet-cardiac predict region-cascade -i IMAGES -o PREDICTIONS -d 999\n")


def test_an_unknown_member_is_one_line(plans_file, capsys):
    assert main(["plan", "-d", "999", "--preset", "region-cascade", "--set", "heart.num_epochs=5"]) == 2
    shown = capsys.readouterr().err
    assert "--set heart.num_epochs: expected one of baseline, classifier, base, middle, apex before the dot" in shown
    assert shown.count("\n") == 1


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
