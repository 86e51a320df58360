"""One of six changes for each image: which, how often, how strong, and that labels go along."""

import math
from functools import partial

import numpy as np
import pytest
import torch
from batchgeneratorsv2.transforms.utils.random import OneOfTransform
from nnunetv2.training.nnUNetTrainer.nnUNetTrainer import nnUNetTrainer

from nnunet_cardiac_ext.data import one_of_augmentation as module
from nnunet_cardiac_ext.data.one_of_augmentation import one_of_augmentation, room_for_change

PATCH = (48, 40)
ELASTIC, AFFINE, FLIP, BLUR, GAMMA, NOISE = range(6)


def transforms_for(patch_size=PATCH, mirror_axes=(0, 1), **options):
    stock = nnUNetTrainer.get_training_transforms(
        np.array(patch_size), (-0.5, 0.5), None, mirror_axes, len(patch_size) == 3, **options
    )
    return one_of_augmentation(stock, patch_size)


def drawing(transforms):
    """What draws one of the changes."""
    (one_of,) = [part for part in transforms.transforms if isinstance(part, OneOfTransform)]
    return one_of


def note(drawn, index, **data):
    drawn.append(index)
    return data


def change(index, patch_size=PATCH):
    """One of the six alone."""
    return drawing(transforms_for(patch_size)).list_of_transforms[index]


def seeded(seed):
    np.random.seed(seed)  # noqa: NPY002  the transforms draw from the global state
    torch.manual_seed(seed)


def pattern(patch_size=PATCH):
    """A patch with room: an off-centre block on a gentle slope, and the block as label."""
    rows, columns = room_for_change(patch_size)[-2:]
    labels = torch.zeros(1, rows, columns, dtype=torch.int16)
    labels[:, rows // 2 - 10 : rows // 2 + 4, columns // 2 - 4 : columns // 2 + 9] = 1
    return {"image": labels + torch.linspace(0, 0.2, columns), "segmentation": labels}


def middle(array, patch_size=PATCH):
    top, left = ((have - want) // 2 for have, want in zip(array.shape[-2:], patch_size, strict=True))
    return array[..., top : top + patch_size[0], left : left + patch_size[1]]


def test_each_change_comes_in_a_sixth_of_the_images():
    drawn = []
    one_of = drawing(transforms_for())
    one_of.list_of_transforms = [partial(note, drawn, index) for index in range(len(one_of.list_of_transforms))]
    seeded(0)
    for _ in range(1200):
        one_of(image=None)
    assert np.bincount(drawn) == pytest.approx(np.full(6, 200), abs=45)  # 3.5 standard deviations


@pytest.mark.parametrize("index", [FLIP, BLUR, GAMMA, NOISE])
def test_what_does_not_move_the_heart_leaves_the_labels_of_the_middle(index):
    seeded(1)
    for _ in range(8):
        labels = change(index)(**pattern())["segmentation"]
        expected = middle(pattern()["segmentation"])
        copies = [expected.flip(axes) for axes in ((), (1,), (2,), (1, 2))][: 4 if index == FLIP else 1]
        assert any(torch.equal(labels, copy) for copy in copies)


def test_every_mirrored_copy_occurs_and_image_and_labels_are_mirrored_alike():
    seeded(2)
    original, flip, seen = pattern(), change(FLIP), set()
    copies = {axes: middle(original["segmentation"]).flip(axes) for axes in ((), (1,), (2,), (1, 2))}
    for _ in range(40):
        result = flip(**pattern())
        (axes,) = [axes for axes, copy in copies.items() if torch.equal(result["segmentation"], copy)]
        assert torch.equal(result["image"], middle(original["image"]).flip(axes))
        seen.add(axes)
    assert len(seen) == 4


def test_gamma_is_the_fixed_power_of_the_grey_levels_in_their_range():
    image = middle(pattern()["image"])
    low, high = image.min(), image.max()
    expected = ((image - low) / (high - low)) ** math.exp(-0.2) * (high - low) + low
    torch.testing.assert_close(change(GAMMA)(**pattern())["image"], expected, atol=1e-5, rtol=0)


def test_noise_has_a_standard_deviation_of_a_tenth():
    seeded(3)
    noise = change(NOISE, (200, 200))(**pattern((200, 200)))["image"] - middle(pattern((200, 200))["image"], (200, 200))
    assert noise.std().item() == pytest.approx(0.1, rel=0.02)
    assert abs(noise.mean().item()) < 0.002


def test_blur_smooths_the_edge_of_the_block_and_keeps_its_sum():
    seeded(4)
    steps = []
    for _ in range(20):
        image = change(BLUR)(**pattern())["image"]
        assert image.mean().item() == pytest.approx(middle(pattern()["image"]).mean().item(), rel=1e-3)
        steps.append(image.diff(dim=1).abs().max().item())
    assert min(steps) < 0.35  # 1 without blur, 1 / (2 sqrt(2 pi)) = 0.2 with the widest
    assert max(steps) > 0.5


def test_the_heart_is_turned_by_up_to_30_degrees_and_scaled_by_up_to_a_tenth():
    patch = (96, 96)
    rows, columns = room_for_change(patch)
    image = torch.zeros(1, rows, columns)
    image[:, rows // 2 - 30 : rows // 2 + 31, columns // 2 - 3 : columns // 2 + 4] = 1
    seeded(5)
    angles, areas, affine = [], [], change(AFFINE, patch)
    for _ in range(150):
        bar = affine(image=image.clone(), segmentation=(image > 0).to(torch.int16))["image"][0].numpy()
        row, column = np.mgrid[: patch[0], : patch[1]]
        row, column = row - (bar * row).sum() / bar.sum(), column - (bar * column).sum() / bar.sum()
        mixed, across = 2 * (bar * row * column).sum(), (bar * (row**2 - column**2)).sum()
        angles.append(np.degrees(0.5 * np.arctan2(mixed, across)))
        areas.append(bar.sum() / image.sum().item())
    # Axes are scaled by themselves, which bends 30 degrees to 35.2 at most: tan 35.2 = 1.1 / 0.9 tan 30.
    assert 27 < np.abs(angles).max() < 35.3
    assert abs(np.mean(angles)) < 5
    assert 1 / 1.1**2 - 0.02 < min(areas) < 0.9
    assert 1.1 < max(areas) < 1 / 0.9**2 + 0.02


def test_displacements_are_smooth_and_at_most_seven_and_a_half_pixels():
    patch = (128, 128)
    rows, columns = room_for_change(patch)
    ramp = torch.stack(torch.meshgrid(torch.arange(rows), torch.arange(columns), indexing="ij")).float()
    seeded(6)
    largest, elastic = [], change(ELASTIC, patch)
    for _ in range(12):
        moved = elastic(image=ramp.clone(), segmentation=torch.zeros(1, rows, columns, dtype=torch.int16))["image"]
        displacement = moved - middle(ramp, patch)
        displacement -= displacement.mean(dim=(1, 2), keepdim=True)  # the transform keeps the middle in place
        largest.append(displacement.abs().max().item())
        assert displacement.diff(dim=1).abs().max() < 0.6
    # Seven and a half from the start; centring adds the mean, which is at most as much.
    assert 3 < max(largest) < 15


def test_what_comes_into_view_is_image_of_the_patch_with_room():
    transforms = transforms_for()
    rows, columns = room_for_change(PATCH)
    seeded(7)
    for index in (ELASTIC, AFFINE):
        for _ in range(20):
            result = change(index)(
                image=torch.ones(1, rows, columns), segmentation=torch.ones(1, rows, columns, dtype=torch.int16)
            )
            assert result["segmentation"].min() == 1
            assert result["image"].min() > 0.999
    assert transforms(**pattern())["image"].shape == (1, *PATCH)


def test_all_slices_move_together():
    stack = (3, *PATCH)
    room = room_for_change(stack)
    assert (room[0], room[1:]) == (3, room_for_change(PATCH))
    transforms = transforms_for(stack, (1, 2))
    seeded(8)
    for _ in range(24):
        image = torch.randn(1, 1, *room[1:]).expand(1, 3, -1, -1).clone()
        labels = transforms(image=image, segmentation=(image > 0).to(torch.int16))["segmentation"]
        assert labels.shape == (1, *stack)
        assert torch.equal(labels[:, 0], labels[:, 1])
        assert torch.equal(labels[:, 0], labels[:, 2])


def test_without_mirroring_there_are_five():
    for mirror_axes, count in ((None, 5), ((0, 1), 6)):
        (one_of,) = [
            part for part in transforms_for(mirror_axes=mirror_axes).transforms if isinstance(part, OneOfTransform)
        ]
        assert len(one_of.list_of_transforms) == count


def test_what_is_no_augmentation_stays():
    names = [type(part).__name__ for part in transforms_for(regions=[(1, 2)]).transforms]
    assert names == ["OneOfTransform", "RemoveLabelTransform", "ConvertSegmentationToRegionsTransform"]


def test_room_holds_the_turned_and_enlarged_patch():
    # 1.1 (48 cos 30 + 40 sin 30) = 67.7 and 1.1 (40 cos 30 + 48 sin 30) = 64.5, to the next odd numbers
    assert room_for_change(PATCH) == [69, 65]
    assert pytest.approx(0.1443, abs=1e-4) == module.SMOOTHNESS
