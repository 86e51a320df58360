"""Starting from the weights of another training."""

import json

import pytest
import torch
from helpers.tiny_dataset import SHORT, build_trainer, weights, write_preprocessed_dataset
from torch import nn

from nnunet_cardiac_ext.errors import UsageError
from nnunet_cardiac_ext.trainers.base import CardiacTrainer
from nnunet_cardiac_ext.trainers.initial_weights import checkpoint_path, load_initial_weights

FIRST = "CardiacTrainer__nnUNetPlans__2d_test/fold_{fold}/checkpoint_final.pth"


@pytest.fixture
def preprocessed(nnunet_root):
    preprocessed = write_preprocessed_dataset(nnunet_root, **SHORT, seed=1)
    plans = json.loads((preprocessed / "nnUNetPlans.json").read_text())
    plans["configurations"]["2d_second"] = plans["configurations"]["2d_test"]
    (preprocessed / "nnUNetPlans.json").write_text(json.dumps(plans))
    return preprocessed


def test_a_training_starts_from_the_end_of_another(preprocessed):
    first = build_trainer(CardiacTrainer, preprocessed)
    first.run_training()
    second = build_trainer(CardiacTrainer, preprocessed, configuration="2d_second", initial_weights=FIRST, seed=2)
    second.on_train_start()
    assert torch.equal(weights(second), weights(first))
    assert not torch.equal(weights(first), weights(_fresh(preprocessed)))


def test_a_resumed_training_does_not_start_again(preprocessed):
    build_trainer(CardiacTrainer, preprocessed).run_training()
    second = build_trainer(CardiacTrainer, preprocessed, configuration="2d_second", initial_weights=FIRST, seed=2)
    second.run_training()
    resumed = build_trainer(CardiacTrainer, preprocessed, configuration="2d_second", initial_weights="gone", seed=2)
    resumed.load_checkpoint(f"{second.output_folder}/checkpoint_final.pth")
    resumed.on_train_start()
    assert torch.equal(weights(resumed), weights(second))


def _fresh(preprocessed):
    trainer = build_trainer(CardiacTrainer, preprocessed, configuration="2d_second", seed=2)
    trainer.initialize()
    return trainer


@pytest.mark.parametrize(
    ("text", "expected"),
    [("model/fold_{fold}/a.pth", "results/model/fold_3/a.pth"), ("/elsewhere/a.pth", "/elsewhere/a.pth")],
)
def test_a_relative_path_begins_in_the_results(tmp_path, text, expected):
    found = checkpoint_path(text, results=tmp_path / "results", fold=3)
    assert found == tmp_path / expected


def test_a_missing_file_is_one_line(tmp_path):
    with pytest.raises(UsageError, match=r"^cardiac\.initial_weights: expected a checkpoint, got none at .*none\.pth"):
        load_initial_weights(nn.Linear(2, 2), tmp_path / "none.pth")


@pytest.mark.parametrize("content", [b"", b"text", None])
def test_what_is_no_checkpoint_is_one_line(tmp_path, content):
    file = tmp_path / "checkpoint.pth"
    if content is None:
        torch.save({"weights": 1}, file)
    else:
        file.write_bytes(content)
    with pytest.raises(UsageError, match=r"checkpoint\.pth: expected a checkpoint of nnU-Net with network_weights$"):
        load_initial_weights(nn.Linear(2, 2), file)


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (nn.Linear(3, 2), "weight: expected 2x2, got 2x3"),
        (nn.Linear(2, 2, bias=False), "bias: expected 2, got no such layer"),
        (nn.Bilinear(2, 2, 2), "weight: expected 2x2, got 2x2x2"),
    ],
)
def test_another_network_is_refused_by_its_first_other_layer(tmp_path, other, message):
    file = tmp_path / "checkpoint.pth"
    torch.save({"network_weights": other.state_dict()}, file)
    with pytest.raises(UsageError, match=message):
        load_initial_weights(nn.Linear(2, 2), file)
