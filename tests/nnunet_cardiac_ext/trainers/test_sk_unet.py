"""SKUNetTrainer: network from the plans, cross-entropy, plain nnU-Net around them."""

import numpy as np
import pytest
import torch
from helpers.tiny_dataset import SHORT, build_trainer, weights, write_preprocessed_dataset
from helpers.tiny_volume import add_3d_configuration
from torch.nn import functional

from nnunet_cardiac_ext.architectures.sk_unet import SKUNet
from nnunet_cardiac_ext.errors import UsageError
from nnunet_cardiac_ext.plans import plan
from nnunet_cardiac_ext.trainers.sk_unet import SKUNetTrainer

SMALL = {"spacing": [1.5, 1.5], "features": [4, 6, 8], "seed": 1} | SHORT


@pytest.fixture
def preprocessed(nnunet_root):
    return write_preprocessed_dataset(nnunet_root)


def test_a_stock_configuration_has_the_papers_settings_and_the_widths_of_the_docs(preprocessed):
    trainer = build_trainer(SKUNetTrainer, preprocessed, "2d")
    settings = trainer.settings
    assert (settings.optimizer, settings.initial_lr, settings.weight_decay) == ("adam", 1e-4, 0)
    assert (settings.num_epochs, settings.schedule, settings.deep_supervision) == (200, "none", False)
    with torch.device("meta"):
        network = trainer.build_network_architecture(trainer.plans_manager, trainer.configuration_manager, 1, 4, False)
    assert isinstance(network, SKUNet)
    assert [head.in_channels for head in network.decoder.heads] == [32, 64]


@pytest.mark.parametrize("deep_supervision", [False, True])
def test_trains_with_and_without_deep_supervision(preprocessed, deep_supervision):
    plan(999, "sk-unet", SMALL | {"deep_supervision": deep_supervision})
    trainer = build_trainer(SKUNetTrainer, preprocessed, "2d_sk_unet")
    trainer.on_train_start()
    before, batch = weights(trainer), next(trainer.dataloader_train)
    targets = batch["target"] if deep_supervision else [batch["target"]]
    outputs = trainer.network(batch["data"])
    outputs = outputs if deep_supervision else [outputs]
    assert [tuple(output.shape[2:]) for output in outputs] == [tuple(target.shape[2:]) for target in targets]
    terms = [functional.cross_entropy(o, t[:, 0].long()) for o, t in zip(outputs, targets, strict=True)]
    # nnU-Net gives the coarsest output no weight.
    assert trainer.loss(*((outputs, targets) if deep_supervision else (outputs[0], targets[0]))).item() == (
        pytest.approx(terms[0].item(), rel=1e-5)
    )
    assert np.isfinite(trainer.train_step(batch)["loss"])
    assert not torch.equal(weights(trainer), before)


def test_trains_in_bfloat16_from_start_to_end(preprocessed):
    plan(999, "sk-unet", SMALL | {"autocast": "bf16", "channels_last": True})
    trainer = build_trainer(SKUNetTrainer, preprocessed, "2d_sk_unet")
    trainer.run_training()
    assert torch.isfinite(weights(trainer)).all()


def test_a_3d_configuration_is_refused(preprocessed):
    add_3d_configuration(preprocessed)
    with pytest.raises(UsageError, match=r"^SKUNetTrainer: expected a 2D configuration, got 3d_fullres"):
        build_trainer(SKUNetTrainer, preprocessed, "3d_fullres")
