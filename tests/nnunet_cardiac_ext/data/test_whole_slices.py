"""Whole slices with their regions: what is drawn, how often, and what augmentation does to it."""

import json

import numpy as np
import pytest
import torch
from batchgeneratorsv2.transforms.utils.compose import ComposeTransforms
from helpers.label_stacks import heart
from helpers.tiny_dataset import CASES, write_preprocessed_dataset
from nnunetv2.training.dataloading.nnunet_dataset import nnUNetDatasetBlosc2
from nnunetv2.training.nnUNetTrainer.nnUNetTrainer import nnUNetTrainer
from nnunetv2.utilities.plans_handling.plans_handler import PlansManager
from scipy.stats import chisquare

from nnunet_cardiac_ext.anatomy import CINE
from nnunet_cardiac_ext.architectures.slice_classifier import fit_slices
from nnunet_cardiac_ext.data.augmentation import reduce_augmentation
from nnunet_cardiac_ext.data.stack_regions import each_stack
from nnunet_cardiac_ext.data.whole_slices import UNKNOWN, WholeSliceLoader, image_transforms, known_regions
from nnunet_cardiac_ext.errors import UsageError

NONE = ComposeTransforms([])
# The tiny data set: seven slices, hearts in 1 to 5, larger towards slice 1.
REGIONS = np.array([0, 1, 2, 2, 2, 3, 0])


@pytest.fixture
def preprocessed(nnunet_root):
    return write_preprocessed_dataset(nnunet_root)


def _loader(preprocessed, *, regions=None, batch_size=6, size=(48, 40), transforms=NONE):
    manager = PlansManager(json.loads((preprocessed / "nnUNetPlans.json").read_text()))
    labels = manager.get_label_manager(json.loads((preprocessed / "dataset.json").read_text()))
    dataset = nnUNetDatasetBlosc2(str(preprocessed / "nnUNetPlans_2d"))
    if regions is None:
        regions = each_stack(dataset, lambda stack: known_regions(stack, CINE))
    return WholeSliceLoader(dataset, batch_size, size, labels, regions=regions, transforms=transforms)


def _stock_transforms(size, *, mirror_axes=(0, 1), mask=(False,)):
    turn = (-np.pi, np.pi)
    return nnUNetTrainer.get_training_transforms(size, turn, None, mirror_axes, False, list(mask), ignore_label=4)


def test_the_regions_of_the_tiny_data_set_are_those_of_its_ellipses(preprocessed):
    regions = _loader(preprocessed)._regions
    assert sorted(regions) == sorted(CASES)
    assert all(np.array_equal(of_case, REGIONS) for of_case in regions.values())


def test_slices_of_which_part_is_unannotated_are_of_unknown_region_unless_they_hold_a_structure():
    labels = np.concatenate([np.zeros((2, 24, 24), np.int8), heart(slices=5)])
    labels[labels == 0] = -1  # nnU-Net's mark of the empty rim is background
    labels[1, :3] = 4
    labels[4:, :3] = 4
    assert known_regions(labels, CINE).tolist() != known_regions(labels, CINE, ignore_label=4).tolist()
    assert known_regions(labels, CINE, ignore_label=4).tolist() == [0, UNKNOWN, 1, 2, 2, 2, 3]


def test_cases_and_the_slices_of_a_case_are_equally_likely(preprocessed):
    loader = _loader(preprocessed, batch_size=500, size=(4, 4))
    # What is drawn, without reading it.
    drawn = []
    loader._image = lambda case, index: drawn.append((case, index)) or torch.zeros(1, 4, 4)
    np.random.seed(1)  # noqa: NPY002
    batches = [loader.generate_train_batch() for _ in range(20)]
    counts = [drawn.count((case, index)) for case in CASES for index in range(7)]
    assert chisquare(counts).pvalue > 1e-3
    targets = torch.cat([batch["target"] for batch in batches])
    assert targets.dtype == torch.int64
    assert targets.tolist() == [REGIONS[index] for _, index in drawn]


def test_a_batch_holds_whole_slices_in_the_size_of_the_network(preprocessed):
    loader = _loader(preprocessed)
    np.random.seed(2)  # noqa: NPY002
    batch = next(loader)
    assert (batch["data"].shape, batch["data"].dtype) == ((6, 1, 48, 40), torch.float32)
    for image, region, case in zip(batch["data"], batch["target"], batch["keys"], strict=True):
        stack = loader._data.load_case(case)[0][:]
        candidates = fit_slices(torch.from_numpy(stack), (48, 40))
        (index,) = [k for k, candidate in enumerate(candidates) if torch.equal(candidate, image)]
        assert region == REGIONS[index]


def test_slices_of_unknown_region_never_come_and_neither_do_cases_of_nothing_else(preprocessed):
    regions = {case: np.full(7, UNKNOWN) for case in CASES}
    regions[CASES[1]][2:4] = 2
    regions[CASES[3]][5] = 3
    loader = _loader(preprocessed, regions=regions, batch_size=50)
    batch = next(loader)
    assert {*zip(batch["keys"], batch["target"].tolist(), strict=True)} == {(CASES[1], 2), (CASES[3], 3)}


def test_a_data_set_without_any_known_region_is_refused_in_one_line(preprocessed):
    with pytest.raises(UsageError, match=r"^region classifier: expected cases with annotated slices, got none$"):
        _loader(preprocessed, regions={case: np.full(7, UNKNOWN) for case in CASES})


def test_only_transforms_of_images_are_kept_of_those_of_nnunet():
    names = [type(t).__name__ for t in image_transforms(_stock_transforms((32, 32), mask=(True,))).transforms]
    assert names == ["SpatialTransform", *["RandomTransform"] * 7, "MirrorTransform"]
    plain = reduce_augmentation(_stock_transforms((32, 32)), "none")
    assert [type(t).__name__ for t in image_transforms(plain).transforms] == ["MirrorTransform"]
    assert image_transforms(nnUNetTrainer.get_validation_transforms(None)).transforms == []


@pytest.mark.parametrize("size", [(48, 40), (37, 43)])
def test_a_slice_that_is_neither_turned_nor_mirrored_passes_the_augmentation_as_it_is(preprocessed, size):
    transforms = image_transforms(_stock_transforms(size, mirror_axes=None))
    spatial, *intensities = transforms.transforms
    spatial.p_rotation = spatial.p_scaling = 0
    for transform in intensities:
        transform.apply_probability = 0
    loader = _loader(preprocessed, size=size, transforms=transforms)
    plain = _loader(preprocessed, size=size)
    assert torch.equal(loader._image(CASES[0], 3), plain._image(CASES[0], 3))


def test_a_turned_slice_shows_the_same_heart_turned(preprocessed):
    transforms = image_transforms(_stock_transforms((40, 40), mirror_axes=None))
    transforms.transforms = transforms.transforms[:1]
    spatial = transforms.transforms[0]
    spatial.p_rotation, spatial.p_scaling, spatial.rotation = 1, 0, (np.pi / 2, np.pi / 2)
    turned = _loader(preprocessed, size=(40, 40), transforms=transforms)._image(CASES[0], 2)
    plain = _loader(preprocessed, size=(40, 40))._image(CASES[0], 2)
    turns = [torch.rot90(plain, k, (1, 2)) for k in (1, 3)]
    assert min(float((turned - turn).abs().max()) for turn in turns) < 1e-3


def test_opened_cases_are_kept_and_not_opened_again(preprocessed):
    loader = _loader(preprocessed)
    opened = []
    load_case = loader._data.load_case
    loader._data.load_case = lambda case: opened.append(case) or load_case(case)
    for _ in range(10):
        next(loader)
    assert sorted(opened) == sorted(set(opened))
