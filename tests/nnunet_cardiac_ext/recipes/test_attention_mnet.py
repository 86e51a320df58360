import pytest

from nnunet_cardiac_ext.plans import PLAN_KEYS
from nnunet_cardiac_ext.recipes import RECIPES
from nnunet_cardiac_ext.reproduce.selection import select
from nnunet_cardiac_ext.reproduce.tables import published_numbers

RECIPE = RECIPES["000"]
TABLE = RECIPE.tables[0]


def test_it_holds_every_row_of_table_1_and_the_ablation_of_the_gates_on_request():
    published = {model for model, _ in published_numbers(TABLE, "Mouse")}
    assert {model.name for model in RECIPE.models if not model.extra} == published
    gates = {model.settings.get("gate") for model in RECIPE.models if model.extra}
    assert gates == {"spatial", "channel", "none"}
    assert {model.name for model in select(RECIPE, ()).models} == published


def test_rows_with_and_without_the_distance_loss_have_their_own_trainers():
    trainers = {model.name: model.trainer for model in RECIPE.models}
    assert (trainers["att_mnet_ddl"], trainers["att_mnet"]) == ("AttMnetDDLTrainer", "AttMnetTrainer")
    assert {trainers[name] for name in ("unet2d", "unet3d", "deepmedic", "fcn")} == {"CardiacTrainer"}


@pytest.mark.parametrize(
    ("model", "column", "value"),
    [
        ("unet2d", "hd_pixels_mean", "4.83"),
        ("unet3d", "dice_mean", "0.8732"),
        ("att_mnet", "hd_pixels_mean", "4.00"),
        ("att_mnet_ddl", "hd_pixels_mean", "3.18"),
        ("att_mnet_ddl", "parameters", "24657034"),
        ("fcn", "npv_mean", "0.9927"),
    ],
)
def test_numbers_are_those_of_the_paper(model, column, value):
    assert published_numbers(TABLE, "Mouse")[model, "MYO"][column] == value


def test_a_smoke_run_is_small_in_every_row():
    sizes = {key for key in RECIPE.smoke_settings if key.rpartition(".")[2] in PLAN_KEYS}
    assert {"features", "patch_size", "batch_size", "unet2d.patch_size", "deepmedic.features"} <= sizes
