"""What each amount of augmentation leaves of nnU-Net's transforms."""

import numpy as np
import pytest
from batchgeneratorsv2.transforms.utils.random import RandomTransform
from nnunetv2.training.nnUNetTrainer.nnUNetTrainer import nnUNetTrainer

from nnunet_cardiac_ext.data.augmentation import make_repeatable, reduce_augmentation


@pytest.fixture
def transforms():
    return nnUNetTrainer.get_training_transforms(np.array((32, 32)), (-0.5, 0.5), [[1, 1]], (0, 1), False)


def _names(transforms):
    return [
        type(t.transform if isinstance(t, RandomTransform) else t).__name__.removesuffix("Transform")
        for t in transforms.transforms
    ]


def test_all_of_it_is_kept_by_default(transforms):
    assert _names(reduce_augmentation(transforms, "nnunet")) == _names(transforms)


def test_light_leaves_out_the_costly_two(transforms):
    left_out = set(_names(transforms)) - set(_names(reduce_augmentation(transforms, "light")))
    assert left_out == {"GaussianBlur", "SimulateLowResolution"}


def test_none_leaves_mirroring_and_what_is_no_augmentation(transforms):
    kept = reduce_augmentation(transforms, "none").transforms
    assert [type(t).__name__ for t in kept] == [
        "MirrorTransform",
        "RemoveLabelTransform",
        "DownsampleSegForDSTransform",
    ]


def test_a_repeatable_blur_does_not_time_itself(transforms):
    make_repeatable(transforms)
    blurs = [t.transform for t in transforms.transforms if "GaussianBlur" in str(getattr(t, "transform", ""))]
    assert [blur.benchmark for blur in blurs] == [False]
