"""Attention M-net trainers: network from the plans, the paper's losses and schedule, plain nnU-Net around them."""

import json

import numpy as np
import pytest
import torch
from helpers.resumed import interrupted_and_resumed
from helpers.tiny_dataset import CASES, SHORT, build_trainer, results_folder, weights, write_preprocessed_dataset
from helpers.tiny_volume import STRIDES, add_3d_configuration
from nnunetv2.inference.predict_from_raw_data import nnUNetPredictor
from torch import distributed
from torch.nn.parallel import DistributedDataParallel

from nnunet_cardiac_ext.architectures.attention_mnet import AttentionMNet
from nnunet_cardiac_ext.discovery import enable_trainers
from nnunet_cardiac_ext.errors import UsageError
from nnunet_cardiac_ext.losses.balanced_cross_entropy import BalancedCrossEntropyLoss
from nnunet_cardiac_ext.losses.distance_derived import DistanceDerivedLoss
from nnunet_cardiac_ext.losses.generalized_dice import GeneralizedDiceLoss
from nnunet_cardiac_ext.plans import plan
from nnunet_cardiac_ext.trainers.attention_mnet import AttMnetDDLTrainer, AttMnetTrainer
from nnunet_cardiac_ext.trainers.base import CardiacTrainer

SMALL = {"patch_size": [4, 16, 16], "batch_size": 2, "features": [2, 3, 4], "convolutions": 1}
PRESET, BOTH = "3d_attention_mnet", (AttMnetDDLTrainer, AttMnetTrainer)
both_trainers = pytest.mark.parametrize("trainer_class", BOTH)


@pytest.fixture
def preprocessed(nnunet_root):
    folder = write_preprocessed_dataset(nnunet_root)
    add_3d_configuration(folder)
    plan(999, "attention-mnet", SMALL | SHORT | {"seed": 1})
    return folder


def small_trainer(preprocessed, trainer_class=AttMnetDDLTrainer, **cardiac):
    return build_trainer(trainer_class, preprocessed, PRESET, **cardiac)


def use_labels(preprocessed, labels, **more):
    path = preprocessed / "dataset.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"labels": labels} | more))


def outputs_and_targets(levels=3, channels=4):
    """Random logits and labels of the small network's sizes, coarser from level to level."""
    generator = torch.Generator().manual_seed(0)
    sizes = [(4, 16, 16), (4, 8, 8), (2, 4, 4)][:levels]
    outputs = [torch.randn(2, channels, *size, generator=generator) for size in sizes]
    return outputs, [torch.randint(0, channels, (2, 1, *size), generator=generator) for size in sizes]


def test_a_stock_configuration_has_the_papers_settings_and_widths_on_its_own_strides(preprocessed):
    trainer = build_trainer(AttMnetDDLTrainer, preprocessed, "3d_fullres")
    settings = trainer.settings
    assert (settings.optimizer, settings.initial_lr, settings.weight_decay) == ("adam", 1e-4, 0)
    assert settings.num_epochs == 150
    assert (settings.schedule, settings.plateau_patience, settings.plateau_factor) == ("plateau", 8, 0.5)
    assert (settings.plateau_min_delta, settings.augmentation) == (1e-4, "rigid")
    assert (settings.gdl_weight, settings.bce_weight, settings.ddl_weight, settings.ddl_dims) == (1, 1, 3, 2)
    with torch.device("meta"):
        network = built(trainer)
    assert isinstance(network, AttentionMNet)
    widths = [stage[-1][0].out_channels for stage in network.encoder.stages]
    assert (widths, [len(stage) for stage in network.encoder.stages]) == ([32, 64, 128], [4, 4, 4])
    assert [list(pooling.kernel_size) for pooling in network.encoder.poolings] == STRIDES[1:]


def built(trainer, deep_supervision=True):
    return trainer.build_network_architecture(
        trainer.plans_manager, trainer.configuration_manager, 1, 4, deep_supervision
    )


def test_a_configuration_of_the_preset_gets_the_network_that_it_says(preprocessed):
    plan(999, "attention-mnet", SMALL | {"gate": "none", "norm": "instance"}, name="bare")
    trainer = small_trainer(preprocessed)
    trainer.initialize()
    assert [stage[-1][0].out_channels for stage in trainer.network.encoder.stages] == [2, 3, 4]
    bare = built(build_trainer(AttMnetDDLTrainer, preprocessed, "bare"))
    assert not list(bare.decoder.gates.parameters())
    assert isinstance(bare.encoder.stem[1], torch.nn.InstanceNorm3d)
    assert list(trainer.network.decoder.gates.parameters())


def test_both_ways_give_the_same_network(preprocessed):
    plan(999, "attention-mnet", {"patch_size": [4, 16, 16]}, name="written")
    trainers = [build_trainer(AttMnetDDLTrainer, preprocessed, name) for name in ("3d_fullres", "written")]
    with torch.device("meta"):
        networks = [built(trainer) for trainer in trainers]
    assert str(networks[0]) == str(networks[1])
    assert trainers[0]._get_deep_supervision_scales() == trainers[1]._get_deep_supervision_scales()


@both_trainers
def test_every_level_has_an_output_and_a_target_of_its_size(preprocessed, trainer_class):
    trainer = small_trainer(preprocessed, trainer_class)
    trainer.on_train_start()
    batch = next(trainer.dataloader_train)
    sizes = [tuple(target.shape[2:]) for target in batch["target"]]
    assert sizes == [tuple(output.shape[2:]) for output in trainer.network(batch["data"])]
    assert sizes == [(4, 16, 16), (4, 8, 8), (2, 4, 4)]


def test_the_loss_is_the_papers_sum(preprocessed):
    trainer = small_trainer(preprocessed)
    trainer.initialize()
    outputs, targets = outputs_and_targets()
    expected = 0.0
    for weight, output, target in zip((1, 0.5, 0.5), outputs, targets, strict=True):
        parts = [loss(output, target) for loss in (GeneralizedDiceLoss(), BalancedCrossEntropyLoss())]
        expected += weight * (parts[0] + parts[1] + 3 * DistanceDerivedLoss()(output, target))
    assert trainer.loss(outputs, targets).item() == pytest.approx(expected.item(), rel=1e-6)


def test_without_the_distance_loss_just_that_is_missing(preprocessed):
    trainers = [small_trainer(preprocessed, each, deep_supervision_weights=[1, 0, 0]) for each in BOTH]
    for trainer in trainers:
        trainer.initialize()
    outputs, targets = outputs_and_targets()
    difference = trainers[0].loss(outputs, targets) - trainers[1].loss(outputs, targets)
    assert difference.item() == pytest.approx(3 * DistanceDerivedLoss()(outputs[0], targets[0]).item(), rel=1e-5)


@pytest.mark.parametrize(
    ("changes", "kind", "factor"),
    [({"gdl_weight": 2}, GeneralizedDiceLoss, 1), ({"bce_weight": 0}, BalancedCrossEntropyLoss, -1),
     ({"ddl_weight": 5}, DistanceDerivedLoss, 2)],
)  # fmt: skip
def test_the_weights_are_settings(preprocessed, changes, kind, factor):
    outputs, targets = outputs_and_targets(levels=1)
    values = []
    for options in ({}, changes):
        trainer = small_trainer(preprocessed, deep_supervision=False, **options)
        trainer.initialize()
        values.append(trainer.loss(outputs[0], targets[0]).item())
    assert values[1] - values[0] == pytest.approx(factor * kind()(outputs[0], targets[0]).item(), rel=1e-5)


def test_distances_through_the_stack_know_its_spacing_at_every_output(preprocessed):
    trainer = small_trainer(preprocessed, ddl_dims=3, gdl_weight=0, bce_weight=0, ddl_weight=1)
    trainer.initialize()
    outputs, targets = outputs_and_targets()
    expected = 0.0
    # Slices of 10 mm; pixels of 1.5, 3 and 6 mm, slices of 20 mm at the third output.
    for weight, spacing, *pair in zip((1, 0.5, 0.5), (10 / 1.5, 10 / 3, 20 / 6), outputs, targets, strict=True):
        expected += weight * DistanceDerivedLoss(dims=3, spacing=(spacing, 1, 1))(*pair)
    assert trainer.loss(outputs, targets).item() == pytest.approx(expected.item(), rel=1e-5)


def test_batch_dice_takes_the_batch_as_one_image(preprocessed):
    plan(999, "attention-mnet", SMALL | {"batch_dice": True}, name="whole")
    trainer = build_trainer(AttMnetTrainer, preprocessed, "whole", bce_weight=0, deep_supervision=False)
    trainer.initialize()
    outputs, targets = outputs_and_targets(levels=1)
    expected = GeneralizedDiceLoss(batch=True)(outputs[0], targets[0])
    assert trainer.loss(outputs[0], targets[0]).item() == pytest.approx(expected.item())


@both_trainers
def test_regions_and_an_ignore_label_train(nnunet_root, trainer_class):
    folder = write_preprocessed_dataset(nnunet_root, ignore_label=True)
    add_3d_configuration(folder)
    plan(999, "attention-mnet", SMALL | SHORT | {"seed": 1, "ddl_dims": 3})
    regions = {"background": 0, "heart": [1, 2, 3], "left": [2, 3], "LV": 3, "ignore": 4}
    for labels in (None, regions):
        if labels:
            use_labels(folder, labels, regions_class_order=[1, 2, 3])
        trainer = small_trainer(folder, trainer_class, num_epochs=1)
        trainer.run_training()
        assert np.isfinite(trainer.logger.get_value("train_losses", step=None)).all()
        assert trainer.loss.loss.losses[0].regions == bool(labels)


def test_2d_trains_with_the_papers_network_and_with_a_smaller_one(preprocessed):
    small = {"network": "attention-mnet", "features": [2, 3, 4], "gate": "channel"}
    plan(999, "baseline", small | SHORT, name="flat")
    trainer = build_trainer(AttMnetDDLTrainer, preprocessed, "flat")
    trainer.run_training()
    assert trainer.settings.optimizer == "adam"
    assert torch.isfinite(weights(trainer)).all()
    assert trainer.inference_allowed_mirroring_axes == (0, 1)
    assert built(build_trainer(AttMnetDDLTrainer, preprocessed, "2d")).encoder.stem[0].out_channels == 16


def test_hearts_are_mirrored_within_slices_only_and_the_loader_leaves_room_to_move(preprocessed):
    trainer = small_trainer(preprocessed)
    patch_size, training, _ = trainer._build_transforms()
    assert trainer.inference_allowed_mirroring_axes == (1, 2)
    assert patch_size == [4, 51, 51]
    assert "SpatialOfLabels" in [type(transform).__name__ for transform in training.transforms]
    still = small_trainer(preprocessed, mirroring=False)
    still._build_transforms()
    assert still.inference_allowed_mirroring_axes is None


def test_the_plateau_watches_the_generalized_dice_of_the_final_output(preprocessed):
    trainer = small_trainer(preprocessed, val_iterations_per_epoch=3)
    trainer.on_train_start()
    trainer.on_train_epoch_start()
    trainer.on_train_epoch_end([trainer.train_step(next(trainer.dataloader_train))])
    batches = [next(trainer.dataloader_val) for _ in range(3)]
    with torch.no_grad():
        trainer.on_validation_epoch_start()
        expected = [
            GeneralizedDiceLoss()(trainer.network(batch["data"])[0], batch["target"][0]).item() for batch in batches
        ]
        trainer.on_validation_epoch_end([trainer.validation_step(batch) for batch in batches])
    assert trainer.plateau_quantity() == pytest.approx(np.mean(expected), rel=1e-5)
    assert trainer.plateau_quantity() != trainer.logger.get_value("val_losses", step=-1)
    assert trainer.lr_scheduler.state_dict()["best"] == pytest.approx(np.mean(expected), rel=1e-5)


def test_the_plateau_pools_all_processes(preprocessed, monkeypatch):
    trainer = small_trainer(preprocessed)
    trainer._final_losses = [0.1, 0.3]
    trainer.is_ddp = True
    monkeypatch.setattr(distributed, "get_world_size", lambda: 2)

    def gather(everywhere, own):
        everywhere[:] = [own, [0.8]]

    monkeypatch.setattr(distributed, "all_gather_object", gather)
    assert trainer.plateau_quantity() == pytest.approx(0.4)


def test_a_resumed_training_ends_as_an_uninterrupted_one_and_remembers_the_plateau(preprocessed):
    schedule = {"num_epochs": 4, "save_every": 2, "plateau_patience": 1, "plateau_min_delta": 100.0}
    whole = small_trainer(preprocessed, **schedule)
    whole.run_training()
    resumed = interrupted_and_resumed(lambda: small_trainer(preprocessed, **schedule), epoch=2)
    # Nothing is ever better by 100: the second such epoch, the third of all, halves the rate.
    assert resumed.logger.get_value("lrs", step=None) == pytest.approx([1e-4, 1e-4, 1e-4, 5e-5])
    assert torch.equal(weights(resumed), weights(whole))
    assert resumed.lr_scheduler.state_dict() == whole.lr_scheduler.state_dict()


def test_the_distance_loss_changes_the_training(preprocessed):
    trained = []
    for trainer_class in BOTH:
        trainer = small_trainer(preprocessed, trainer_class)
        trainer.run_training()
        trained.append(weights(trainer))
    assert not torch.equal(*trained)


@pytest.mark.slow
@pytest.mark.parametrize("configuration", ["3d_fullres", PRESET, "2d"])
def test_nnunet_predicts_from_a_foreign_directory_what_was_trained(preprocessed, configuration, tmp_path, monkeypatch):
    enable_trainers()
    trainer = build_trainer(AttMnetDDLTrainer, preprocessed, configuration, **SHORT, final_validation=False)
    trainer.run_training()
    monkeypatch.chdir(tmp_path)
    predictor = nnUNetPredictor(device=torch.device("cpu"), allow_tqdm=False, use_mirroring=False)
    folder = results_folder("AttMnetDDLTrainer", configuration)
    predictor.initialize_from_trained_model_folder(str(folder), (0,), "checkpoint_final.pth")
    trainer.set_deep_supervision_enabled(False)
    trainer.network.eval()
    predictor.network.eval()
    odd = (7, 33, 18)[-len(trainer.configuration_manager.patch_size) :]
    image = torch.randn(1, 1, *odd)
    with torch.no_grad():
        assert torch.equal(predictor.network(image), trainer.network(image))
    raw = preprocessed.parents[1] / f"raw/Dataset999_Tiny/imagesTr/{CASES[0]}_0000.nii.gz"
    stack, properties = predictor.plans_manager.image_reader_writer_class().read_images([str(raw)])
    assert predictor.predict_single_npy_array(stack, properties, None, None, False).shape == (7, 36, 36)


@pytest.mark.parametrize("deep_supervision", [True, False])
def test_distributed_training_waits_for_no_parameter(preprocessed, tmp_path, deep_supervision):
    network = built(small_trainer(preprocessed), deep_supervision)
    distributed.init_process_group("gloo", init_method=f"file://{tmp_path}/store", rank=0, world_size=1)
    try:
        parallel = DistributedDataParallel(network)
        for _ in range(2):  # the second forward pass finds what the first backward pass has not reached
            outputs = parallel(torch.randn(2, 1, 4, 16, 16))
            sum(output.square().mean() for output in (outputs if deep_supervision else [outputs])).backward()
    finally:
        distributed.destroy_process_group()


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_mixed_precision_stays_finite(preprocessed, dtype):
    trainer = small_trainer(preprocessed)
    trainer.initialize()
    _, targets = outputs_and_targets()
    image = 50 * torch.randn(2, 1, 4, 16, 16)
    with torch.autocast("cpu", dtype=dtype):
        loss = trainer.compute_loss(image, targets)
    loss.backward()
    assert loss.dtype == torch.float32
    assert loss.isfinite()
    assert all(p.grad.isfinite().all() for p in trainer.network.parameters())


@pytest.mark.parametrize("changes", [{"autocast": "bf16", "channels_last": True}, {"deep_supervision": False}], ids=str)
def test_other_settings_train_too(preprocessed, changes):
    trainer = small_trainer(preprocessed, num_epochs=1, **changes)
    trainer.run_training()
    assert torch.isfinite(weights(trainer)).all()
    assert np.isfinite(trainer.plateau_quantity())


def test_distances_through_the_stack_of_a_2d_configuration_are_refused(preprocessed):
    with pytest.raises(UsageError, match=r"^cardiac.ddl_dims: expected 2 in the 2D configuration 2d_test, got 3$"):
        build_trainer(AttMnetDDLTrainer, preprocessed, ddl_dims=3)
    build_trainer(AttMnetTrainer, preprocessed, ddl_dims=3)


def test_weights_of_zero_and_networks_of_another_kind_are_refused(preprocessed):
    trainer = small_trainer(preprocessed, AttMnetTrainer, gdl_weight=0, bce_weight=0)
    with pytest.raises(UsageError, match=r"^cardiac.gdl_weight, bce_weight: expected a weight above 0, got \[0.0, "):
        trainer.initialize()
    plan(999, "baseline-3d", {"network": "fcn"}, name="fcn")
    with pytest.raises(UsageError, match=r"expected the architecture of a U-Net .*FullyConvolutionalNetwork"):
        build_trainer(AttMnetDDLTrainer, preprocessed, "fcn").initialize()


@pytest.mark.parametrize("network", ["deepmedic", "fcn"])
def test_the_comparators_are_trained_by_nnunets_own_training(preprocessed, network):
    plan(999, "baseline-3d", {"network": network, "features": [2, 3, 4]} | SHORT, name=network)
    trainer = build_trainer(CardiacTrainer, preprocessed, network)
    trainer.run_training()
    assert torch.isfinite(weights(trainer)).all()
    trainer.set_deep_supervision_enabled(True)  # as nnU-Net does after validation
    assert trainer.network.eval()(torch.zeros(1, 1, 5, 9, 9)).shape == (1, 4, 5, 9, 9)
