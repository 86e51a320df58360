"""Patches that hold whole images, and those that do not."""

import pytest

from nnunet_cardiac_ext.cli.main import main
from nnunet_cardiac_ext.whole_images import tiles_remark


def configuration(patch_size, spacing=(2.0, 2.0)):
    return {"patch_size": patch_size, "spacing": spacing, "median_image_size_in_voxels": [100.0, 80.0]}


@pytest.mark.parametrize("patch_size", [[96, 96], [112, 64], [24, 96, 96]])
def test_a_patch_that_does_not_hold_the_median_image_is_told(patch_size):
    told = tiles_remark("crocnet", configuration(patch_size))
    rows, columns = (2 * edge for edge in patch_size[-2:])
    assert told.startswith(f"patches of {rows} x {columns} mm are smaller than the median image (200 x 160 mm)")


@pytest.mark.parametrize(
    ("network", "patch_size"), [("crocnet", [100, 80]), ("e2a-unet", [112, 96]), ("unet", [32, 32]), (None, [32, 32])]
)
def test_nothing_is_said_of_whole_images_and_of_other_networks(network, patch_size):
    assert tiles_remark(network, configuration(patch_size)) is None


def test_rounding_of_the_last_bit_is_no_difference():
    whole = {"patch_size": [160, 160], "spacing": [0.3, 0.3], "median_image_size_in_voxels": [48 / 0.3 + 1e-9] * 2}
    assert tiles_remark("crocnet", whole) is None
    assert tiles_remark("crocnet", whole | {"median_image_size_in_voxels": [168.0, 168.0]})


def test_plans_without_the_size_are_left_alone():
    assert tiles_remark("crocnet", {"patch_size": [32, 32], "spacing": [1.0, 1.0]}) is None


@pytest.mark.parametrize(
    ("preset", "changes", "told"),
    [
        ("crocnet", ["patch_size=16,16"], True),
        ("crocnet", ["patch_size=16,16", "spacing=3,3"], False),
        ("all-slice", ["patch_size=24,16,16", "features=8,16"], True),
        ("baseline", ["patch_size=16,16"], False),
        ("baseline", ["patch_size=16,16", "network=e2a-unet"], True),
    ],
)
def test_plan_tells_it(plans_file, capsys, preset, changes, told):
    assert main(["plan", "-d", "999", "--preset", preset, "--set", *changes]) == 0
    assert ("\nnote: patches of " in capsys.readouterr().out) == told
