"""RegionSamplingTrainer: its loader, its default and its limits."""

import json

import pytest
import torch
from helpers.tiny_dataset import SHORT, build_trainer, weights, write_preprocessed_dataset
from nnunetv2.training.dataloading.data_loader import nnUNetDataLoader

from nnunet_cardiac_ext.data.region_sampling import RegionSamplingDataLoader
from nnunet_cardiac_ext.errors import UsageError
from nnunet_cardiac_ext.trainers.region_sampling import RegionSamplingTrainer


@pytest.fixture
def preprocessed(nnunet_root):
    return write_preprocessed_dataset(nnunet_root, **SHORT, seed=1)


def test_only_the_training_batches_are_drawn_by_region(preprocessed):
    trainer = build_trainer(RegionSamplingTrainer, preprocessed)
    trainer.initialize()
    training, validation = trainer.get_dataloaders()
    assert type(training.data_loader) is RegionSamplingDataLoader
    assert type(validation.data_loader) is nnUNetDataLoader


@pytest.mark.parametrize(("block", "ratio"), [({}, 20), ({"sampling_ratio": 4}, 4)])
def test_the_ratio_is_that_of_the_paper_or_of_the_plans(preprocessed, block, ratio):
    trainer = build_trainer(RegionSamplingTrainer, preprocessed, **block)
    trainer.initialize()
    law = trainer.get_dataloaders()[0].data_loader._data._laws["case1"].foreground
    # Five cardiac slices, so that one lies exactly in the middle and the realised ratio is the setting.
    assert law.max() / law[law > 0].min() == pytest.approx(ratio)


def test_it_trains_and_the_ratio_matters(preprocessed):
    trainers = [build_trainer(RegionSamplingTrainer, preprocessed, sampling_ratio=ratio) for ratio in (1, 20, 20)]
    for trainer in trainers:
        trainer.run_training()
    uniform, first, second = map(weights, trainers)
    assert torch.equal(first, second)
    assert not torch.equal(uniform, first)


def test_a_stock_configuration_has_the_default_of_the_paper(preprocessed):
    assert build_trainer(RegionSamplingTrainer, preprocessed, configuration="2d").settings.sampling_ratio == 20


def test_a_3d_configuration_is_refused_in_one_line(preprocessed):
    plans = json.loads((preprocessed / "nnUNetPlans.json").read_text())
    plans["configurations"]["3d_fullres"] = {"inherits_from": "2d", "patch_size": [8, 32, 32]}
    (preprocessed / "nnUNetPlans.json").write_text(json.dumps(plans))
    with pytest.raises(UsageError, match=r"^RegionSamplingTrainer: expected a 2D configuration, got 3d_fullres, "):
        build_trainer(RegionSamplingTrainer, preprocessed, configuration="3d_fullres")
