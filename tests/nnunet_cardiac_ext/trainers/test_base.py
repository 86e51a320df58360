"""CardiacTrainer: stock behaviour, settings, resuming, checkpoints."""

import inspect
import json
import multiprocessing
import shutil
from multiprocessing.pool import ThreadPool
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from helpers.resumed import interrupted_and_resumed
from helpers.tiny_dataset import (
    CASES,
    SHORT,
    VALIDATION,
    build_trainer,
    results_folder,
    weights,
    write_preprocessed_dataset,
)
from nnunetv2.inference.predict_from_raw_data import nnUNetPredictor
from nnunetv2.run.run_training import run_training
from nnunetv2.training.nnUNetTrainer.nnUNetTrainer import nnUNetTrainer
from torch import nn

from nnunet_cardiac_ext.data.augmentation import make_repeatable
from nnunet_cardiac_ext.discovery import enable_trainers
from nnunet_cardiac_ext.errors import UsageError
from nnunet_cardiac_ext.trainers import seeding
from nnunet_cardiac_ext.trainers.base import CardiacTrainer

SEEDED = SHORT | {"seed": 1}


@pytest.fixture
def preprocessed(nnunet_root):
    return write_preprocessed_dataset(nnunet_root, **SEEDED)


class _SeededStockTrainer(nnUNetTrainer):
    """nnU-Net's own trainer, seeded where ours seeds."""

    def __init__(self, plans: dict, configuration: str, fold: int, dataset_json: dict, device: torch.device) -> None:
        super().__init__(plans, configuration, fold, dataset_json, device)
        self.num_epochs, self.num_iterations_per_epoch, self.num_val_iterations_per_epoch = 2, 2, 1
        seeding.seed_process(1, 0, seeding.START)

    @staticmethod
    def get_training_transforms(*arguments, **options):
        transforms = nnUNetTrainer.get_training_transforms(*arguments, **options)
        make_repeatable(transforms)
        return transforms

    def on_train_epoch_start(self) -> None:
        super().on_train_epoch_start()
        seeding.seed_process(1, self.current_epoch, seeding.TRAINING)

    def on_validation_epoch_start(self) -> None:
        super().on_validation_epoch_start()
        seeding.seed_process(1, self.current_epoch, seeding.VALIDATION)


class _TwoModuleTrainer(CardiacTrainer):
    """A trainer with a module that only training needs: a learned weight of the loss."""

    def training_only_modules(self):
        return {"scale": nn.Linear(1, 1)}

    def compute_loss(self, image, target):
        return super().compute_loss(image, target) * self.training_modules["scale"](torch.ones(1)).square().sum()


class _LateTrainer(CardiacTrainer):
    """A trainer that cares more for the coarser output."""

    def output_weights(self, n_outputs):
        return np.arange(1, 2 * n_outputs, 2) / n_outputs**2


def test_the_constructor_has_the_parameter_names_of_nnunet():
    names = [list(inspect.signature(trainer.__init__).parameters) for trainer in (CardiacTrainer, nnUNetTrainer)]
    assert names[0] == names[1]


def test_with_stock_settings_the_weights_are_those_of_nnunet(preprocessed):
    trainers = [build_trainer(trainer, preprocessed) for trainer in (_SeededStockTrainer, CardiacTrainer)]
    for trainer in trainers:
        # Both build the network in run_training; each has to find the random state that it set itself.
        seeding.seed_process(1, 0, seeding.START)
        trainer.run_training()
    assert torch.equal(weights(trainers[0]), weights(trainers[1]))
    losses = [trainer.logger.get_value("val_losses", step=None) for trainer in trainers]
    assert losses[0] == losses[1]


def test_a_stock_configuration_without_a_block_is_trained_with_stock_settings(preprocessed):
    trainer = build_trainer(CardiacTrainer, preprocessed, configuration="2d", num_epochs=1)
    assert (trainer.num_epochs, trainer.num_iterations_per_epoch) == (1, 250)


def test_settings_reach_the_places_where_nnunet_looks(preprocessed):
    changes = {"initial_lr": 0.5, "weight_decay": 0.1, "save_every": 7, "oversample_foreground": 0.5}
    trainer = build_trainer(CardiacTrainer, preprocessed, **changes, momentum=0.9, deep_supervision=False)
    trainer.initialize()
    group = trainer.optimizer.param_groups[0]
    assert (group["lr"], group["weight_decay"], group["momentum"], group["nesterov"]) == (0.5, 0.1, 0.9, True)
    assert (trainer.initial_lr, trainer.weight_decay, trainer.save_every) == (0.5, 0.1, 7)
    assert trainer.oversample_foreground_percent == 0.5
    assert not trainer.network.decoder.deep_supervision


def test_a_wrong_block_stops_before_any_folder_is_made(preprocessed):
    with pytest.raises(UsageError, match=r"^plans, configuration 2d_test, cardiac: unknown key epochs; known are "):
        build_trainer(CardiacTrainer, preprocessed, epochs=3)
    assert not results_folder("CardiacTrainer").exists()


def test_deep_supervision_weights_that_do_not_fit_the_network_are_refused(preprocessed):
    trainer = build_trainer(CardiacTrainer, preprocessed, deep_supervision_weights=[1, 0.5, 0.5])
    with pytest.raises(UsageError, match="deep_supervision_weights: expected 2 numbers"):
        trainer.initialize()


def test_a_method_may_bring_its_own_weights_for_the_outputs(preprocessed):
    trainer = build_trainer(_LateTrainer, preprocessed)
    trainer.initialize()
    assert list(trainer.loss.weight_factors) == [0.25, 0.75]


@pytest.mark.parametrize(
    "changes",
    [
        {"deep_supervision": False},
        {"deep_supervision_weights": [1.0, 0.5]},
        {"autocast": "bf16"},
        {"autocast": "off", "channels_last": True},
        {"augmentation": "light", "mirroring": False},
        {"augmentation": "none"},
        {"optimizer": "adamw", "initial_lr": 1e-3, "schedule": "none"},
        {"schedule": "steps", "step_epochs": [1]},
    ],
    ids=str,
)
def test_every_kind_of_setting_trains(preprocessed, changes):
    trainer = build_trainer(CardiacTrainer, preprocessed, **changes)
    trainer.run_training()
    assert np.isfinite(trainer.logger.get_value("train_losses", step=None)).all()
    assert torch.isfinite(weights(trainer)).all()


@pytest.mark.parametrize("able", [True, False])
def test_bfloat16_computes_the_network_in_it_and_the_loss_in_float32(preprocessed, monkeypatch, able):
    monkeypatch.setattr("nnunet_cardiac_ext.trainers.base.computes_bfloat16", lambda device: able)
    trainer = build_trainer(CardiacTrainer, preprocessed, autocast="bf16")
    trainer.initialize()
    seen = []
    trainer.network.register_forward_hook(lambda *call: seen.append(call[2][0].dtype))
    target = [torch.zeros(2, 1, 32, 32), torch.zeros(2, 1, 16, 16)]
    loss = trainer.train_step({"data": torch.zeros(2, 1, 32, 32), "target": target})["loss"]
    assert (seen, loss.dtype) == ([torch.bfloat16 if able else torch.float32], np.float32)
    log = "".join(path.read_text() for path in Path(trainer.output_folder).glob("training_log_*.txt"))
    assert ("float32 instead of bf16" in log) != able


def test_without_mirroring_neither_training_nor_prediction_mirrors(preprocessed):
    trainer = build_trainer(CardiacTrainer, preprocessed, mirroring=False)
    trainer.initialize()
    _, training, _ = trainer._build_transforms()
    assert "MirrorTransform" not in str([type(transform).__name__ for transform in training.transforms])
    assert trainer.inference_allowed_mirroring_axes is None


@pytest.mark.parametrize("schedule", [{}, {"schedule": "plateau", "plateau_patience": 0, "plateau_min_delta": 100.0}])
def test_a_resumed_training_ends_with_the_weights_of_an_uninterrupted_one(preprocessed, schedule):
    def build():
        return build_trainer(CardiacTrainer, preprocessed, num_epochs=4, save_every=2, **schedule)

    whole = build()
    whole.run_training()
    resumed = interrupted_and_resumed(build, epoch=2)
    assert resumed.logger.get_value("lrs", step=None) == whole.logger.get_value("lrs", step=None)
    assert torch.equal(weights(resumed), weights(whole))


def test_two_seeds_give_two_trainings(preprocessed):
    trainers = [build_trainer(CardiacTrainer, preprocessed, seed=seed) for seed in (1, 2)]
    for trainer in trainers:
        trainer.initialize()
    assert not torch.equal(weights(trainers[0]), weights(trainers[1]))


def test_training_only_modules_are_trained_saved_and_restored(preprocessed):
    trainer = build_trainer(_TwoModuleTrainer, preprocessed)
    trainer.initialize()
    before = trainer.training_modules["scale"].weight.item()
    trainer.run_training()
    trained = trainer.training_modules["scale"].state_dict()
    assert trained["weight"].item() != before
    restored = build_trainer(_TwoModuleTrainer, preprocessed, seed=9)
    restored.load_checkpoint(f"{trainer.output_folder}/checkpoint_final.pth")
    assert restored.training_modules["scale"].state_dict() == trained
    assert torch.equal(weights(restored), weights(trainer))


def test_the_network_weights_of_a_checkpoint_hold_no_training_only_module(preprocessed):
    trainer = build_trainer(_TwoModuleTrainer, preprocessed)
    trainer.initialize()
    trainer.save_checkpoint(f"{trainer.output_folder}/checkpoint_best.pth")
    checkpoint = torch.load(f"{trainer.output_folder}/checkpoint_best.pth", weights_only=False)
    assert checkpoint["network_weights"].keys() == trainer.network.state_dict().keys()


def test_a_checkpoint_of_nnunet_itself_is_taken_up(preprocessed):
    stock = build_trainer(_SeededStockTrainer, preprocessed)
    stock.initialize()
    stock.save_checkpoint(f"{stock.output_folder}/stock.pth")
    trainer = build_trainer(CardiacTrainer, preprocessed, seed=2)
    trainer.load_checkpoint(f"{stock.output_folder}/stock.pth")
    assert torch.equal(weights(trainer), weights(stock))


def test_a_checkpoint_without_the_training_only_modules_is_refused(preprocessed):
    plain = build_trainer(CardiacTrainer, preprocessed)
    plain.initialize()
    plain.save_checkpoint(f"{plain.output_folder}/plain.pth")
    trainer = build_trainer(_TwoModuleTrainer, preprocessed, optimizer="adam", initial_lr=0.1)
    trainer.initialize()
    trainer.optimizer.load_state_dict = lambda state: None
    with pytest.raises(UsageError, match=r"plain.pth: expected the state of scale"):
        trainer.load_checkpoint(f"{plain.output_folder}/plain.pth")


def test_a_failed_save_leaves_the_earlier_checkpoint(preprocessed, monkeypatch):
    trainer = build_trainer(CardiacTrainer, preprocessed)
    trainer.initialize()
    path = f"{trainer.output_folder}/checkpoint_latest.pth"
    trainer.save_checkpoint(path)

    def broken(checkpoint, file):
        with open(file, "wb") as stream:  # noqa: PTH123
            stream.write(b"half")
        raise RuntimeError("disk pulled")

    monkeypatch.setattr(torch, "save", broken)
    with pytest.raises(RuntimeError, match="disk pulled"):
        trainer.save_checkpoint(path)
    assert torch.load(path, weights_only=False)["trainer_name"] == "CardiacTrainer"


@pytest.mark.slow
def test_plain_nnunet_trains_validates_and_predicts(preprocessed, monkeypatch):
    # nnU-Net exports and scores in spawned processes, each of which takes seconds to import it.
    monkeypatch.setattr(multiprocessing, "get_context", lambda _: SimpleNamespace(Pool=ThreadPool))
    enable_trainers()
    run_training("999", "2d_test", 0, "CardiacTrainer", device=torch.device("cpu"))
    folder = results_folder("CardiacTrainer")
    summary = folder / "fold_0/validation/summary.json"
    assert len(json.loads(summary.read_text())["metric_per_case"]) == len(VALIDATION)
    shutil.rmtree(summary.parent)
    run_training("999", "2d_test", 0, "CardiacTrainer", only_run_validation=True, device=torch.device("cpu"))
    assert summary.is_file()
    predictor = nnUNetPredictor(device=torch.device("cpu"), allow_tqdm=False)
    predictor.initialize_from_trained_model_folder(str(folder), (0,), "checkpoint_final.pth")
    image, properties = predictor.plans_manager.image_reader_writer_class().read_images(
        [str(preprocessed.parents[1] / f"raw/Dataset999_Tiny/imagesTr/{CASES[0]}_0000.nii.gz")]
    )
    assert predictor.predict_single_npy_array(image, properties, None, None, False).shape == (7, 36, 36)


def test_the_final_validation_can_be_left_out_and_made_up_for(preprocessed, monkeypatch):
    validated = []
    monkeypatch.setattr(nnUNetTrainer, "perform_actual_validation", lambda self, save: validated.append(save))
    trainer = build_trainer(CardiacTrainer, preprocessed, final_validation=False)
    trainer.run_training()
    trainer.perform_actual_validation(False)
    assert validated == []
    later = build_trainer(CardiacTrainer, preprocessed, final_validation=False)
    later.perform_actual_validation(True)
    assert validated == [True]


@pytest.mark.parametrize(("variable", "expected"), [("2", 2), ("", 1), ("many", 1)])
def test_a_training_on_the_processor_keeps_to_the_threads_of_the_environment(
    preprocessed, monkeypatch, variable, expected
):
    before = torch.get_num_threads()
    monkeypatch.setenv("OMP_NUM_THREADS", variable)
    torch.set_num_threads(1)
    try:
        build_trainer(CardiacTrainer, preprocessed)
        assert torch.get_num_threads() == expected
    finally:
        torch.set_num_threads(before)
