"""Configurations written into plans files."""

import copy
import json
import re

import pytest
from helpers.tiny_plans import tiny_plans
from helpers.tiny_volume import with_3d_configuration
from nnunetv2.utilities.plans_handling.plans_handler import PlansManager

from nnunet_cardiac_ext.errors import UsageError
from nnunet_cardiac_ext.plans import plan, resolved
from nnunet_cardiac_ext.registry import PRESETS, TRAINERS
from nnunet_cardiac_ext.settings import read_settings


@pytest.fixture
def plans_file(nnunet_root):
    path = nnunet_root / "preprocessed/Dataset999_Tiny/nnUNetPlans.json"
    path.parent.mkdir()
    path.write_text(json.dumps(tiny_plans(num_epochs=3)))
    return path


def _configurations(path):
    return json.loads(path.read_text())["configurations"]


def test_a_preset_inherits_from_the_stock_configuration_and_shares_its_data(plans_file):
    planned = plan(999, "region-sampling")
    assert planned.written
    written = PlansManager(str(plans_file)).get_configuration("2d_region_sampling")
    assert written.data_identifier == "nnUNetPlans_2d"
    assert written.configuration["cardiac"] == {"sampling_ratio": 20.0}
    assert written.configuration["inherits_from"] == "2d"


def test_other_configurations_and_keys_stay_as_they_were(plans_file):
    before = json.loads(plans_file.read_text())
    plan(999, "baseline", {"num_epochs": 5})
    after = json.loads(plans_file.read_text())
    assert after["configurations"].pop("2d_baseline") == {"inherits_from": "2d", "cardiac": {"num_epochs": 5}}
    assert after == before


def test_changes_go_where_nnunet_reads_them(plans_file):
    changes = {"features": [4, 8, 8, 16], "batch_size": 5, "patch_size": [64, 32], "batch_dice": False, "seed": 1}
    plan(999, "baseline", changes, name="mine")
    mine = PlansManager(str(plans_file)).get_configuration("mine")
    assert (mine.batch_size, mine.patch_size, mine.batch_dice) == (5, [64, 32], False)
    assert mine.network_arch_init_kwargs["features_per_stage"] == [4, 8, 8, 16]
    assert mine.configuration["cardiac"] == {"seed": 1}


@pytest.fixture
def volumes_file(plans_file):
    """Plans with a 3D configuration besides."""
    plans_file.write_text(json.dumps(with_3d_configuration(tiny_plans())))
    return plans_file


def test_the_attention_mnet_stands_in_the_architecture_block(volumes_file):
    plan(999, "attention-mnet", {"features": [2, 3, 4], "gate": "spatial", "norm": "instance", "convolutions": 1})
    written = PlansManager(str(volumes_file)).get_configuration("3d_attention_mnet")
    assert written.network_arch_class_name.endswith(".AttentionMNet")
    kwargs = written.network_arch_init_kwargs
    assert (kwargs["features_per_stage"], kwargs["gate"], kwargs["n_conv_per_stage"]) == ([2, 3, 4], "spatial", [1] * 3)
    assert kwargs["norm_op"] == "torch.nn.modules.instancenorm.InstanceNorm3d"
    assert (written.patch_size, written.batch_size) == ([36, 96, 96], 8)


def test_crocnet_and_its_first_stage_stand_in_the_architecture_block(plans_file):
    changes = {"features": [2, 4, 6], "specialist_features": [2, 4], "crop_size": 24, "margin": 3, "design": "released"}
    plan(999, "crocnet", changes)
    plan(999, "e2a-unet", {"features": [2, 4, 6], "design": "released"})
    both, first = (PlansManager(str(plans_file)).get_configuration(name) for name in ("2d_crocnet", "2d_e2a_unet"))
    kwargs = both.network_arch_init_kwargs
    expected = changes | {"stage1_design": "paper", "features_per_stage": changes["features"]}
    del expected["features"]
    assert {key: kwargs[key] for key in expected} == expected
    assert (first.network_arch_init_kwargs["design"], first.batch_size, both.batch_size) == ("released", 8, 8)
    assert both.configuration["cardiac"]["step_epochs"] == [100, 200]


def test_a_network_of_a_single_output_is_trained_without_deep_supervision(volumes_file):
    content = plan(999, "baseline-3d", {"network": "deepmedic"}).content
    assert content["cardiac"] == {"deep_supervision": False}
    with pytest.raises(UsageError, match=r"^deep_supervision: expected false, the network fcn has a single output$"):
        plan(999, "baseline-3d", {"network": "fcn", "deep_supervision": True}, name="mine")


def test_a_configuration_of_stacks_has_a_spacing_of_two_and_a_patch_of_three_numbers(plans_file):
    planned = plan(999, "all-slice")
    written = PlansManager(str(plans_file)).get_configuration("stack_all_slice")
    assert (written.spacing, written.patch_size, written.batch_size) == ([1.3, 1.3], [24, 48, 48], 4)
    assert written.data_identifier == "nnUNetPlans_2d_1.3x1.3"
    assert written.network_arch_class_name.endswith("ClassifierGuidedNet")
    assert planned.commands == (
        "nnUNetv2_preprocess -d 999 -c stack_all_slice",
        "nnUNetv2_train 999 stack_all_slice 0 -tr ClassifierGuidedTrainer",
    )


def test_configurations_of_stacks_share_the_data_of_their_spacing(plans_file):
    names = [plan(999, "all-slice", {"fusion": on}, name=f"row{on}").data.name for on in (True, False)]
    assert set(names) == {"nnUNetPlans_2d_1.3x1.3"}
    assert plan(999, "all-slice", {"spacing": [2, 2]}, name="coarse").data.name == "nnUNetPlans_2d_2x2"


def test_stacks_of_the_stock_spacing_share_its_data_and_take_changes(plans_file):
    changes = {"spacing": [1.5, 1.5], "fusion": False, "presence": False, "features": [4, 8, 8]}
    plan(999, "all-slice", changes, name="own")
    own = PlansManager(str(plans_file)).get_configuration("own")
    assert (own.data_identifier, own.patch_size) == ("nnUNetPlans_2d", [24, 32, 32])
    parts = own.network_arch_init_kwargs
    assert (parts["fusion"], parts["refinement"], parts["presence"]) == (False, True, False)
    plan(999, "all-slice", changes | {"patch_size": [12, 48, 32]}, name="other")
    assert PlansManager(str(plans_file)).get_configuration("other").patch_size == [12, 48, 32]


@pytest.mark.parametrize(
    ("preset", "changes", "message"),
    [
        ("all-slice", {"network": "unet"}, "network: expected classifier-guided with preset all-slice, got 'unet'"),
        ("baseline", {"network": "classifier-guided"},
         "network: classifier-guided takes whole stacks; expected preset all-slice"),
        ("baseline-3d", {"network": "sk-unet"}, "network: SKUNet takes single slices"),
        ("all-slice", {"deep_supervision": True}, "deep_supervision: expected false"),
        ("all-slice", {"patch_size": [32, 32]}, "patch_size: expected 3 whole numbers"),
        ("all-slice", {"features": [4, 8, 12]}, "features: expected a multiple of 8"),
        ("sk-unet", {"refinement": True}, "refinement: expected the network classifier-guided, got SKUNet"),
    ],
)  # fmt: skip
def test_networks_and_stacks_that_do_not_go_together_are_refused(volumes_file, preset, changes, message):
    before = volumes_file.read_text()
    with pytest.raises(UsageError, match=f"^{re.escape(message)}"):
        plan(999, preset, changes)
    assert volumes_file.read_text() == before


def test_another_spacing_has_data_of_its_own(plans_file):
    planned = plan(999, "baseline", {"spacing": [1, 3.0]}, name="fine")
    fine = resolved(_configurations(plans_file), "fine")
    assert fine["data_identifier"] == "nnUNetPlans_2d_1x3"
    assert fine["median_image_size_in_voxels"] == [48.0, 16.0]
    assert planned.commands == (
        "nnUNetv2_preprocess -d 999 -c fine",
        "nnUNetv2_train 999 fine 0 -tr CardiacTrainer",
    )


def test_configurations_of_one_spacing_share_its_data(plans_file):
    first = plan(999, "baseline", {"spacing": [2, 2]}, name="first")
    first.data.mkdir()
    second = plan(999, "region-sampling", {"spacing": [2, 2]}, name="second")
    assert second.data == first.data
    assert second.commands == ("nnUNetv2_train 999 second 0 -tr RegionSamplingTrainer",)


def test_what_a_preset_says_of_its_schedule_goes_with_the_schedule(volumes_file):
    changes = {"schedule": "poly", "optimizer": "sgd", "momentum": 0.9}
    block = plan(999, "attention-mnet", changes).content["cardiac"]
    assert (block["schedule"], block["momentum"]) == ("poly", 0.9)
    assert not [key for key in block if key.startswith("plateau")]
    with pytest.raises(UsageError, match="plateau_patience: has an effect only with schedule"):
        plan(999, "attention-mnet", changes | {"plateau_patience": 3}, name="mine")


def test_data_of_an_earlier_spacing_are_not_taken_for_those_of_a_new_one(plans_file):
    earlier = plan(999, "baseline", {"spacing": [1.25, 1.25]}, name="fine")
    (plans_file.parent / earlier.content["data_identifier"]).mkdir()
    assert len(plan(999, "baseline", {"spacing": [1.25, 1.25]}, name="fine").commands) == 1
    assert len(plan(999, "baseline", {"spacing": [2, 2]}, name="fine", overwrite=True).commands) == 2


def test_plans_without_an_architecture_block_take_settings_but_no_network_changes(plans_file):
    content = tiny_plans()
    del content["configurations"]["2d"]["architecture"]
    plans_file.write_text(json.dumps(content))
    assert plan(999, "baseline", {"num_epochs": 5, "batch_size": 3}).content["batch_size"] == 3
    with pytest.raises(UsageError, match=r"^norm: expected plans with an architecture block"):
        plan(999, "baseline", {"norm": "batch"}, name="mine")


def test_the_same_spacing_shares_the_data(plans_file):
    plan(999, "baseline", {"spacing": [1.5, 1.5]})
    assert resolved(_configurations(plans_file), "2d_baseline")["data_identifier"] == "nnUNetPlans_2d"


def test_with_its_data_there_only_the_training_is_left_to_do(plans_file):
    (plans_file.parent / "nnUNetPlans_2d").mkdir()
    assert plan(999, "region-sampling").commands == (
        "nnUNetv2_train 999 2d_region_sampling 0 -tr RegionSamplingTrainer",
    )


def test_the_commands_name_other_plans(plans_file):
    plans_file.rename(plans_file.with_name("mine.json"))
    preprocess, train = plan(999, "baseline", plans="mine").commands
    assert preprocess.endswith("-plans_name mine")
    assert train.endswith("-p mine")


def test_writing_the_same_again_changes_nothing(plans_file):
    plan(999, "baseline", {"num_epochs": 5})
    before = plans_file.stat().st_mtime_ns
    assert not plan(999, "baseline", {"num_epochs": 5}).written
    assert plans_file.stat().st_mtime_ns == before


def test_another_content_needs_overwrite(plans_file):
    plan(999, "baseline", {"num_epochs": 5})
    with pytest.raises(UsageError, match=r"holds another configuration 2d_baseline"):
        plan(999, "baseline", {"num_epochs": 6})
    assert plan(999, "baseline", {"num_epochs": 6}, overwrite=True).written
    assert _configurations(plans_file)["2d_baseline"]["cardiac"] == {"num_epochs": 6}


def test_a_stock_configuration_is_never_replaced(plans_file):
    with pytest.raises(UsageError, match=r"2d is a configuration of nnU-Net's own"):
        plan(999, "baseline", name="2d", overwrite=True)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"depth": 3}, "unknown key depth; known are batch_size, patch_size, "),
        ({"num_epochs": 0}, "cardiac.num_epochs: expected a whole number >= 1, got 0"),
        ({"patch_size": [30, 32]}, r"patch_size: expected multiples of the network's total stride \[4, 4\]"),
        ({"patch_size": [32]}, r"patch_size: expected 2 whole numbers above 0, got \[32\]"),
        ({"batch_size": 0}, r"batch_size: expected 1 whole numbers above 0, got \[0\]"),
        ({"batch_dice": 1}, "batch_dice: expected true or false, got 1"),
        ({"spacing": [1, -1]}, r"spacing: expected 2 numbers above 0, got \[1, -1\]"),
        ({"network": "vgg"}, "network: expected one of unet, .*, crocnet, .*, got 'vgg'"),
        ({"gate": "none"}, "gate: expected the network attention-mnet, got PlainConvUNet"),
        ({"norm": "group"}, "norm: expected one of instance, batch, got 'group'"),
        ({"norm": [1]}, r"norm: expected one of instance, batch, got \[1\]"),
        ({"convolutions": [2]}, r"convolutions: expected a whole number >= 1, got \[2\]"),
        ({"spacing": "fine"}, "spacing: expected 2 numbers above 0, got 'fine'"),
        ({"features": [4, 8, 8, 8, 8]}, "features: expected at most 4 stages"),
    ],
)
def test_nonsense_is_refused_and_nothing_written(plans_file, changes, message):
    before = plans_file.read_text()
    with pytest.raises(UsageError, match=f"^{message}"):
        plan(999, "baseline", changes)
    assert plans_file.read_text() == before


@pytest.mark.parametrize("name", ["", "a b", "a/b", "a__b", "_a", "../a"])
def test_a_name_that_nnunet_cannot_keep_is_refused(plans_file, name):
    with pytest.raises(UsageError, match=r"^--name: "):
        plan(999, "baseline", name=name)


def test_absent_plans_name_the_command_that_makes_them(nnunet_root):
    (nnunet_root / "preprocessed/Dataset999_Tiny").mkdir()
    with pytest.raises(UsageError, match=r"nnUNetPlans.json: not found; plan the data set first: nnUNetv2_plan_and"):
        plan(999, "baseline")


def test_plans_without_the_stock_configuration_are_refused(plans_file):
    content = tiny_plans()
    content["configurations"] = {"3d_fullres": copy.deepcopy(content["configurations"]["2d"])}
    plans_file.write_text(json.dumps(content))
    with pytest.raises(UsageError, match=r"expected a configuration 2d, found 3d_fullres"):
        plan(999, "baseline")


def test_an_unknown_preset_lists_the_known(plans_file):
    with pytest.raises(UsageError, match=r"^--preset: expected one of baseline, baseline-3d, "):
        plan(999, "magic")


def test_inheritance_in_a_circle_is_refused():
    with pytest.raises(UsageError, match=r"expected a configuration a"):
        resolved({"a": {"inherits_from": "b"}, "b": {"inherits_from": "a"}}, "a")


@pytest.mark.parametrize("preset", PRESETS.values(), ids=lambda preset: preset.name)
def test_every_preset_holds_valid_settings_and_names_its_trainer(preset):
    read_settings(preset.settings)
    assert preset.trainer in TRAINERS
