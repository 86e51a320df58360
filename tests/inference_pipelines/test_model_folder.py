"""Finding and loading trained model folders."""

import shutil

import pytest
import torch
from helpers.tiny_model import write_tiny_model

from inference_pipelines.model_folder import find_model_folder, load_model
from nnunet_cardiac_ext.errors import UsageError


def load(folder, folds=None):
    return load_model(folder, folds=folds, checkpoint="checkpoint_final.pth", device=torch.device("cpu"))


@pytest.mark.parametrize("dataset", ["999", "Dataset999_Tiny", "Dataset999"])
def test_a_model_is_found_by_any_name_of_its_data_set(nnunet_root, dataset):
    model = write_tiny_model(nnunet_root / "results")
    assert find_model_folder(dataset, "2d", "nnUNetTrainer", "nnUNetPlans") == model


def test_every_fold_has_its_own_weights(tmp_path):
    folder = write_tiny_model(tmp_path, folds=(0, 2))
    model = load(folder)
    assert model.folds == (0, 2)
    for fold, network in zip(model.folds, model.networks, strict=True):
        saved = torch.load(folder / f"fold_{fold}" / "checkpoint_final.pth", weights_only=False)["network_weights"]
        assert all(torch.equal(weight, saved[name]) for name, weight in network.state_dict().items())
        assert not network.training
    assert not torch.equal(*(network.decoder.seg_layers[-1].weight for network in model.networks))


def test_fold_all_is_taken_only_when_asked_for(tmp_path):
    folder = write_tiny_model(tmp_path)
    shutil.copytree(folder / "fold_0", folder / "fold_all")
    assert load(folder).folds == (0,)
    assert load(folder, ["all"]).folds == ("all",)


def test_what_the_training_knew_comes_with_the_model(tmp_path):
    model = load(write_tiny_model(tmp_path, channels=2, mirror_axes=(1,), patch_size=(48, 32)))
    assert (model.channels, model.mirror_axes, model.patch_size) == (2, (1,), (48, 32))
    assert model.configuration_name == "2d"


def test_a_trainer_that_nobody_has_is_one_line(tmp_path):
    folder = write_tiny_model(tmp_path)
    path = folder / "fold_0" / "checkpoint_final.pth"
    torch.save(torch.load(path, weights_only=False) | {"trainer_name": "NobodysTrainer"}, path)
    with pytest.raises(UsageError, match=r"the model cannot be loaded .*NobodysTrainer") as failure:
        load(folder)
    assert "\n" not in str(failure.value)
