"""The region-specific trainers: which slices they see, and what they refuse."""

import numpy as np
import pytest
import torch
from helpers.tiny_dataset import SHORT, build_trainer, weights, write_preprocessed_dataset

from nnunet_cardiac_ext.data import region_sampling
from nnunet_cardiac_ext.errors import UsageError
from nnunet_cardiac_ext.trainers.region_specific import ApexRegionTrainer, BaseRegionTrainer, MiddleRegionTrainer

# Of the seven slices of each case 1 to 5 hold a heart, the largest first.
SLICES = {BaseRegionTrainer: {1}, MiddleRegionTrainer: {2, 3, 4}, ApexRegionTrainer: {5}}


@pytest.fixture
def preprocessed(nnunet_root):
    return write_preprocessed_dataset(nnunet_root, **SHORT, seed=1)


def _started(trainer_class, preprocessed, **cardiac):
    trainer = build_trainer(trainer_class, preprocessed, **cardiac)
    trainer.initialize()
    return trainer


@pytest.mark.parametrize("trainer_class", SLICES)
def test_training_and_validation_see_slices_of_the_region_only(preprocessed, trainer_class):
    seen = set()
    for batches in _started(trainer_class, preprocessed).get_dataloaders():
        loader = batches.data_loader
        for force_fg in (False, True):
            for case in loader.indices:
                image, _, _, properties = loader._data.load_case(case)
                boxes = [loader.get_bbox(image.shape[1:], force_fg, properties["class_locations"]) for _ in range(40)]
                seen |= {lower[0] for lower, _ in boxes}
    assert seen == SLICES[trainer_class]


def test_as_many_images_are_seen_as_in_any_other_training(preprocessed):
    trainer = _started(ApexRegionTrainer, preprocessed)
    training, _ = trainer.get_dataloaders()
    assert len(next(training)["data"]) == trainer.batch_size
    assert trainer.num_iterations_per_epoch == SHORT["iterations_per_epoch"]


def test_regions_have_models_of_their_own(preprocessed):
    def trained(trainer_class):
        trainer = build_trainer(trainer_class, preprocessed)
        trainer.run_training()
        return weights(trainer)

    base, again, apex = map(trained, (BaseRegionTrainer, BaseRegionTrainer, ApexRegionTrainer))
    assert torch.equal(base, again)
    assert not torch.equal(base, apex)


def test_without_a_slice_of_the_region_one_line_says_so(preprocessed, monkeypatch):
    monkeypatch.setattr(
        "nnunet_cardiac_ext.trainers.region_specific.stack_regions", lambda labels, *_, **__: np.full(len(labels), 2)
    )
    trainer = _started(BaseRegionTrainer, preprocessed)
    with pytest.raises(UsageError, match=r"^BaseRegionTrainer: expected training cases with a slice of the base$"):
        trainer.get_dataloaders()


def test_a_loader_without_any_law_is_refused(preprocessed):
    trainer = _started(BaseRegionTrainer, preprocessed)
    dataset, _ = trainer.get_tr_and_val_datasets()
    with pytest.raises(UsageError, match="expected at least one case with a slice to draw, got none"):
        region_sampling.RegionSamplingDataLoader(dataset, 2, (32, 32), (32, 32), trainer.label_manager, laws={})
