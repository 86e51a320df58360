"""Batches of whole stacks: nothing is left out, slices move together, padding is empty."""

import numpy as np
import pytest
import torch
from batchgeneratorsv2.transforms.noise.gaussian_blur import GaussianBlurTransform
from batchgeneratorsv2.transforms.utils.compose import ComposeTransforms
from batchgeneratorsv2.transforms.utils.random import RandomTransform
from helpers.tiny_plans import tiny_dataset_json, tiny_plans
from nnunetv2.training.nnUNetTrainer.nnUNetTrainer import nnUNetTrainer
from nnunetv2.utilities.plans_handling.plans_handler import PlansManager

from nnunet_cardiac_ext.architectures.all_slice_fusion import real_slices
from nnunet_cardiac_ext.data.augmentation import reduce_augmentation
from nnunet_cardiac_ext.data.whole_stacks import StackLoader, slice_wise, stacked

LENGTHS = {"short": 3, "middle": 6, "long": 9}
SIZE = (30, 26)


class Cases:
    """Preprocessed cases in memory: pixels of slice k have values from k + 1 to k + 2, one square of label 3."""

    identifiers = tuple(LENGTHS)

    def load_case(self, case):
        slices, (rows, columns) = LENGTHS[case], SIZE
        plane = np.linspace(0, 1, rows * columns).reshape(SIZE)
        image = (1 + np.arange(slices)[:, None, None] + plane)[None].astype(np.float32)
        labels = np.zeros((1, slices, rows, columns), dtype=np.int16)
        labels[0, -1, 20:24, 16:20] = 3
        where = np.argwhere(labels == 3)
        return image, labels, None, {"class_locations": {1: [], 2: [], 3: where}}


def loader(batch_size=6, *, size=(16, 16), final=None, transforms=None, foreground=0.0):
    manager = PlansManager(tiny_plans()).get_label_manager(tiny_dataset_json())
    return StackLoader(
        Cases(), batch_size, (4, *size), (4, *(final or size)), manager,
        oversample_foreground_percent=foreground, transforms=transforms,
    )  # fmt: skip


def batch_of(seed=1, **options):
    np.random.seed(seed)  # noqa: NPY002
    torch.manual_seed(seed)
    return next(loader(**options))


def stock_transforms(size=(16, 16), *, mirror_axes=(0, 1), mask=(False,)):
    turn = (-np.pi, np.pi)
    return nnUNetTrainer.get_training_transforms(size, turn, None, mirror_axes, False, list(mask))


def test_every_slice_is_there_in_its_order_and_the_rest_is_empty():
    batch = batch_of()
    assert batch["data"].shape == (6, 1, max(LENGTHS[case] for case in batch["keys"]), 16, 16)
    assert len({LENGTHS[case] for case in batch["keys"]}) > 1
    for image, labels, case in zip(batch["data"], batch["target"], batch["keys"], strict=True):
        slices = LENGTHS[case]
        assert torch.equal(image[0, :slices].floor().amin(dim=(1, 2)), torch.arange(1.0, slices + 1))
        assert not image[:, slices:].any()
        assert not labels[:, slices:].any()
    assert torch.equal(real_slices(batch["data"]).sum(dim=1), torch.tensor([LENGTHS[c] for c in batch["keys"]]))


def test_foreground_patches_hold_foreground_and_still_every_slice():
    batch = batch_of(foreground=1.0)
    assert (batch["target"] == 3).flatten(1).any(dim=1).all()
    counts = real_slices(batch["data"]).sum(dim=1)
    assert torch.equal(counts, torch.tensor([LENGTHS[case] for case in batch["keys"]]))
    assert {int((of_case != 0).flatten(1).any(dim=0).any()) for of_case in batch["target"]} == {1}


def test_a_patch_larger_than_the_image_is_filled_up_in_the_plane():
    batch = batch_of(size=(40, 32), batch_size=3)
    assert batch["data"].shape[3:] == (40, 32)
    assert set(batch["target"].unique().tolist()) <= {-1, 0, 3}


def test_targets_of_several_outputs_are_filled_up_each():
    def two(**given):
        return given | {"segmentation": [given["segmentation"], given["segmentation"][..., ::2, ::2]]}

    batch = batch_of(transforms=two)
    slices = batch["data"].shape[2]
    assert [tuple(level.shape) for level in batch["target"]] == [(6, 1, slices, 16, 16), (6, 1, slices, 8, 8)]


def test_all_slices_of_a_stack_move_together():
    transforms = slice_wise(reduce_augmentation(stock_transforms((24, 24)), "none"))
    spatial = slice_wise(ComposeTransforms([stock_transforms((24, 24)).transforms[0]]))
    for changed, name in ((transforms, "mirrored"), (spatial, "turned")):
        moved = 0
        for seed in range(12):
            torch.manual_seed(seed)
            np.random.seed(seed)  # noqa: NPY002
            plane = torch.rand(1, 1, 24, 24)
            result = changed(
                image=plane.expand(1, 5, 24, 24).clone(), segmentation=(plane.expand(1, 5, 24, 24) > 0.5).short()
            )
            for key in ("image", "segmentation"):
                assert all(torch.equal(result[key][0, 0], result[key][0, k]) for k in range(5)), name
            moved += not torch.equal(result["image"][0, 0], plane[0, 0])
        assert moved > 2


def test_intensities_change_slice_by_slice_and_images_of_any_number_of_slices_go_through():
    transforms = slice_wise(stock_transforms())
    intensities = ComposeTransforms(
        [transforms.transforms[0], *[each for each in transforms.transforms[1:-1] if _is_intensity(each)],
         transforms.transforms[-2]]
    )  # fmt: skip
    differing = 0
    for seed in range(20):
        torch.manual_seed(seed)
        np.random.seed(seed)  # noqa: NPY002
        plane = torch.rand(1, 1, 16, 16)
        image = intensities(image=plane.repeat(1, 3 + seed % 4, 1, 1))["image"]
        assert image.shape == (1, 3 + seed % 4, 16, 16)
        differing += not torch.allclose(image[0, 0], image[0, 1])
    assert differing > 5


def _is_intensity(transform):
    return isinstance(transform, RandomTransform) and not isinstance(transform.transform, GaussianBlurTransform)


def test_masks_and_channels_find_their_place_behind_the_augmentation():
    transforms = slice_wise(stock_transforms(mask=(False, True)))
    names = [type(each).__name__ for each in transforms.transforms]
    back = names.index("Convert2DTo3DTransform")
    assert names[0] == "Convert3DTo2DTransform"
    assert names[back + 1] == "MaskImageTransform"
    assert "MirrorTransform" not in names[back:]
    labels = torch.zeros(1, 4, 16, 16, dtype=torch.int16)
    labels[:, 2] = -1
    image = transforms(image=torch.ones(2, 4, 16, 16), segmentation=labels)["image"]
    assert not image[1, 2].any()
    assert image[0, 2].any()


@pytest.mark.parametrize("final", [None, (12, 12)])
def test_stock_transforms_and_the_loader_go_together(final):
    batch = batch_of(size=(20, 20), final=final, transforms=slice_wise(stock_transforms(final or (20, 20))))
    assert batch["data"].shape[3:] == (final or (20, 20))
    assert batch["target"].amin() == 0


def test_stacks_are_filled_up_behind_the_last_slice():
    found = stacked([torch.ones(2, 1, 3, 3), torch.ones(2, 4, 3, 3)])
    assert found.sum(dim=(1, 3, 4)).tolist() == [[18, 0, 0, 0], [18, 18, 18, 18]]
