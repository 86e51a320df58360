import json
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from helpers.tiny_dataset import VALIDATION, build_trainer, write_preprocessed_dataset
from nnunetv2.inference.predict_from_raw_data import nnUNetPredictor
from nnunetv2.training.logging.nnunet_logger import LocalLogger
from nnunetv2.training.nnUNetTrainer.nnUNetTrainer import nnUNetTrainer
from nnunetv2.utilities.get_network_from_plans import get_network_from_plans
from torch import nn

from nnunet_cardiac_ext.architectures.crocnet import CroCNet
from nnunet_cardiac_ext.errors import UsageError

WIDTHS = {"features_per_stage": (4, 8, 12), "specialist_features": (4, 8, 12)}
SMALL = WIDTHS | {"crop_size": 24, "margin": 2}
BACKGROUND, RV, MYO, LV = range(4)


class Given(nn.Module):
    """A first network that answers with given logits."""

    def __init__(self, logits):
        super().__init__()
        self.logits = nn.Parameter(logits)
        self.decoder = SimpleNamespace(deep_supervision=False)

    def forward(self, image):
        return self.logits[: len(image)]


class SameLogits(nn.Module):
    """A second stage that gives each anatomy one logit everywhere."""

    def __init__(self, *logits):
        super().__init__()
        self.strides = [(1, 1)]
        self.logits = torch.tensor(logits)

    def forward(self, image, probabilities):
        return self.logits[None, :, None, None].expand(len(image), -1, *image.shape[2:])


def regions(*blocks, shape=(40, 36)):
    """Logits of 8 for the class of each block (class, rows, columns) and for the background elsewhere."""
    logits = torch.zeros(1, 4, *shape)
    logits[:, BACKGROUND] = 8
    for index, rows, columns in blocks:
        logits[:, :, slice(*rows), slice(*columns)] = 0
        logits[:, index, slice(*rows), slice(*columns)] = 8
    return logits


def with_stage1(logits, **arguments):
    torch.manual_seed(0)
    network = CroCNet(1, logits.shape[1], **(SMALL | arguments))
    network.stage1 = Given(logits)
    return network


HEART, OUTLIER = (MYO, (10, 20), (8, 16)), (LV, (33, 37), (30, 34))
IMAGE = torch.randn(1, 1, 40, 36, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("shape", [(24, 24), (33, 47), (9, 60)])
@pytest.mark.parametrize("training", [True, False])
def test_any_size_comes_back_at_its_size(shape, training):
    torch.manual_seed(0)
    network = CroCNet(2, 4, **SMALL).train(training)
    assert network(torch.randn(2, 2, *shape)).shape == (2, 4, *shape)


@pytest.mark.parametrize("training", [True, False])
def test_in_the_box_the_specialists_decide(training):
    network = with_stage1(regions(HEART)).train(training)
    network.stage2 = SameLogits(-1.0, 2.0, 0.5)
    stages = network.forward_stages(IMAGE)
    assert stages.boxes.tolist() == [[8, 22, 6, 18]]
    box = stages.fused[0, :, 8:22, 6:18]
    torch.testing.assert_close(box, torch.tensor([0.0, -1.0, 2.0, 0.5])[:, None, None].expand_as(box))
    torch.testing.assert_close(stages.specialists[0, :, 8:22, 6:18], box[1:])
    assert not stages.specialists[0, :, 22:].any()


def test_fused_probabilities_are_those_of_masks_of_which_at_most_one_holds():
    network = with_stage1(regions(HEART)).eval()
    network.stage2 = SameLogits(-1.0, 2.0, 0.5)
    probability = network(IMAGE)[0, :, 15, 12].softmax(dim=0)
    masks = torch.tensor([-1.0, 2.0, 0.5]).sigmoid()
    none = (1 - masks).prod()
    only = torch.stack([none / (1 - mask) * mask for mask in masks])
    torch.testing.assert_close(probability, torch.cat([none[None], only]) / (none + only.sum()))


def test_outside_the_box_training_keeps_the_log_odds_of_stage1():
    logits = regions(HEART, OUTLIER) + torch.randn(1, 4, 40, 36)
    fused = with_stage1(logits).train()(IMAGE)
    odds = logits - logits[:, :1]
    outside = torch.ones(40, 36, dtype=torch.bool)
    outside[8:22, 6:18] = False
    torch.testing.assert_close(fused[..., outside], odds[..., outside])


def test_outside_the_box_prediction_drops_what_stage1_found_and_nothing_else():
    logits = regions(HEART, OUTLIER)
    fused = with_stage1(logits).eval()(IMAGE)
    outlier = fused[0, :, 33:37, 30:34]
    torch.testing.assert_close(outlier[LV].sigmoid(), torch.full((4, 4), 0.01))
    assert (fused.argmax(dim=1)[0, 22:] == BACKGROUND).all()
    torch.testing.assert_close(fused[0, :, 25, 3], torch.tensor([0.0, -8, -8, -8]))


@pytest.mark.parametrize("training", [True, False])
def test_without_a_heart_stage1_stands(training):
    logits = regions() + 0.1 * torch.randn(1, 4, 40, 36)
    network = with_stage1(logits).train(training)
    torch.testing.assert_close(network(IMAGE).softmax(dim=1), logits.softmax(dim=1))
    assert network.forward_stages(IMAGE).boxes.tolist() == [[0, 0, 0, 0]]


def test_an_image_does_not_depend_on_its_neighbours_when_predicting():
    logits = torch.cat([regions(HEART), regions(), regions((LV, (0, 9), (20, 36)))])
    images = torch.randn(3, 1, 40, 36)
    network = with_stage1(logits).eval()
    together = network(images)
    for index in range(3):
        network.stage1 = Given(logits[index : index + 1])
        torch.testing.assert_close(network(images[index : index + 1]), together[index : index + 1])


def test_a_heart_larger_than_the_crop_is_refined_as_a_whole():
    network = with_stage1(regions((MYO, (2, 38), (2, 34)))).eval()
    network.stage2 = SameLogits(-1.0, 3.0, -1.0)
    assert (network(IMAGE).argmax(dim=1) == MYO).all()


@pytest.mark.parametrize(("background", "anatomies"), [(0, [3, 1, 2]), (2, [0, 1, 3]), (3, None)])
def test_classes_come_in_the_order_that_is_asked_for(background, anatomies):
    logits = torch.zeros(1, 4, 40, 36)
    logits[:, background] = 8
    heart = next(index for index in range(4) if index != background)
    logits[:, [background, heart], 10:20, 8:16] = logits[:, [heart, background], 10:20, 8:16]
    network = with_stage1(logits, background=background, anatomies=anatomies).eval()
    network.stage2 = SameLogits(1.0, 2.0, 3.0)
    classes = anatomies or [0, 1, 2]
    got = network(IMAGE)[0, :, 15, 12]
    assert [got[index].item() for index in [background, *classes]] == [0, 1, 2, 3]


def test_a_class_without_specialist_keeps_stage1s_log_odds():
    network = with_stage1(regions(HEART), anatomies=[MYO]).eval()
    network.stage2 = SameLogits(-2.0)
    assert network(IMAGE)[0, :, 15, 12].tolist() == [0, 0, -2, 0]


@pytest.mark.parametrize("arguments", [{}, {"coupled": False}, {"deep_supervision": True}])
def test_every_parameter_receives_a_gradient(arguments):
    torch.manual_seed(0)
    network = CroCNet(1, 4, **SMALL, **arguments)
    with torch.no_grad():
        network.decoder.seg_layers[0].bias[BACKGROUND] -= 5  # all is heart
    outputs = network(torch.randn(2, 1, 32, 32))
    sum(output.square().sum() for output in (outputs if isinstance(outputs, list) else [outputs])).backward()
    assert [name for name, p in network.named_parameters() if p.grad is None or not p.grad.any()] == []


def test_what_the_specialists_draw_reaches_stage1_through_its_probabilities():
    network = with_stage1(regions(HEART)).train()
    network(IMAGE)[:, 1:, 8:22, 6:18].square().sum().backward()
    gradient = network.stage1.logits.grad[0]
    assert gradient[:, 10:20, 8:16].any()
    assert not gradient[:, 22:].any()


def test_a_frozen_stage1_keeps_its_weights_and_statistics():
    torch.manual_seed(0)
    network = CroCNet(1, 4, **SMALL, freeze_stage1=True).train()
    with torch.no_grad():
        network.decoder.seg_layers[0].bias[BACKGROUND] -= 5
    before = {key: value.clone() for key, value in network.stage1.state_dict().items()}
    network(torch.randn(2, 1, 32, 32)).square().sum().backward()
    assert all(torch.equal(value, before[key]) for key, value in network.stage1.state_dict().items())
    assert all(p.grad is None for p in network.stage1.parameters())
    assert [name for name, p in network.stage2.named_parameters() if not p.grad.any()] == []


def test_nnunet_builds_trains_and_predicts_it():
    def build(deep_supervision):
        arguments = {"features_per_stage": [4, 8, 12], "n_stages": 3, "strides": [[1, 1], [2, 2], [2, 2]]}
        arguments |= {"specialist_features": [4, 8, 12], "crop_size": 24}
        name = "nnunet_cardiac_ext.architectures.crocnet.CroCNet"
        return get_network_from_plans(name, arguments, [], 1, 4, deep_supervision=deep_supervision)

    trained, predicting = build(True), build(False)
    image = torch.randn(2, 1, 32, 32)
    assert [tuple(output.shape[2:]) for output in trained(image)] == [(32, 32), (16, 16)]
    predicting.load_state_dict(trained.state_dict())
    trained.decoder.deep_supervision = False  # as nnU-Net does before it validates
    with torch.no_grad():
        torch.testing.assert_close(trained.eval()(image), predicting.eval()(image))


@pytest.mark.slow  # it imports the compiler
def test_compiled_it_gives_the_same():
    torch.manual_seed(0)
    network = with_stage1(regions(HEART)).eval()
    torch.testing.assert_close(torch.compile(network, backend="eager")(IMAGE), network(IMAGE))


@pytest.mark.parametrize("precision", [torch.bfloat16, torch.float16])
def test_under_autocast_the_result_is_finite_and_in_single_precision(precision):
    network = with_stage1(regions(HEART).to(precision)).train()
    with torch.autocast("cpu", precision):
        fused = network(IMAGE)
    assert fused.dtype == torch.float32
    assert fused.isfinite().all()


def test_parameters_at_the_papers_widths():
    network = CroCNet(1, 4)
    modules = {"stage 1": network.stage1, "couplings": network.stage2.encoder.couplings, "all": network}
    counts = {name: sum(p.numel() for p in module.parameters()) for name, module in modules.items()}
    assert counts == {"stage 1": 8_293_460, "couplings": 3_690_240, "all": 14_062_101}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"background": 4}, "background: expected a class from 0 to 3, got 4"),
        ({"anatomies": [0, 1]}, r"anatomies: expected distinct classes out of \[1, 2, 3\]"),
        ({"anatomies": [1, 1]}, "anatomies: expected distinct"),
        ({"anatomies": []}, "anatomies: expected distinct"),
        ({"crop_size": 0}, "crop_size, margin: expected at least 1 and 0, got 0 and 15"),
        ({"margin": -1}, "got 128 and -1"),
    ],
)
def test_wrong_arguments_are_named(arguments, message):
    with pytest.raises(UsageError, match=message):
        CroCNet(1, 4, **WIDTHS, **arguments)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["crocnet.CroCNet", "e2a_unet.E2AUNet"])
def test_plain_nnunet_trains_validates_and_predicts(nnunet_root, monkeypatch, name):
    monkeypatch.setenv("nnUNet_n_proc_DA", "0")
    monkeypatch.setattr(LocalLogger, "plot_progress_png", lambda *_: None)
    preprocessed = write_preprocessed_dataset(nnunet_root)
    plans = json.loads((preprocessed / "nnUNetPlans.json").read_text())
    arguments = {"n_stages": 3, "features_per_stage": [4, 8, 12], "strides": [[1, 1], [2, 2], [2, 2]]}
    arguments |= {"specialist_features": [4, 8, 12], "crop_size": 24} if name.endswith("CroCNet") else {}
    plans["configurations"]["2d"]["architecture"] = {
        "network_class_name": f"nnunet_cardiac_ext.architectures.{name}",
        "arch_kwargs": arguments,
        "_kw_requires_import": [],
    }
    (preprocessed / "nnUNetPlans.json").write_text(json.dumps(plans))
    trainer = build_trainer(nnUNetTrainer, preprocessed, "2d")
    trainer.num_epochs, trainer.num_iterations_per_epoch, trainer.num_val_iterations_per_epoch = 1, 2, 1
    trainer.run_training()
    trainer.perform_actual_validation()
    folder = Path(trainer.output_folder)
    assert len(list((folder / "validation").glob("*.nii.gz"))) == len(VALIDATION)

    predictor = nnUNetPredictor(device=torch.device("cpu"), allow_tqdm=False)
    predictor.initialize_from_trained_model_folder(str(folder.parent), (0,), "checkpoint_final.pth")
    logits = predictor.predict_logits_from_preprocessed_data(torch.randn(1, 2, 45, 40))
    assert logits.shape == (4, 2, 45, 40)
    assert logits.isfinite().all()


@pytest.mark.parametrize("deep_supervision", [False, True])
def test_stage1s_own_logits_follow_as_the_last_output_in_training_only(deep_supervision):
    torch.manual_seed(0)
    network = CroCNet(1, 4, deep_supervision, **SMALL, stage1_output=True)
    outputs = network(IMAGE)
    assert len(outputs) == 2 + deep_supervision
    assert torch.equal(outputs[-1], network.stage1(IMAGE)[0] if deep_supervision else network.stage1(IMAGE))
    outputs = network.eval()(IMAGE)
    assert len(outputs) == 2 if deep_supervision else outputs.shape == (1, 4, 40, 36)
