"""Anatomy prior trainers: the rows of Table 1, soft targets, the weight generator, plain nnU-Net around them."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers.resumed import interrupted_and_resumed
from helpers.tiny_dataset import CASES, SHORT, build_trainer, results_folder, weights, write_preprocessed_dataset
from helpers.tiny_volume import add_3d_configuration
from nnunetv2.inference.predict_from_raw_data import nnUNetPredictor
from torch import distributed, nn
from torch.nn.parallel import DistributedDataParallel

from nnunet_cardiac_ext.architectures.attention_unet import AttendedBlock
from nnunet_cardiac_ext.data.mixup_loader import MixupLoader
from nnunet_cardiac_ext.discovery import enable_trainers
from nnunet_cardiac_ext.errors import UsageError
from nnunet_cardiac_ext.files import read_csv
from nnunet_cardiac_ext.losses.automated_weighted_cross_entropy import collapse_barrier
from nnunet_cardiac_ext.losses.neighborhood_penalty import NeighborhoodPenalty
from nnunet_cardiac_ext.plans import plan
from nnunet_cardiac_ext.trainers.anatomy_prior import (
    WEIGHT_GENERATOR,
    AnatomyPriorAttentionTrainer,
    AnatomyPriorAWCETrainer,
    AnatomyPriorBaselineTrainer,
    AnatomyPriorTrainer,
)

ROWS = (AnatomyPriorTrainer, AnatomyPriorAWCETrainer, AnatomyPriorAttentionTrainer, AnatomyPriorBaselineTrainer)
PRESET = "2d_anatomy_prior"
# The tiny data set is a cine one.
PAIRS = {"neighborhood_pairs": ["LV:LV+MYO"]}
all_rows = pytest.mark.parametrize("trainer_class", ROWS, ids=lambda each: each.__name__)


@pytest.fixture
def preprocessed(nnunet_root):
    folder = write_preprocessed_dataset(nnunet_root)
    plan(999, "anatomy-prior", SHORT | PAIRS | {"batch_size": 2, "seed": 1, "final_validation": False})
    return folder


def small_trainer(preprocessed, trainer_class=AnatomyPriorTrainer, **cardiac):
    return build_trainer(trainer_class, preprocessed, PRESET, **cardiac)


def built(trainer, deep_supervision=True):
    return trainer.build_network_architecture(
        trainer.plans_manager, trainer.configuration_manager, 1, 4, deep_supervision
    )


def has_attention(network):
    return any(isinstance(module, AttendedBlock) for module in network.modules())


def soft_target(channels=4, size=(32, 32)):
    return torch.softmax(3 * torch.randn(2, channels, *size, generator=torch.Generator().manual_seed(0)), dim=1)


@all_rows
def test_a_stock_configuration_has_the_papers_settings(preprocessed, trainer_class):
    settings = build_trainer(trainer_class, preprocessed, "2d").settings
    assert (settings.optimizer, settings.initial_lr, settings.final_lr) == ("adam", 1e-2, 1e-6)
    assert (settings.schedule, settings.num_epochs) == ("exponential", 400)
    assert (settings.neighborhood_weight, settings.mixup_probability) == (0.01, 0.5)


def test_the_preset_has_the_papers_batch(preprocessed):
    planned = plan(999, "anatomy-prior", name="paper")
    assert planned.content["batch_size"] == 16
    assert planned.commands[-1].endswith("-tr AnatomyPriorTrainer")


@all_rows
def test_each_row_has_what_table_1_says(preprocessed, trainer_class):
    trainer = small_trainer(preprocessed, trainer_class)
    trainer.initialize()
    assert has_attention(trainer.network) == (trainer_class is not AnatomyPriorBaselineTrainer)
    weighted = trainer_class in (AnatomyPriorTrainer, AnatomyPriorAWCETrainer)
    assert list(trainer.training_modules) == [WEIGHT_GENERATOR] * weighted
    penalty = trainer.loss.penalty
    assert isinstance(penalty, NeighborhoodPenalty) == (trainer_class is AnatomyPriorTrainer)
    if penalty is not None:
        assert (penalty.pairs, penalty.threshold, trainer.loss.coefficient) == ([([3], [3, 2])], 0.1, 0.01)


def test_the_baseline_takes_the_attention_out_of_a_configuration_that_has_it(preprocessed):
    plan(999, "baseline", {"network": "attention-unet"}, name="attended")
    for trainer_class, attention in ((AnatomyPriorBaselineTrainer, False), (AnatomyPriorTrainer, True)):
        assert has_attention(built(build_trainer(trainer_class, preprocessed, "attended"))) == attention


@pytest.mark.parametrize(
    ("trainer_class", "deep_supervision"),
    [(AnatomyPriorTrainer, False), (AnatomyPriorTrainer, True), (AnatomyPriorBaselineTrainer, False)],
)
def test_it_trains_and_resumes_as_an_uninterrupted_training(preprocessed, trainer_class, deep_supervision):
    schedule = {"num_epochs": 3, "save_every": 1, "deep_supervision": deep_supervision}
    whole = small_trainer(preprocessed, trainer_class, **schedule)
    whole.run_training()
    resumed = interrupted_and_resumed(lambda: small_trainer(preprocessed, trainer_class, **schedule), epoch=2)
    assert torch.isfinite(weights(whole)).all()
    assert torch.equal(weights(resumed), weights(whole))
    assert resumed.logger.get_value("lrs", step=None) == pytest.approx([1e-2, 1e-4, 1e-6])
    for name, module in whole.training_modules.items():
        for ours, theirs in zip(module.parameters(), resumed.training_modules[name].parameters(), strict=True):
            assert torch.equal(ours, theirs)
    if whole.training_modules:
        rows = read_csv(Path(whole.output_folder) / "class_weights.csv")
        assert [row["epoch"] for row in rows] == ["0"] * 4 + ["1"] * 4 + ["2"] * 4
        assert [row["class"] for row in rows][:4] == ["background", "RV", "MYO", "LV"]
        assert sum(float(row["weight"]) for row in rows[-4:]) == pytest.approx(4, rel=1e-4)


def test_the_generator_is_in_the_checkpoint_and_is_asked_for(preprocessed):
    trainer = small_trainer(preprocessed)
    trainer.initialize()
    trainer.save_checkpoint(f"{trainer.output_folder}/checkpoint_latest.pth")
    path = f"{trainer.output_folder}/checkpoint_latest.pth"
    checkpoint = torch.load(path, weights_only=False)
    assert set(checkpoint["cardiac"]["training_modules"]) == {WEIGHT_GENERATOR}
    assert not [name for name in checkpoint["network_weights"] if "generator" in name]
    del checkpoint["cardiac"]
    torch.save(checkpoint, path)
    with pytest.raises(UsageError, match="expected the state of weight_generator"):
        small_trainer(preprocessed).load_checkpoint(path)


@pytest.mark.parametrize("deep_supervision", [False, True])
def test_the_loss_of_a_batch_is_the_papers_with_the_barrier(preprocessed, deep_supervision):
    trainer = small_trainer(preprocessed, deep_supervision=deep_supervision, awce_barrier=0.3)
    trainer.initialize()
    trainer.on_train_epoch_start()
    generator = trainer.training_modules[WEIGHT_GENERATOR]
    nn.init.normal_(generator.head.weight)
    image = torch.randn(2, 1, 32, 32)
    target = [soft_target(), soft_target(size=(16, 16))] if deep_supervision else soft_target()
    found = trainer.compute_loss(image, target)
    class_weights, outputs = generator(image), trainer.network(image)
    loss = trainer.loss.loss if deep_supervision else trainer.loss
    pairs = zip(outputs, target, strict=True) if deep_supervision else [(outputs, target)]
    # nnU-Net leaves out the coarsest of two outputs.
    output, shares = next(iter(pairs))
    barrier = 0.3 * loss(output, shares) * collapse_barrier(class_weights)
    assert found.item() == pytest.approx((loss(output, shares, class_weights) + barrier).item(), rel=1e-5)
    found.backward()
    assert all(p.grad is not None for p in generator.parameters())


def test_free_weights_are_a_setting(preprocessed):
    trainer = small_trainer(preprocessed, awce_normalization="none")
    trainer.initialize()
    assert not trainer.training_modules[WEIGHT_GENERATOR].mean_one


@all_rows
def test_training_batches_are_soft_and_validation_batches_hard(preprocessed, trainer_class):
    trainer = small_trainer(preprocessed, trainer_class, mixup_probability=1.0, deep_supervision=True)
    trainer.on_train_start()
    training, validation = next(trainer.dataloader_train)["target"], next(trainer.dataloader_val)["target"]
    assert [tuple(target.shape) for target in training] == [(2, 4, 32, 32), (2, 4, 16, 16)]
    assert [tuple(target.shape) for target in validation] == [(2, 1, 32, 32), (2, 1, 16, 16)]


def test_without_mixup_the_loader_is_nnunets(preprocessed):
    trainer = small_trainer(preprocessed, mixup_probability=0.0)
    trainer.on_train_start()
    assert not isinstance(trainer.dataloader_train.data_loader, MixupLoader)
    assert next(trainer.dataloader_train)["target"].shape == (2, 1, 32, 32)


def test_the_validation_loss_is_without_class_weights(preprocessed):
    trainer = small_trainer(preprocessed, neighborhood_weight=0)
    trainer.on_train_start()
    batch = next(trainer.dataloader_val)
    trainer.on_validation_epoch_start()
    with torch.no_grad():
        expected = nn.functional.cross_entropy(trainer.network(batch["data"]), batch["target"][:, 0].long())
        assert trainer.validation_step(batch)["loss"] == pytest.approx(expected.item(), rel=1e-5)


@pytest.mark.parametrize("trainer_class", [AnatomyPriorTrainer, AnatomyPriorBaselineTrainer])
def test_volumes_train_without_mixup(preprocessed, trainer_class):
    add_3d_configuration(preprocessed)
    trainer = build_trainer(trainer_class, preprocessed, "3d_fullres", **SHORT, **PAIRS, final_validation=False)
    assert trainer.settings.mixup_probability == 0
    trainer.run_training()
    assert torch.isfinite(weights(trainer)).all()
    with pytest.raises(UsageError, match=r"^cardiac.mixup_probability: expected 0 in the 3D configuration 3d_fullres"):
        build_trainer(trainer_class, preprocessed, "3d_fullres", mixup_probability=0.5)


@pytest.mark.parametrize("changes", [{"autocast": "bf16", "channels_last": True}, {"augmentation": "none"}], ids=str)
def test_other_settings_train_too(preprocessed, changes):
    trainer = small_trainer(preprocessed, num_epochs=1, **changes)
    trainer.run_training()
    assert torch.isfinite(weights(trainer)).all()


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_mixed_precision_stays_finite(preprocessed, dtype):
    trainer = small_trainer(preprocessed)
    trainer.initialize()
    trainer.on_train_epoch_start()
    with torch.autocast("cpu", dtype=dtype):
        loss = trainer.compute_loss(50 * torch.randn(2, 1, 32, 32), soft_target())
    loss.backward()
    assert loss.dtype == torch.float32
    assert loss.isfinite()
    assert all(p.grad is None or p.grad.isfinite().all() for p in trainer.network.parameters())


def test_an_ignore_label_trains(nnunet_root):
    folder = write_preprocessed_dataset(nnunet_root, ignore_label=True)
    trainer = build_trainer(
        AnatomyPriorTrainer, folder, **SHORT, **PAIRS, mixup_probability=1.0, final_validation=False
    )
    trainer.run_training()
    assert np.isfinite(trainer.logger.get_value("train_losses", step=None)).all()


def test_regions_unknown_labels_and_other_networks_are_refused(preprocessed):
    with pytest.raises(
        UsageError, match=r"^cardiac.neighborhood_pairs: expected labels of the data set, .* got 'NOREF"
    ):
        build_trainer(AnatomyPriorTrainer, preprocessed).initialize()
    plan(999, "baseline", {"network": "fcn"}, name="fcn")
    for trainer_class in (AnatomyPriorTrainer, AnatomyPriorBaselineTrainer):
        with pytest.raises(UsageError, match=r"^plans: expected the architecture of nnU-Net's PlainConvUNet .*Fully"):
            build_trainer(trainer_class, preprocessed, "fcn").initialize()
    path = preprocessed / "dataset.json"
    regions = {"labels": {"background": 0, "heart": [1, 2, 3], "LV": 3}, "regions_class_order": [1, 3]}
    path.write_text(json.dumps(json.loads(path.read_text()) | regions))
    with pytest.raises(UsageError, match=r"^AnatomyPriorTrainer: expected a data set with one label per voxel"):
        small_trainer(preprocessed).initialize()


@all_rows
def test_nnunet_predicts_from_a_foreign_directory_what_was_trained(preprocessed, trainer_class, tmp_path, monkeypatch):
    enable_trainers()
    trainer = small_trainer(preprocessed, trainer_class, num_epochs=1)
    trainer.run_training()
    monkeypatch.chdir(tmp_path)
    predictor = nnUNetPredictor(device=torch.device("cpu"), allow_tqdm=False, use_mirroring=False)
    folder = results_folder(trainer_class.__name__, PRESET)
    predictor.initialize_from_trained_model_folder(str(folder), (0,), "checkpoint_final.pth")
    image = torch.randn(1, 1, 40, 24)
    with torch.no_grad():
        assert torch.equal(predictor.network.eval()(image), trainer.network.eval()(image))
    raw = preprocessed.parents[1] / f"raw/Dataset999_Tiny/imagesTr/{CASES[0]}_0000.nii.gz"
    stack, properties = predictor.plans_manager.image_reader_writer_class().read_images([str(raw)])
    assert predictor.predict_single_npy_array(stack, properties, None, None, False).shape == (7, 36, 36)


@pytest.mark.parametrize("trainer_class", [AnatomyPriorTrainer, AnatomyPriorBaselineTrainer])
@pytest.mark.parametrize("deep_supervision", [True, False])
def test_distributed_training_waits_for_no_parameter(preprocessed, tmp_path, trainer_class, deep_supervision):
    network = built(small_trainer(preprocessed, trainer_class), deep_supervision)
    distributed.init_process_group("gloo", init_method=f"file://{tmp_path}/store", rank=0, world_size=1)
    try:
        parallel = DistributedDataParallel(network)
        for _ in range(2):  # the second forward pass finds what the first backward pass has not reached
            outputs = parallel(torch.randn(2, 1, 32, 32))
            sum(output.square().mean() for output in (outputs if deep_supervision else [outputs])).backward()
    finally:
        distributed.destroy_process_group()
