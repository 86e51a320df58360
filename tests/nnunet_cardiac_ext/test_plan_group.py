"""All configurations of a pipeline written at once."""

import copy
import json

import pytest
from helpers.tiny_plans import tiny_plans
from nnunetv2.utilities.plans_handling.plans_handler import PlansManager

from nnunet_cardiac_ext.errors import UsageError
from nnunet_cardiac_ext.plan_group import plan_group
from nnunet_cardiac_ext.registry import PRESET_GROUPS, PRESETS
from nnunet_cardiac_ext.settings import read_settings

PARTS = ("baseline", "classifier", "base", "middle", "apex")


def _configurations(path):
    return json.loads(path.read_text())["configurations"]


def test_each_part_gets_a_configuration_that_nnunet_reads(plans_file):
    before = _configurations(plans_file)
    planned = plan_group(999, "region-cascade")
    assert tuple(planned.members) == PARTS
    after = _configurations(plans_file)
    assert set(after) - set(before) == {f"2d_cascade_{part}" for part in PARTS}
    assert {name: after[name] for name in before} == before
    manager = PlansManager(str(plans_file))
    assert {manager.get_configuration(f"2d_cascade_{part}").data_identifier for part in PARTS} == {"nnUNetPlans_2d"}


def test_the_commands_preprocess_once_train_five_and_predict(plans_file):
    commands = plan_group(999, "region-cascade").commands
    assert commands == (
        "nnUNetv2_preprocess -d 999 -c 2d_cascade_baseline",
        "nnUNetv2_train 999 2d_cascade_baseline 0 -tr CardiacTrainer",
        "nnUNetv2_train 999 2d_cascade_classifier 0 -tr RegionClassifierTrainer",
        "nnUNetv2_train 999 2d_cascade_base 0 -tr BaseRegionTrainer",
        "nnUNetv2_train 999 2d_cascade_middle 0 -tr MiddleRegionTrainer",
        "nnUNetv2_train 999 2d_cascade_apex 0 -tr ApexRegionTrainer",
        "nnunet-cardiac predict region-cascade -i IMAGES -o PREDICTIONS -d 999",
    )
    (plans_file.parent / "nnUNetPlans_2d").mkdir()
    assert plan_group(999, "region-cascade").commands == commands[1:]


def test_the_commands_name_another_prefix_and_other_plans(plans_file):
    plans_file.rename(plans_file.with_name("mine.json"))
    *others, predict = plan_group(999, "region-cascade", name="2d_fast", plans="mine").commands
    assert predict.endswith("-d 999 -c 2d_fast -p mine")
    assert [command.endswith(("-plans_name mine", "-p mine")) for command in others] == [True] * 6
    assert "2d_fast_apex" in others[-1]


def test_a_key_goes_into_all_and_one_with_a_part_into_that_one(plans_file):
    plan_group(999, "region-cascade", {"num_epochs": 5, "base.num_epochs": 7, "apex.batch_dice": False})
    written = _configurations(plans_file)
    epochs = {part: written[f"2d_cascade_{part}"]["cardiac"]["num_epochs"] for part in PARTS}
    assert epochs == {"baseline": 5, "classifier": 5, "base": 7, "middle": 5, "apex": 5}
    assert [part for part in PARTS if "batch_dice" in written[f"2d_cascade_{part}"]] == ["apex"]


def test_keys_of_the_unet_leave_the_classifier_alone(plans_file):
    plan_group(999, "region-cascade", {"features": [4, 8, 8, 16], "norm": "batch", "convolutions": 2})
    written = _configurations(plans_file)
    widths = {
        part: written[f"2d_cascade_{part}"]["architecture"]["arch_kwargs"]["features_per_stage"]
        for part in PARTS
        if part != "classifier"
    }
    assert set(map(tuple, widths.values())) == {(4, 8, 8, 16)}
    plan_group(999, "region-cascade", name="2d_stock")
    assert written["2d_cascade_classifier"] == _configurations(plans_file)["2d_stock_classifier"]
    with pytest.raises(UsageError, match=r"^norm: expected a preset .* U-Net, got region-classifier"):
        plan_group(999, "region-cascade", {"classifier.norm": "batch"}, name="2d_other")


def test_the_patch_of_the_classifier_need_not_pass_the_unets_strides(plans_file):
    plan_group(999, "region-cascade", {"classifier.patch_size": [30, 31]})
    assert _configurations(plans_file)["2d_cascade_classifier"]["patch_size"] == [30, 31]


def test_another_spacing_is_preprocessed_once_for_all(plans_file):
    planned = plan_group(999, "region-cascade", {"spacing": [1, 1]})
    assert {each.data.name for each in planned.members.values()} == {"nnUNetPlans_2d_1x1"}
    assert sum(command.startswith("nnUNetv2_preprocess") for command in planned.commands) == 1
    mixed = plan_group(999, "region-cascade", {"apex.spacing": [1, 1]}, name="2d_mixed")
    assert [command.split()[-1] for command in mixed.commands if "preprocess" in command] == [
        "2d_mixed_baseline", "2d_mixed_apex",
    ]  # fmt: skip


def test_all_are_written_or_none(plans_file):
    plan_group(999, "region-cascade", {"num_epochs": 5})
    before = plans_file.read_text()
    with pytest.raises(UsageError, match=r"holds another configuration 2d_cascade_apex"):
        plan_group(999, "region-cascade", {"num_epochs": 5, "apex.num_epochs": 6})
    with pytest.raises(UsageError, match=r"^cardiac.num_epochs: expected a whole number >= 1, got 0"):
        plan_group(999, "region-cascade", {"apex.num_epochs": 0}, name="2d_new")
    assert plans_file.read_text() == before
    changed = plan_group(999, "region-cascade", {"num_epochs": 5, "apex.num_epochs": 6}, overwrite=True)
    assert [part for part, each in changed.members.items() if each.written] == ["apex"]


def test_writing_the_same_again_changes_nothing(plans_file):
    plan_group(999, "region-cascade", {"num_epochs": 5})
    before = plans_file.stat().st_mtime_ns
    assert not any(each.written for each in plan_group(999, "region-cascade", {"num_epochs": 5}).members.values())
    assert plans_file.stat().st_mtime_ns == before


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"basis.num_epochs": 5}, r"--set basis.num_epochs: expected one of baseline, .* before the dot, got 'basis'"),
        ({"base.depth": 5}, "unknown key depth; known are "),
        ({"depth": 5}, "unknown key depth; known are "),
    ],
)
def test_unknown_members_and_keys_are_refused(plans_file, changes, message):
    before = plans_file.read_text()
    with pytest.raises(UsageError, match=f"^{message}"):
        plan_group(999, "region-cascade", changes)
    assert plans_file.read_text() == before


def test_an_unknown_group_and_a_bad_prefix_are_refused(plans_file):
    with pytest.raises(UsageError, match=r"^--preset: expected one of region-cascade"):
        plan_group(999, "magic")
    with pytest.raises(UsageError, match=r"^--name: "):
        plan_group(999, "region-cascade", name="a__b")


def test_plans_without_the_stock_configuration_are_refused(plans_file):
    content = tiny_plans()
    content["configurations"] = {"3d_fullres": copy.deepcopy(content["configurations"]["2d"])}
    plans_file.write_text(json.dumps(content))
    with pytest.raises(UsageError, match=r"expected a configuration 2d, found 3d_fullres"):
        plan_group(999, "region-cascade")


@pytest.mark.parametrize("group", PRESET_GROUPS.values(), ids=lambda group: group.name)
def test_every_group_is_of_presets_with_valid_settings(group):
    assert set(group.members.values()) <= PRESETS.keys()
    for preset in group.members.values():
        read_settings(PRESETS[preset].settings)
