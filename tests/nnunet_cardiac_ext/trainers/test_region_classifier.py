"""RegionClassifierTrainer: training, resuming, its settings, and what its validation writes."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers.resumed import interrupted_and_resumed
from helpers.tiny_dataset import CASES, SHORT, build_trainer, results_folder, weights, write_preprocessed_dataset
from nnunetv2.inference.predict_from_raw_data import nnUNetPredictor
from nnunetv2.run.run_training import run_training
from nnunetv2.training.dataloading.nnunet_dataset import nnUNetDatasetBlosc2
from torch import distributed
from torchvision import models

from nnunet_cardiac_ext.architectures.slice_classifier import SliceClassifier, fit_slices
from nnunet_cardiac_ext.discovery import enable_trainers
from nnunet_cardiac_ext.errors import UsageError
from nnunet_cardiac_ext.region_order import RegionOrder
from nnunet_cardiac_ext.region_table import read_region_table
from nnunet_cardiac_ext.trainers.region_classifier import RegionClassifierTrainer

QUICK = SHORT | {"seed": 1, "backbone": "squeezenet"}
# The tiny data set: hearts in slices 1 to 5 of seven, larger towards slice 1.
REGIONS = [0, 1, 2, 2, 2, 3, 0]


@pytest.fixture
def preprocessed(nnunet_root):
    return write_preprocessed_dataset(nnunet_root, **QUICK)


def _build(preprocessed, **settings):
    return build_trainer(RegionClassifierTrainer, preprocessed, **settings)


def _change_plans(preprocessed, **keys):
    path = preprocessed / "nnUNetPlans.json"
    plans = json.loads(path.read_text())
    plans["configurations"]["2d_test"].update(keys)
    path.write_text(json.dumps(plans))


def _change_labels(preprocessed, **keys):
    path = preprocessed / "dataset.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | keys))


def test_nnunet_trains_it_validates_it_and_builds_it_again(preprocessed):
    enable_trainers()
    cpu = {"device": torch.device("cpu")}
    run_training("999", "2d_test", 0, "RegionClassifierTrainer", **cpu)
    folder = results_folder("RegionClassifierTrainer")
    table = folder / "fold_0/validation/regions.csv"
    first = table.read_text()
    shutil.rmtree(table.parent)
    run_training("999", "2d_test", 0, "RegionClassifierTrainer", only_run_validation=True, **cpu)
    assert table.read_text() == first
    predictor = nnUNetPredictor(**cpu, allow_tqdm=False)
    predictor.initialize_from_trained_model_folder(str(folder), (0,), "checkpoint_final.pth")
    assert predictor.network.backbone == "squeezenet"
    probabilities = _mirrored_mean(predictor.network.eval(), preprocessed, CASES[0])
    rows = read_region_table(table)
    assert [(row.case, row.slice, row.region) for row in rows] == [(CASES[0], k, REGIONS[k]) for k in range(7)]
    assert np.allclose([row.probabilities for row in rows], probabilities, atol=1e-6)
    assert [row.predicted for row in rows] == probabilities.argmax(axis=1).tolist()
    order = RegionOrder.read(folder / "fold_0/region_order.json")
    assert [row.ordered for row in rows] == order.decode(probabilities).regions.tolist()


def _mirrored_mean(network, preprocessed, case):
    """Probabilities of a preprocessed case by hand: softmax of each mirrored copy, then the mean."""
    stack = nnUNetDatasetBlosc2(str(preprocessed / "nnUNetPlans_2d")).load_case(case)[0][:]
    images = fit_slices(torch.from_numpy(stack), (32, 32))
    with torch.no_grad():
        copies = [network(images.flip(axes)).softmax(dim=1) for axes in ((), (2,), (3,), (2, 3))]
    return torch.stack(copies).mean(dim=0).numpy()


def test_the_order_of_the_regions_is_that_of_the_training_stacks_and_there_at_once(preprocessed):
    trainer = _build(preprocessed, class_weights=[1, 2, 1, 2])
    trainer.on_train_start()
    expected = RegionOrder.estimate([np.array(REGIONS)] * 4, class_weights=(1, 2, 1, 2))
    assert RegionOrder.read(Path(trainer.output_folder) / "region_order.json") == expected


def test_the_order_is_learned_again_where_its_file_is_gone(preprocessed):
    trainer = _build(preprocessed)
    trainer.initialize()
    trainer.perform_actual_validation()
    order = RegionOrder.read(Path(trainer.output_folder) / "region_order.json")
    assert order == RegionOrder.estimate([np.array(REGIONS)] * 4)


def test_a_stock_configuration_is_trained_as_in_the_paper(preprocessed):
    trainer = build_trainer(RegionClassifierTrainer, preprocessed, configuration="2d")
    trainer.initialize()
    group = trainer.optimizer.param_groups[0]
    assert (type(trainer.optimizer), group["lr"], group["weight_decay"]) == (torch.optim.Adam, 5e-4, 0)
    assert (trainer.num_epochs, trainer.num_iterations_per_epoch) == (1000, 250)
    assert trainer.network.backbone == "densenet121"
    assert trainer.loss.weight is None
    loader, _ = trainer.get_dataloaders()
    assert np.isfinite(trainer.train_step(next(loader))["loss"])


@pytest.mark.slow
def test_it_learns_regions_that_are_easy_to_tell(preprocessed):
    _change_plans(preprocessed, batch_size=16)
    trainer = _build(
        preprocessed, backbone="shufflenet_v2", num_epochs=4, iterations_per_epoch=12, augmentation="none",
        initial_lr=2e-3,
    )  # fmt: skip
    trainer.run_training()
    losses = trainer.logger.get_value("train_losses", step=None)
    # Guessing costs log 4 = 1.39, the shares of the regions alone 1.28.
    assert losses[0] > 0.8
    assert losses[-1] < 0.4
    assert losses == sorted(losses, reverse=True)


@pytest.mark.parametrize("backbone", ["squeezenet", "shufflenet_v2"])
def test_a_resumed_training_ends_with_the_weights_of_an_uninterrupted_one(preprocessed, backbone):
    settings = {"num_epochs": 3, "save_every": 1, "backbone": backbone}
    whole = _build(preprocessed, **settings)
    whole.run_training()
    resumed = interrupted_and_resumed(lambda: _build(preprocessed, **settings), epoch=2)
    assert torch.equal(weights(resumed), weights(whole))


@pytest.mark.parametrize(
    "settings",
    [
        {"autocast": "bf16", "channels_last": True, "class_weights": [1, 3, 1, 3]},
        {"augmentation": "light", "mirroring": False},
        {"augmentation": "none", "optimizer": "adamw", "schedule": "plateau"},
    ],
    ids=str,
)
def test_other_settings_train_too(preprocessed, settings):
    trainer = _build(preprocessed, **settings)
    trainer.run_training()
    assert np.isfinite(trainer.logger.get_value("train_losses", step=None)).all()
    assert torch.isfinite(weights(trainer)).all()


def test_without_mirroring_neither_training_nor_validation_mirrors(preprocessed):
    trainer = _build(preprocessed, mirroring=False)
    trainer.initialize()
    loader, _ = trainer.get_dataloaders()
    names = [type(transform).__name__ for transform in loader.data_loader.transforms.transforms]
    assert "MirrorTransform" not in names
    sizes = []
    trainer.network.register_forward_hook(lambda *call: sizes.append(len(call[2])))
    trainer.perform_actual_validation()
    assert sizes == [7]


def test_batches_come_from_worker_processes_too(preprocessed, monkeypatch):
    monkeypatch.setenv("nnUNet_n_proc_DA", "1")
    trainer = _build(preprocessed)
    trainer.initialize()
    for loader in trainer.get_dataloaders():
        batch = next(loader)
        assert (batch["data"].shape, batch["target"].shape) == ((2, 1, 32, 32), (2,))
        loader._finish()


def test_class_weights_weigh_the_cross_entropy(preprocessed):
    logits, regions = torch.randn(6, 4), torch.tensor([0, 1, 2, 3, 1, 0])
    plain, weighted = (
        _build(preprocessed, class_weights=given).build_segmentation_loss() for given in (None, [1, 4, 2, 3])
    )
    terms = -logits.log_softmax(dim=1)[range(6), regions]
    assert plain(logits, regions) == pytest.approx(float(terms.mean()))
    weight = torch.tensor([1.0, 4, 2, 3])[regions]
    assert weighted(logits, regions) == pytest.approx(float((weight * terms).sum() / weight.sum()))


def test_a_validation_step_counts_found_made_up_and_missed_slices_of_each_region(preprocessed):
    trainer = _build(preprocessed)
    trainer.initialize()
    said = torch.tensor([0, 1, 1, 2, 3, 0, 2, 2])
    regions = torch.tensor([0, 1, 2, 2, 3, 3, 2, 0])
    trainer.network = lambda image: 9.0 * torch.nn.functional.one_hot(said, 4)
    counts = trainer.validation_step({"data": torch.zeros(8, 1, 32, 32), "target": regions})
    assert counts["tp_hard"].tolist() == [1, 2, 1]
    assert counts["fp_hard"].tolist() == [1, 1, 0]
    assert counts["fn_hard"].tolist() == [0, 1, 1]
    # Three of eight are wrong and cost 9 each, all cost log(1 + 3 exp(-9)).
    assert counts["loss"] == pytest.approx(3 * 9 / 8 + np.log1p(3 * np.exp(-9)))


@pytest.mark.parametrize(
    ("settings", "keys", "message"),
    [
        (
            {"backbone": "alexnet"},
            {},
            r"2d_test, patch_size: expected at least 63 for backbone alexnet, got \[32, 32\]$",
        ),
        (
            {"backbone": "resnet18"},
            {"batch_size": 1},
            "2d_test, batch_size: expected at least 2 for backbone resnet18, whose batch normalisation",
        ),
        ({"deep_supervision": True}, {}, "cardiac.deep_supervision: expected false, a classifier has one output"),
        ({"pretrained": "a", "initial_weights": "b"}, {}, "expected pretrained or initial_weights, got both"),
        ({"backbone": "resnet50"}, {}, "cardiac.backbone: expected one of alexnet, .*, got 'resnet50'"),
        ({}, {"patch_size": [8, 32, 32]}, "RegionClassifierTrainer: expected a 2D configuration, got 2d_test"),
    ],
)
def test_what_a_classifier_cannot_do_is_refused_before_any_folder_is_made(preprocessed, settings, keys, message):
    _change_plans(preprocessed, **keys)
    with pytest.raises(UsageError, match=message):
        _build(preprocessed, **settings)
    assert not results_folder("RegionClassifierTrainer").exists()


def test_without_batch_normalisation_a_batch_of_one_is_fine(preprocessed):
    _change_plans(preprocessed, batch_size=1)
    trainer = _build(preprocessed)
    trainer.initialize()
    assert np.isfinite(trainer.train_step(next(trainer.get_dataloaders()[0]))["loss"])


def test_imagenet_weights_are_read_when_a_training_starts_and_never_later(preprocessed, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    state = models.squeezenet1_0(num_classes=10).state_dict()
    torch.save(state, "imagenet.pth")
    trainer = _build(preprocessed, pretrained="imagenet.pth")
    trainer.on_train_start()
    key = "features.3.squeeze.weight"
    assert torch.equal(trainer.network.network.state_dict()[key], state[key])
    trainer.current_epoch = 1
    trainer.save_checkpoint(f"{trainer.output_folder}/checkpoint_latest.pth")
    Path("imagenet.pth").unlink()
    resumed = _build(preprocessed, pretrained="imagenet.pth")
    resumed.load_checkpoint(f"{trainer.output_folder}/checkpoint_latest.pth")
    resumed.on_train_start()
    assert torch.equal(weights(resumed), weights(trainer))
    fresh = _build(preprocessed, pretrained="imagenet.pth")
    with pytest.raises(UsageError, match=r"^imagenet.pth: cannot be read"):
        fresh.on_train_start()


def test_a_data_set_of_overlapping_regions_is_classified_as_well(preprocessed):
    _change_labels(
        preprocessed,
        labels={"background": 0, "heart": [1, 2, 3], "left": [2, 3], "LV": 3},
        regions_class_order=[1, 2, 3],
        structures={"RV": 1, "MYO": 2, "LV": 3},
    )
    trainer = _build(preprocessed)
    trainer.run_training()
    trainer.perform_actual_validation()
    rows = read_region_table(Path(trainer.output_folder) / "validation/regions.csv")
    assert [row.region for row in rows] == REGIONS


def test_labels_that_are_no_hearts_stop_the_training_in_one_line(preprocessed):
    _change_labels(preprocessed, labels={"background": 0, "liver": 1, "spleen": 2, "tumour": 3})
    trainer = _build(preprocessed)
    with pytest.raises(UsageError, match=r"^dataset.json, labels: expected one of RV=1, MYO=2, LV=3; .*liver=1"):
        trainer.on_train_start()


def test_slices_that_nobody_annotated_are_neither_learned_nor_scored(nnunet_root):
    preprocessed = write_preprocessed_dataset(nnunet_root, ignore_label=True, **QUICK)
    trainer = _build(preprocessed)
    trainer.run_training()
    trainer.perform_actual_validation()
    folder = Path(trainer.output_folder)
    # The upper half of each slice is unannotated, and all of slice 3.
    rows = read_region_table(folder / "validation/regions.csv")
    assert [row.region for row in rows] == [None, 1, 2, None, 2, 3, None]
    assert json.loads((folder / "validation/summary.json").read_text())["slices_without_reference"] == 3
    assert RegionOrder.read(folder / "region_order.json") == RegionOrder.estimate([])


def test_several_processes_share_the_cases_and_the_first_one_writes(preprocessed, monkeypatch):
    trainer = _build(preprocessed)
    trainer.initialize()
    trainer.do_split = lambda: (list(CASES[2:]), [*CASES[:2], CASES[4]])
    table = Path(trainer.output_folder) / "validation/regions.csv"
    trainer.perform_actual_validation()
    alone = table.read_text()
    table.unlink()
    sent = []

    def gather(into, rows):
        sent.append(rows)
        into[:] = [rows, sent[0]]

    monkeypatch.setattr(distributed, "get_world_size", lambda: 2)
    monkeypatch.setattr(distributed, "all_gather_object", gather)
    trainer.is_ddp = True
    for trainer.local_rank in (1, 0):
        assert not table.exists()
        trainer.perform_actual_validation()
    assert [{row.case for row in rows} for rows in sent] == [{CASES[1]}, {CASES[0], CASES[4]}]
    assert table.read_text() == alone


def test_what_compiling_puts_around_the_network_is_taken_off_for_validation(preprocessed):
    trainer = _build(preprocessed)
    trainer.initialize()
    plain = trainer.network
    trainer.network = torch.compile(plain)
    assert trainer.bare_network is plain
    assert isinstance(plain, SliceClassifier)
