"""The cardiac block: what is accepted, what is refused and in which words."""

import subprocess
import sys
from pathlib import Path

import pytest

from nnunet_cardiac_ext.errors import UsageError
from nnunet_cardiac_ext.settings import (
    CardiacSettings,
    checked_value,
    put_over,
    read_settings,
    settings_table,
    value_of,
)


def test_without_a_block_the_settings_are_those_of_nnunet():
    settings = read_settings(None)
    assert (settings.num_epochs, settings.iterations_per_epoch, settings.val_iterations_per_epoch) == (1000, 250, 50)
    assert (settings.initial_lr, settings.weight_decay, settings.momentum) == (1e-2, 3e-5, 0.99)
    assert (settings.oversample_foreground, settings.save_every, settings.deep_supervision) == (0.33, 50, True)
    assert (settings.optimizer, settings.schedule, settings.autocast, settings.augmentation) == (
        "sgd", "poly", "auto", "nnunet",
    )  # fmt: skip


def test_the_block_overrides_the_method_and_the_method_overrides_nnunet():
    settings = read_settings({"initial_lr": 0.1}, defaults={"initial_lr": 0.2, "num_epochs": 7})
    assert settings == CardiacSettings(initial_lr=0.1, num_epochs=7)


def test_changes_take_away_what_they_leave_without_an_effect():
    preset = {"schedule": "steps", "step_epochs": [7, 9], "initial_lr": 0.1, "patch_size": [8, 8]}
    assert put_over(preset, {"initial_lr": 0.2}) == preset | {"initial_lr": 0.2}
    assert put_over(preset, {"schedule": "none"}) == {"schedule": "none", "initial_lr": 0.1, "patch_size": [8, 8]}
    named = {"schedule": "none", "step_epochs": [3]}
    assert put_over(preset, named)["step_epochs"] == [3]  # left for `read_settings` to refuse


def test_changes_may_be_texts():
    preset = {"deep_supervision": "true", "deep_supervision_weights": "1,0.5"}
    assert put_over(preset, {"seed": "1"}) == preset | {"seed": "1"}
    assert put_over(preset, {"deep_supervision": "false"}) == {"deep_supervision": "false"}


@pytest.mark.parametrize(
    ("text", "value"),
    [("3", 3), ("1e-4", 1e-4), ("true", True), ("adam", "adam"), ("2,4", [2, 4]), ("[1, 2]", [1, 2]), ("null", None),
     ("", ""), ("a,b", ["a", "b"])],
)  # fmt: skip
def test_a_text_of_the_command_line_is_json_or_a_list_or_itself(text, value):
    assert value_of(text) == value


def test_lists_become_tuples_and_whole_numbers_floats():
    settings = read_settings({"schedule": "steps", "step_epochs": [100, 200], "initial_lr": 1})
    assert settings.step_epochs == (100, 200)
    assert isinstance(settings.initial_lr, float)


@pytest.mark.parametrize(
    ("key", "value", "converted"),
    [
        ("step_epochs", 5, (5,)),
        ("neighborhood_pairs", "A:A+B", ("A:A+B",)),
        ("deep_supervision_weights", None, None),
        ("seed", None, None),
        ("seed", 3, 3),
    ],
)
def test_single_numbers_and_null_stand_for_lists_and_absence(key, value, converted):
    assert checked_value(key, value) == converted


@pytest.mark.parametrize(
    ("block", "message"),
    [
        ({"epochs": 5}, "cardiac: unknown key epochs; known are num_epochs, "),
        ({"num_epochs": 0}, "cardiac.num_epochs: expected a whole number >= 1, got 0"),
        ({"num_epochs": 1.5}, "cardiac.num_epochs: expected a whole number >= 1, got 1.5"),
        ({"num_epochs": True}, "cardiac.num_epochs: expected a whole number >= 1, got True"),
        ({"initial_lr": "fast"}, "cardiac.initial_lr: expected a number > 0, got 'fast'"),
        ({"initial_lr": float("nan")}, "cardiac.initial_lr: expected a number > 0, got nan"),
        ({"momentum": 1}, "cardiac.momentum: expected a number >= 0 and < 1, got 1"),
        ({"channels_last": 1}, "cardiac.channels_last: expected true or false, got 1"),
        ({"optimizer": "lion"}, "cardiac.optimizer: expected one of sgd, adam, adamw, got 'lion'"),
        ({"seed": -1}, "cardiac.seed: expected a whole number >= 0 or null, got -1"),
        ({"sampling_ratio": 0.5}, "cardiac.sampling_ratio: expected a number >= 1, got 0.5"),
        ({"backbone": "vgg"}, "cardiac.backbone: expected one of alexnet, densenet121, mobilenet_v2, resnet18, "),
        (
            {"neighborhood_pairs": [1]},
            "cardiac.neighborhood_pairs: expected a list of texts, got [1]",
        ),
        ({"final_lr": 1e-5}, "cardiac.final_lr: has an effect only with schedule exponential, got schedule poly"),
        ({"class_weights": [1, 0]}, "cardiac.class_weights: expected a list of numbers > 0 or null, got [1, 0]"),
        ({"class_weights": [1, 2]}, "cardiac.class_weights: expected 4 numbers, one per region, got [1.0, 2.0]"),
        (
            {"deep_supervision_weights": [1, "a"]},
            "cardiac.deep_supervision_weights: expected a list of numbers >= 0 or null, got [1, 'a']",
        ),
        ([1], "cardiac: expected a JSON object, got [1]"),
    ],
)
def test_a_wrong_block_is_refused_in_one_line(block, message):
    with pytest.raises(UsageError) as failure:
        read_settings(block)
    assert str(failure.value).startswith(message)
    assert "\n" not in str(failure.value)


@pytest.mark.parametrize(
    ("block", "message"),
    [
        ({"momentum": 0.9, "optimizer": "adam"}, "momentum: has an effect only with optimizer sgd, got optimizer adam"),
        ({"plateau_patience": 3}, "plateau_patience: has an effect only with schedule plateau, got schedule poly"),
        (
            {"deep_supervision": False, "deep_supervision_weights": [1, 0.5]},
            "deep_supervision_weights: has an effect only with deep_supervision true, got deep_supervision false",
        ),
        ({"schedule": "steps"}, "step_epochs: expected at least one epoch with schedule steps, got none"),
        ({"schedule": "steps", "step_epochs": [9, 3]}, "step_epochs: expected ascending epochs, got [9, 3]"),
        ({"deep_supervision_weights": [0, 0]}, "deep_supervision_weights: expected a weight above 0, got [0.0, 0.0]"),
    ],
)
def test_an_impossible_combination_is_refused(block, message):
    with pytest.raises(UsageError, match=f"^plans\\.{message.replace('[', chr(92) + '[')}"):
        read_settings(block, where="plans")


def test_a_setting_that_the_method_makes_possible_is_accepted():
    assert read_settings({"plateau_patience": 3}, defaults={"schedule": "plateau"}).plateau_patience == 3


def test_the_docs_page_holds_the_table_of_all_settings():
    page = Path(__file__).parents[2] / "docs/methods/settings.md"
    assert settings_table() in page.read_text(encoding="utf-8")


def test_settings_and_plans_load_neither_torch_nor_nnunet():
    code = "import sys, nnunet_cardiac_ext.plans; print([m for m in ('torch', 'nnunetv2') if m in sys.modules])"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert shown.strip() == "[]"
