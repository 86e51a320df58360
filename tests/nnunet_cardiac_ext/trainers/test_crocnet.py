"""CroCNet's trainers: networks from the plans, Dice loss of both stages, stage 1 from a file, nnU-Net around them."""

import json

import pytest
import torch
from helpers.resumed import interrupted_and_resumed
from helpers.tiny_dataset import CASES, SHORT, build_trainer, results_folder, weights, write_preprocessed_dataset
from helpers.tiny_volume import add_3d_configuration
from nnunetv2.inference.predict_from_raw_data import nnUNetPredictor
from nnunetv2.training.loss.dice import MemoryEfficientSoftDiceLoss
from nnunetv2.utilities.helpers import softmax_helper_dim1
from torch import distributed
from torch.nn.parallel import DistributedDataParallel

from nnunet_cardiac_ext.architectures.crocnet import CroCNet
from nnunet_cardiac_ext.architectures.e2a_unet import E2AUNet
from nnunet_cardiac_ext.discovery import enable_trainers
from nnunet_cardiac_ext.errors import UsageError
from nnunet_cardiac_ext.plans import plan
from nnunet_cardiac_ext.trainers.base import CardiacTrainer
from nnunet_cardiac_ext.trainers.crocnet import CroCNetSingleTrainer, CroCNetTrainer, E2AUNetTrainer

SMALL = {"features": [4, 6, 8], "batch_size": 2}
SMALL_BOTH = SMALL | {"specialist_features": [4, 6, 8], "crop_size": 24, "margin": 3}
BRIEF = SHORT | {"iterations_per_epoch": 1, "seed": 1}
FIRST, BOTH = "2d_e2a_unet", "2d_crocnet"
ALL = ((E2AUNetTrainer, FIRST), (CroCNetTrainer, BOTH), (CroCNetSingleTrainer, BOTH))
every_trainer = pytest.mark.parametrize(("trainer_class", "configuration"), ALL)
STAGE1 = "E2AUNetTrainer__nnUNetPlans__2d_e2a_unet/fold_{fold}/checkpoint_final.pth"


@pytest.fixture
def preprocessed(nnunet_root):
    folder = write_preprocessed_dataset(nnunet_root)
    plan(999, "e2a-unet", SMALL | BRIEF)
    plan(999, "crocnet", SMALL_BOTH | BRIEF)
    return folder


def ready(preprocessed, trainer_class=CroCNetTrainer, configuration=BOTH, **cardiac):
    trainer = build_trainer(trainer_class, preprocessed, configuration, **cardiac)
    trainer.initialize()
    return trainer


def built(trainer, *, deep_supervision=False):
    return trainer.build_network_architecture(
        trainer.plans_manager, trainer.configuration_manager, 1, 4, deep_supervision
    )


def batch(seed=0):
    generator = torch.Generator().manual_seed(seed)
    labels = torch.zeros(2, 1, 32, 32)
    for label, edge in ((1, 8), (2, 6), (3, 4)):
        labels[:, :, 16 - edge : 16 + edge, 14 - edge : 14 + edge] = label
    return labels + 0.3 * torch.randn(labels.shape, generator=generator), labels


def dice_loss(logits, labels):
    return MemoryEfficientSoftDiceLoss(softmax_helper_dim1, batch_dice=True, do_bg=True, smooth=1e-5, ddp=False)(
        logits, labels
    )


@every_trainer
def test_a_stock_configuration_has_the_papers_settings_and_widths(preprocessed, trainer_class, configuration):
    trainer = build_trainer(trainer_class, preprocessed, "2d")
    settings = trainer.settings
    assert (settings.optimizer, settings.initial_lr, settings.weight_decay) == ("adam", 1e-4, 0)
    assert (settings.num_epochs, settings.step_epochs, settings.step_factor) == (500, (100, 200), 0.1)
    assert (settings.schedule, settings.augmentation, settings.deep_supervision) == ("steps", "one-of", False)
    with torch.device("meta"):
        network = built(trainer)
    stage1 = network if trainer_class is E2AUNetTrainer else network.stage1
    assert [up.out_channels for up in stage1.decoder.ups] == [32, 64]  # the tiny plans have three levels
    if trainer_class is not E2AUNetTrainer:
        assert [up.out_channels for up in network.stage2.decoder.ups] == [16, 32, 64, 128]
        assert (network.crop_size, network.margin) == (128, 15)


def test_each_trainer_builds_its_network_of_the_same_configuration(preprocessed):
    networks = [built(build_trainer(trainer_class, preprocessed, BOTH)) for trainer_class, _ in ALL]
    assert [type(network) for network in networks] == [E2AUNet, CroCNet, CroCNet]
    assert [network.stage2.coupled for network in networks[1:]] == [True, False]
    first = built(build_trainer(E2AUNetTrainer, preprocessed, FIRST))
    shapes = [{key: value.shape for key, value in net.state_dict().items()} for net in (networks[0], first)]
    assert shapes[0] == shapes[1] == {key: value.shape for key, value in networks[1].stage1.state_dict().items()}


@every_trainer
def test_both_ways_give_the_same_network(preprocessed, trainer_class, configuration):
    plan(999, "crocnet", name="written")
    trainers = [build_trainer(trainer_class, preprocessed, name) for name in ("2d", "written")]
    with torch.device("meta"):
        networks = [built(trainer) for trainer in trainers]
    assert str(networks[0]) == str(networks[1])


def test_the_loss_of_stage1_alone_is_nnunets_dice(preprocessed):
    trainer = ready(preprocessed, E2AUNetTrainer, FIRST)
    image, labels = batch()
    logits = trainer.network(image)
    assert trainer.compute_loss(image, labels).item() == pytest.approx(dice_loss(logits, labels).item(), rel=1e-5)


@pytest.mark.parametrize("weight", [0.0, 1.0, 0.25])
def test_each_stage_has_its_dice_loss(preprocessed, weight):
    trainer = ready(preprocessed, stage1_loss_weight=weight)
    image, labels = batch()
    stages = trainer.network.train().forward_stages(image)
    expected = dice_loss(stages.fused, labels) + weight * dice_loss(stages.stage1, labels)
    assert trainer.compute_loss(image, labels).item() == pytest.approx(expected.item(), rel=1e-5)


def test_under_deep_supervision_stage1_weighs_as_the_finest_output(preprocessed):
    trainer = ready(preprocessed, deep_supervision=True, deep_supervision_weights=[0.7, 0.3])
    assert trainer._get_deep_supervision_scales() == [[1, 1], [0.5, 0.5]]
    image, labels = batch()
    target = [labels, labels[..., ::2, ::2]]
    stages = trainer.network.train().forward_stages(image)
    fused, coarser, own = (
        dice_loss(logits, aim)
        for logits, aim in ((stages.fused, target[0]), (stages.coarser[0], target[1]), (stages.stage1, target[0]))
    )
    expected = 0.7 * fused + 0.3 * coarser + 0.7 * own
    assert trainer.compute_loss(image, target).item() == pytest.approx(expected.item(), rel=1e-5)


def test_the_loss_of_stage1_reaches_it_inside_the_box(preprocessed):
    gradients = []
    for weight in (0.0, 1.0):
        trainer = ready(preprocessed, stage1_loss_weight=weight)
        trainer.network.stage2.requires_grad_(False)
        trainer.compute_loss(*batch()).backward()
        gradients.append(trainer.network.decoder.seg_layers[0].weight.grad.clone())
    assert not torch.allclose(*gradients)


@pytest.mark.parametrize(("trainer_class", "configuration"), ALL[:2])
def test_a_resumed_training_ends_as_an_uninterrupted_one(preprocessed, trainer_class, configuration):
    schedule = {"num_epochs": 3, "save_every": 1, "step_epochs": [1, 2]}

    def build():
        return build_trainer(trainer_class, preprocessed, configuration, **schedule, final_validation=False)

    whole = build()
    whole.run_training()
    resumed = interrupted_and_resumed(build, epoch=1)
    assert resumed.logger.get_value("lrs", step=None) == pytest.approx([1e-4, 1e-5, 1e-6])
    assert torch.equal(weights(resumed), weights(whole))


@pytest.fixture
def stage1(preprocessed):
    """A trained first stage."""
    trainer = build_trainer(E2AUNetTrainer, preprocessed, FIRST, final_validation=False, initial_lr=0.01)
    trainer.run_training()
    return trainer


@pytest.mark.parametrize(
    ("trainer_class", "frozen"), [(CroCNetTrainer, False), (CroCNetTrainer, True), (CroCNetSingleTrainer, True)]
)
def test_stage1_starts_from_a_checkpoint_and_is_frozen_on_request(preprocessed, stage1, trainer_class, frozen):
    options = {"stage1_checkpoint": STAGE1, "freeze_stage1": frozen, "seed": 5, "final_validation": False}
    trainer = build_trainer(trainer_class, preprocessed, BOTH, **options)
    trainer.on_train_start()
    started = {key: value.clone() for key, value in trainer.network.stage1.state_dict().items()}
    assert all(torch.equal(value, started[key]) for key, value in stage1.network.state_dict().items())
    trained = build_trainer(trainer_class, preprocessed, BOTH, **options)
    trained.run_training()
    same = [torch.equal(value, started[key]) for key, value in trained.network.stage1.state_dict().items()]
    assert all(same) if frozen else not any(same[:4])
    assert not torch.equal(weights(trained), weights(trainer))
    resumed = build_trainer(trainer_class, preprocessed, BOTH, **options | {"stage1_checkpoint": "gone"})
    resumed.load_checkpoint(f"{trained.output_folder}/checkpoint_final.pth")
    assert torch.equal(weights(resumed), weights(trained))


@pytest.mark.parametrize(
    ("cardiac", "message"),
    [
        ({"freeze_stage1": True}, r"2d_crocnet, cardiac.freeze_stage1: expected stage1_checkpoint too"),
        (
            {"stage1_checkpoint": "a", "initial_weights": "b"},
            "expected stage1_checkpoint or initial_weights, got both$",
        ),
        (
            {"stage1_checkpoint": "a", "freeze_stage1": True, "stage1_loss_weight": 1},
            "stage1_loss_weight: has an effect",
        ),
    ],
)
def test_settings_that_do_not_go_together_are_refused(preprocessed, cardiac, message):
    with pytest.raises(UsageError, match=message):
        build_trainer(CroCNetTrainer, preprocessed, BOTH, **cardiac)


def test_a_checkpoint_that_is_not_there_or_of_another_network_is_one_line(preprocessed, stage1):
    missing = build_trainer(CroCNetTrainer, preprocessed, BOTH, stage1_checkpoint="none.pth")
    with pytest.raises(UsageError, match=r"^cardiac.stage1_checkpoint: expected a checkpoint, got none at .*none.pth"):
        missing.on_train_start()
    plan(999, "crocnet", SMALL_BOTH | BRIEF | {"features": [6, 8, 10], "stage1_checkpoint": STAGE1}, name="wider")
    with pytest.raises(
        UsageError, match=r"expected the weights of the same network; encoder.*: expected 3x1x3x3, got 2"
    ):
        build_trainer(CroCNetTrainer, preprocessed, "wider").on_train_start()


@pytest.mark.parametrize(
    ("trainer_class", "configuration", "deep_supervision"), [(*ALL[0], True), (*ALL[1], True), (*ALL[2], False)]
)
def test_nnunet_predicts_from_a_foreign_directory_what_was_trained(
    preprocessed, trainer_class, configuration, deep_supervision, tmp_path, monkeypatch
):
    enable_trainers()
    trainer = build_trainer(
        trainer_class, preprocessed, configuration, final_validation=False, deep_supervision=deep_supervision
    )
    trainer.run_training()
    monkeypatch.chdir(tmp_path)
    predictor = nnUNetPredictor(device=torch.device("cpu"), allow_tqdm=False, use_mirroring=False)
    folder = results_folder(trainer_class.__name__, configuration)
    predictor.initialize_from_trained_model_folder(str(folder), (0,), "checkpoint_final.pth")
    trainer.set_deep_supervision_enabled(False)
    trainer.network.eval()
    predictor.network.eval()
    image = torch.randn(1, 1, 33, 18)
    with torch.no_grad():
        assert torch.equal(predictor.network(image), trainer.network(image))
    raw = preprocessed.parents[1] / f"raw/Dataset999_Tiny/imagesTr/{CASES[0]}_0000.nii.gz"
    stack, properties = predictor.plans_manager.image_reader_writer_class().read_images([str(raw)])
    assert predictor.predict_single_npy_array(stack, properties, None, None, False).shape == (7, 36, 36)


@pytest.mark.parametrize("trainer_class", [CroCNetTrainer, CroCNetSingleTrainer])
@pytest.mark.parametrize("cardiac", [{}, {"deep_supervision": True}, {"stage1_loss_weight": 0}], ids=str)
def test_distributed_training_waits_for_no_parameter(preprocessed, tmp_path, trainer_class, cardiac):
    trainer = ready(preprocessed, trainer_class, **cardiac)
    distributed.init_process_group("gloo", init_method=f"file://{tmp_path}/store", rank=0, world_size=1)
    try:
        trainer.network = DistributedDataParallel(trainer.network)
        image, labels = batch()
        target = [labels, labels[..., ::2, ::2]] if trainer.enable_deep_supervision else labels
        trainer.loss = DeepSupervised() if trainer.enable_deep_supervision else dice_loss
        for _ in range(2):  # the second forward pass finds what the first backward pass has not reached
            trainer.compute_loss(image, target).backward()
    finally:
        distributed.destroy_process_group()


class DeepSupervised:
    """Sums the Dice losses of all outputs."""

    def __call__(self, outputs, targets):
        return sum(dice_loss(*pair) for pair in zip(outputs, targets, strict=True))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_mixed_precision_stays_finite(preprocessed, dtype):
    trainer = ready(preprocessed)
    image, labels = batch()
    with torch.autocast("cpu", dtype=dtype):
        loss = trainer.compute_loss(50 * image, labels)
    loss.backward()
    assert loss.isfinite()
    assert all(p.grad.isfinite().all() for p in trainer.network.parameters())


@pytest.mark.parametrize(("trainer_class", "configuration"), ALL[1:])
@pytest.mark.parametrize("changes", [{"autocast": "bf16"}, {"channels_last": True, "mirroring": False}], ids=str)
def test_other_settings_train_too(preprocessed, trainer_class, configuration, changes):
    trainer = build_trainer(trainer_class, preprocessed, configuration, num_epochs=1, final_validation=False, **changes)
    trainer.run_training()
    assert torch.isfinite(weights(trainer)).all()


def test_training_brings_the_loss_down(preprocessed):
    trainer = ready(preprocessed, initial_lr=0.005)
    losses = [
        float(trainer.train_step(dict(zip(("data", "target"), batch(seed), strict=True)))["loss"]) for seed in range(16)
    ]
    assert sum(losses[-4:]) < sum(losses[:4]) - 0.4  # two Dice losses each, of -1 at best


def test_regions_3d_configurations_and_other_networks_are_refused(preprocessed):
    add_3d_configuration(preprocessed)
    with pytest.raises(UsageError, match=r"^CroCNetTrainer: expected a 2D configuration, got 3d_fullres"):
        build_trainer(CroCNetTrainer, preprocessed, "3d_fullres")
    plan(999, "baseline", {"network": "fcn"}, name="fcn")
    with pytest.raises(UsageError, match=r"expected the architecture of a U-Net .*FullyConvolutionalNetwork"):
        ready(preprocessed, CroCNetTrainer, "fcn")
    path = preprocessed / "dataset.json"
    regions = {"labels": {"background": 0, "heart": [1, 2, 3], "LV": 3}, "regions_class_order": [1, 3]}
    path.write_text(json.dumps(json.loads(path.read_text()) | regions))
    with pytest.raises(UsageError, match=r"^CroCNetTrainer: expected labels, got regions, which lack a background$"):
        ready(preprocessed)
    trainer = build_trainer(E2AUNetTrainer, preprocessed, FIRST, final_validation=False)
    trainer.run_training()
    assert torch.isfinite(weights(trainer)).all()


def test_an_ignore_label_trains(nnunet_root):
    folder = write_preprocessed_dataset(nnunet_root, ignore_label=True)
    plan(999, "crocnet", SMALL_BOTH | BRIEF | {"seed": 1})
    trainer = build_trainer(CroCNetTrainer, folder, BOTH, final_validation=False)
    trainer.run_training()
    assert torch.isfinite(weights(trainer)).all()


def test_the_plain_trainer_trains_the_network_of_the_plans(preprocessed):
    plan(999, "baseline", {"network": "crocnet"} | SMALL_BOTH | BRIEF, name="plain")
    trainer = build_trainer(CardiacTrainer, preprocessed, "plain", final_validation=False)
    trainer.run_training()
    assert isinstance(trainer.network, CroCNet)
    assert torch.isfinite(weights(trainer)).all()
