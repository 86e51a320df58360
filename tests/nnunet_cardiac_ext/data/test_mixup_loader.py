"""Batches with blended hearts: partition of unity, nnU-Net's pipeline, and nothing else changed."""

import json
import pickle

import numpy as np
import pytest
import torch
from batchgeneratorsv2.transforms.utils.compose import ComposeTransforms
from batchgeneratorsv2.transforms.utils.deep_supervision_downsampling import DownsampleSegForDSTransform
from batchgeneratorsv2.transforms.utils.remove_label import RemoveLabelTansform
from helpers.tiny_dataset import write_preprocessed_dataset
from nnunetv2.training.dataloading.data_loader import nnUNetDataLoader
from nnunetv2.training.dataloading.nnunet_dataset import nnUNetDatasetBlosc2
from nnunetv2.training.nnUNetTrainer.nnUNetTrainer import nnUNetTrainer
from nnunetv2.utilities.plans_handling.plans_handler import PlansManager

from nnunet_cardiac_ext.anatomy import CINE
from nnunet_cardiac_ext.data.heart_slices import hearts_of, left_ventricle_labels
from nnunet_cardiac_ext.data.mixup_loader import MixupLoader, soft_labels
from nnunet_cardiac_ext.errors import UsageError

SCALES = [[1, 1], [0.5, 0.5]]
PLAIN = ComposeTransforms([RemoveLabelTansform(-1, 0)])
DEEP = ComposeTransforms([RemoveLabelTansform(-1, 0), DownsampleSegForDSTransform(SCALES)])


@pytest.fixture
def preprocessed(nnunet_root):
    return write_preprocessed_dataset(nnunet_root)


def parts(preprocessed):
    manager = PlansManager(json.loads((preprocessed / "nnUNetPlans.json").read_text()))
    labels = manager.get_label_manager(json.loads((preprocessed / "dataset.json").read_text()))
    return nnUNetDatasetBlosc2(str(preprocessed / "nnUNetPlans_2d")), labels


def loader(preprocessed, *, probability=1.0, transforms=PLAIN, patch_size=(32, 32), batch_size=6, **options):
    dataset, labels = parts(preprocessed)
    return MixupLoader(
        dataset, batch_size, patch_size, options.pop("final", patch_size), labels, hearts=hearts_of(dataset, CINE),
        heart_labels=left_ventricle_labels(CINE), probability=probability, tolerance=0.1, transforms=transforms,
        **{"oversample_foreground_percent": 1.0, **options},
    )  # fmt: skip


def batch_of(seed=0, **options):
    made = loader(**options)
    np.random.seed(seed)  # noqa: NPY002
    torch.manual_seed(seed)
    return made.generate_train_batch()


def test_shares_are_a_partition_of_unity_at_every_resolution(preprocessed):
    batch = batch_of(preprocessed=preprocessed, transforms=DEEP)
    assert [tuple(target.shape) for target in batch["target"]] == [(6, 4, 32, 32), (6, 4, 16, 16)]
    for target in batch["target"]:
        assert target.dtype == torch.float32
        assert (target >= 0).all()
        assert torch.allclose(target.sum(dim=1), torch.ones(()), atol=1e-6)
    soft = (batch["target"][0] > 0) & (batch["target"][0] < 1)
    assert (soft.flatten(1).any(dim=1)).all()


def test_without_mixup_images_and_labels_are_nnunets(preprocessed):
    batch = batch_of(preprocessed=preprocessed, probability=0.0)
    dataset, labels = parts(preprocessed)
    stock = nnUNetDataLoader(
        dataset, 6, (32, 32), (32, 32), labels, oversample_foreground_percent=1.0, transforms=PLAIN
    )
    np.random.seed(0)  # noqa: NPY002
    expected = stock.generate_train_batch()
    # Our loader draws a number per slice that nnU-Net's does not, after which places differ: compare the first slice.
    assert torch.equal(batch["data"][0], expected["data"][0])
    assert torch.equal(batch["target"][0].argmax(dim=0), expected["target"][0, 0].long())
    assert set(batch["target"].unique().tolist()) == {0.0, 1.0}


def test_only_the_left_ventricle_is_blended(preprocessed):
    np.random.seed(3)  # noqa: NPY002
    made = loader(preprocessed, batch_size=1)
    for _ in range(5):
        batch = made.generate_train_batch()
        (case,), (index, row, column) = batch["keys"], made._corner
        image, labels, _, _ = parts(preprocessed)[0].load_case(case)
        plain, here = (np.pad(np.asarray(array)[0, index], 40) for array in (image, labels))
        window = slice(row + 40, row + 72), slice(column + 40, column + 72)
        heart = np.isin(here[window], left_ventricle_labels(CINE))
        mixed, shares = batch["data"][0, 0].numpy(), batch["target"][0].numpy()
        assert np.array_equal(mixed[~heart], plain[window][~heart])
        assert not np.allclose(mixed[heart], plain[window][heart])
        assert np.isin(shares[:, ~heart], (0, 1)).all()
        # Within the heart each voxel is of one class, or of two with the same two shares everywhere.
        values = np.unique(np.round(shares[:, heart], 5))
        assert len(values[(values > 0) & (values < 1)]) == 2


def test_shares_go_through_all_of_nnunets_augmentation(preprocessed):
    transforms = nnUNetTrainer.get_training_transforms(
        (32, 32), (-3.1, 3.1), SCALES, (0, 1), False, use_mask_for_norm=[False], foreground_labels=[1, 2, 3]
    )
    for seed in range(3):
        batch = batch_of(seed, preprocessed=preprocessed, transforms=transforms, patch_size=(42, 42), final=(32, 32))
        for target in batch["target"]:
            assert torch.allclose(target.sum(dim=1), torch.ones(()), atol=1e-6)
        assert batch["data"].shape == (6, 1, 32, 32)


def test_the_share_of_blended_slices_is_the_setting(preprocessed):
    made = loader(preprocessed, probability=0.3, batch_size=50)
    np.random.seed(5)  # noqa: NPY002
    soft = 0
    for _ in range(4):
        target = made.generate_train_batch()["target"]
        soft += int(((target > 0) & (target < 1)).flatten(1).any(dim=1).sum())
    assert 35 <= soft <= 85  # 60 expected of 200, SD 6.5


def test_it_travels_to_worker_processes(preprocessed):
    copy = pickle.loads(pickle.dumps(loader(preprocessed)))
    assert copy.generate_train_batch()["target"].shape == (6, 4, 32, 32)


def test_ignored_voxels_have_no_share(nnunet_root):
    folder = write_preprocessed_dataset(nnunet_root, ignore_label=True)
    target = batch_of(preprocessed=folder)["target"]
    assert target.shape[1] == 4
    sums = target.sum(dim=1)
    assert torch.isin(sums.round(decimals=5), torch.tensor([0.0, 1.0])).all()
    assert (sums < 0.5).any()


def test_soft_labels_by_hand():
    labels = torch.tensor([[[0, 1, 2, 4]], [[0, 2, 2, 1]]])
    expected = [[[1, 0, 0, 0]], [[0, 0.25, 0, 0]], [[0, 0.75, 1, 0]]]
    assert soft_labels(labels, 0.25, 3).tolist() == expected
    assert soft_labels(labels[:1], 0.25, 3).tolist() == [[[1, 0, 0, 0]], [[0, 1, 0, 0]], [[0, 0, 1, 0]]]


def test_volumes_and_regions_are_refused(preprocessed):
    dataset, labels = parts(preprocessed)
    options = {"hearts": {}, "heart_labels": [2, 3], "probability": 1.0, "tolerance": 0.1, "transforms": PLAIN}
    with pytest.raises(UsageError, match=r"^pathology mixup: expected 2D patches, got 3 dimensions$"):
        MixupLoader(dataset, 2, (4, 8, 8), (4, 8, 8), labels, **options)
    with pytest.raises(UsageError, match=r"^pathology mixup: expected at least two training cases"):
        MixupLoader(dataset, 2, (8, 8), (8, 8), labels, **options)
    labels.__dict__["_has_regions"] = True
    with pytest.raises(UsageError, match=r"^pathology mixup: expected a data set with one label per voxel"):
        MixupLoader(dataset, 2, (8, 8), (8, 8), labels, **options)
