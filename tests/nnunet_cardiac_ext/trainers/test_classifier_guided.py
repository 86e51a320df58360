"""Trainers of whole stacks: network from the plans, the paper's losses, plain nnU-Net around them."""

import itertools
import json

import numpy as np
import pytest
import torch
from helpers.resumed import interrupted_and_resumed
from helpers.tiny_dataset import SHORT, build_trainer, results_folder, weights, write_preprocessed_dataset
from helpers.tiny_volume import add_3d_configuration
from nnunetv2.inference.predict_from_raw_data import nnUNetPredictor
from torch.nn import functional

from nnunet_cardiac_ext.architectures.classifier_guided import ClassifierGuidedNet, StageOutputs
from nnunet_cardiac_ext.discovery import enable_trainers
from nnunet_cardiac_ext.errors import UsageError
from nnunet_cardiac_ext.losses.classifier_guided import ClassifierGuidedLoss
from nnunet_cardiac_ext.plans import plan
from nnunet_cardiac_ext.trainers.classifier_guided import AllSliceFusionTrainer, ClassifierGuidedTrainer

PRESET = "stack_all_slice"
SMALL = {"spacing": [1.5, 1.5], "patch_size": [9, 16, 16], "features": [4, 6, 8], "batch_size": 2, "seed": 1} | SHORT
both_trainers = pytest.mark.parametrize("trainer_class", [AllSliceFusionTrainer, ClassifierGuidedTrainer])


@pytest.fixture
def preprocessed(nnunet_root):
    folder = write_preprocessed_dataset(nnunet_root)
    plan(999, "all-slice", SMALL)
    return folder


def trainer_of(preprocessed, trainer_class=ClassifierGuidedTrainer, configuration=PRESET, **cardiac):
    return build_trainer(trainer_class, preprocessed, configuration, **cardiac)


def built(trainer):
    with torch.device("meta"):
        return trainer.build_network_architecture(trainer.plans_manager, trainer.configuration_manager, 1, 4, False)


@both_trainers
def test_a_stock_3d_configuration_has_the_papers_settings_and_network(preprocessed, trainer_class):
    add_3d_configuration(preprocessed)
    trainer = trainer_of(preprocessed, trainer_class, "3d_fullres")
    settings, network = trainer.settings, built(trainer)
    assert (settings.optimizer, settings.initial_lr, settings.weight_decay) == ("adam", 1e-4, 0)
    assert (settings.num_epochs, settings.schedule, settings.presence_weight) == (200, "none", 0.1)
    assert isinstance(network, ClassifierGuidedNet)
    two_stages = trainer_class is ClassifierGuidedTrainer
    assert (len(network.stages), network.classifier is not None) == (1 + two_stages, two_stages)
    assert network.stages[0].decoder.heads[0].in_channels == 32
    assert not network.all_outputs


@pytest.mark.parametrize("on", list(itertools.product((False, True), repeat=3)))
def test_every_row_of_the_tables_is_a_configuration(preprocessed, on):
    row = dict(zip(("fusion", "refinement", "presence"), on, strict=True))
    plan(999, "all-slice", SMALL | row, name="row")
    network = built(trainer_of(preprocessed, configuration="row"))
    found = {
        "fusion": network.stages[0].fusion is not None, "refinement": len(network.stages) == 2,
        "presence": network.classifier is not None,
    }  # fmt: skip
    assert found == row


def test_the_single_stage_is_that_of_any_configuration_of_the_preset(preprocessed):
    network = built(trainer_of(preprocessed, AllSliceFusionTrainer))
    assert (len(network.stages), network.classifier) == (1, None)
    assert [head.in_channels for head in network.stages[0].decoder.heads] == [4, 6]


def test_transformers_can_have_a_learning_rate_of_their_own(preprocessed):
    trainer = trainer_of(preprocessed, transformer_lr_factor=0.1, initial_lr=0.02, schedule="poly", num_epochs=2)
    trainer.initialize()
    names = {id(parameter): name for name, parameter in trainer.network.named_parameters()}
    groups = trainer.optimizer.param_groups
    found = [{names[id(parameter)] for parameter in group["params"]} for group in groups]
    of_transformers = {name for name in names.values() if ".fusion." in name}
    assert found == [set(names.values()) - of_transformers, of_transformers]
    assert len(of_transformers) > 0
    for epoch, share in enumerate((1, 0.5**0.9)):
        trainer.lr_scheduler.step(epoch)
        assert [group["lr"] for group in groups] == pytest.approx([0.02 * share, 0.002 * share])


def test_with_the_same_rate_there_is_one_group(preprocessed):
    trainer = trainer_of(preprocessed)
    trainer.initialize()
    assert len(trainer.optimizer.param_groups) == 1


@pytest.mark.parametrize("presence", [False, True])
def test_the_loss_is_the_sum_over_the_stages_and_does_not_see_padding(preprocessed, presence):
    trainer = trainer_of(preprocessed, presence_weight=0.3)
    trainer.initialize()
    generator = torch.Generator().manual_seed(0)
    real = torch.tensor([[True, True, False], [True, True, True]])
    stages = [torch.randn(5, 4, 8, 8, generator=generator) for _ in range(2)]
    said = torch.randn(5, 3, generator=generator) if presence else None
    target = torch.randint(0, 4, (2, 1, 3, 8, 8), generator=generator)
    labels = torch.cat([target[0, :, :2].transpose(0, 1), target[1].transpose(0, 1)])
    expected = functional.cross_entropy(stages[0], labels[:, 0])
    if presence:
        expected += ClassifierGuidedLoss(weight=0.3)(stages[1], said, labels)
    else:
        expected += functional.cross_entropy(stages[1], labels[:, 0])
    target[0, :, 2] = 3
    outputs = StageOutputs(torch.zeros(2, 4, 3, 8, 8), tuple(stages), said, real)
    assert trainer.loss(outputs, [target]).item() == pytest.approx(expected.item(), rel=1e-6)


@both_trainers
def test_batches_are_whole_stacks_in_the_size_of_the_patch(preprocessed, trainer_class):
    trainer = trainer_of(preprocessed, trainer_class)
    trainer.on_train_start()
    for batches in (trainer.dataloader_train, trainer.dataloader_val):
        batch = next(batches)
        assert batch["data"].shape == (2, 1, 7, 16, 16)
        assert [tuple(target.shape) for target in batch["target"]] == [(2, 1, 7, 16, 16)]
    assert trainer.inference_allowed_mirroring_axes == (1, 2)
    assert not trainer._do_i_compile()


@pytest.mark.parametrize(
    ("augmentation", "edge"), [("nnunet", 18), ("light", 18), ("none", 16), ("rigid", 51), ("one-of", 32)]
)  # fmt: skip
def test_augmentations_leave_their_room_in_the_plane_only(preprocessed, augmentation, edge):
    trainer = trainer_of(preprocessed, augmentation=augmentation, mirroring=False)
    patch_size, transforms, _ = trainer._build_transforms()
    assert list(patch_size) == [9, edge, edge]
    assert trainer.inference_allowed_mirroring_axes is None
    cut = torch.rand(1, 5, edge, edge)
    changed = transforms(image=cut, segmentation=torch.zeros(1, 5, edge, edge, dtype=torch.int16))
    assert changed["image"].shape == (1, 5, 16, 16)


def test_a_resumed_training_ends_as_an_uninterrupted_one(preprocessed):
    whole = trainer_of(preprocessed, num_epochs=3, save_every=2)
    whole.run_training()
    resumed = interrupted_and_resumed(lambda: trainer_of(preprocessed, num_epochs=3, save_every=2), epoch=2)
    assert torch.equal(weights(resumed), weights(whole))


@both_trainers
def test_trains_in_bfloat16_and_nnunet_predicts(preprocessed, trainer_class):
    trainer = trainer_of(preprocessed, trainer_class, autocast="bf16", channels_last=True)
    trainer.run_training()
    assert np.isfinite(trainer.logger.get_value("val_losses", step=None)).all()
    stack = torch.randn(1, 1, 5, 16, 16)
    assert isinstance(trainer.network.eval()(stack), StageOutputs)
    # As nnU-Net does before it predicts the validation cases.
    trainer.set_deep_supervision_enabled(False)
    assert trainer.network(stack).shape == (1, 4, 5, 16, 16)
    enable_trainers()
    model = results_folder(trainer_class.__name__, PRESET)
    predictor = nnUNetPredictor(device=torch.device("cpu"), allow_tqdm=False)
    predictor.initialize_from_trained_model_folder(str(model), (0,), "checkpoint_final.pth")
    # Longer and shorter than the patch, and a single slice.
    for slices in (13, 5, 1):
        image = np.random.default_rng(slices).normal(size=(1, slices, 30, 33)).astype(np.float32)
        labels = predictor.predict_single_npy_array(image, {"spacing": [8.0, 1.6, 1.7]})
        assert labels.shape == (slices, 30, 33)
        assert set(np.unique(labels)) <= {0, 1, 2, 3}


def test_an_ignore_label_trains(nnunet_root):
    folder = write_preprocessed_dataset(nnunet_root, ignore_label=True)
    plan(999, "all-slice", SMALL | {"num_epochs": 1})
    trainer = trainer_of(folder)
    trainer.run_training()
    assert np.isfinite(trainer.logger.get_value("train_losses", step=None)).all()
    assert trainer.loss.guided.ignore_label == 4


def test_what_the_network_cannot_do_is_refused_in_one_line(preprocessed):
    with pytest.raises(UsageError, match=r"^ClassifierGuidedTrainer: expected a configuration of stacks .* got 2d,"):
        trainer_of(preprocessed, configuration="2d")
    with pytest.raises(UsageError, match=r"deep_supervision: expected false, this network has no outputs at coarser"):
        trainer_of(preprocessed, deep_supervision=True)
    path = preprocessed / "dataset.json"
    regions = {"labels": {"background": 0, "heart": [1, 2, 3], "LV": 3}, "regions_class_order": [1, 3]}
    path.write_text(json.dumps(json.loads(path.read_text()) | regions))
    with pytest.raises(UsageError, match=r"^AllSliceFusionTrainer: expected labels that exclude each other"):
        trainer_of(preprocessed, AllSliceFusionTrainer)
