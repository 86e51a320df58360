"""Shift, rotation and mirroring within slices: how far, how often, and that labels go along."""

import numpy as np
import pytest
import torch
from nnunetv2.training.nnUNetTrainer.nnUNetTrainer import nnUNetTrainer

from nnunet_cardiac_ext.data.rigid_augmentation import LARGEST_ANGLE, rigid_augmentation, room_for_motion

PATCH = (3, 40, 32)


def transforms_for(patch_size, mirror_axes=None, **options):
    stock = nnUNetTrainer.get_training_transforms(
        np.array(patch_size), (-0.5, 0.5), None, mirror_axes, len(patch_size) == 3, **options
    )
    return rigid_augmentation(stock, patch_size)


def moved(transforms, patch_size, draw):
    """Image and labels after the transforms, of two points drawn into a patch with room for motion."""
    room = room_for_motion(patch_size)
    image = torch.zeros(1, *room)
    draw(image[0], [edge // 2 for edge in room])
    result = transforms(image=image, segmentation=(image > 0).to(torch.int16))
    return result["image"][0], result["segmentation"][0]


def seeded(seed):
    np.random.seed(seed)  # noqa: NPY002  the transforms draw from the global state
    torch.manual_seed(seed)


def bar(image, middle):
    """A bar of 17 x 3 pixels around the middle of each slice."""
    row, column = middle[-2:]
    image[..., row - 8 : row + 9, column - 1 : column + 2] = 1


def centre_and_angle(image):
    """Of a bar: its centre of mass, (row, column), and the angle of its long axis against the rows, in degrees."""
    row, column = np.mgrid[: image.shape[0], : image.shape[1]]
    weight = image.numpy() / image.sum().item()
    centre = np.array([(weight * row).sum(), (weight * column).sum()])
    row, column = row - centre[0], column - centre[1]
    spread = [(weight * row * row).sum(), (weight * row * column).sum(), (weight * column * column).sum()]
    return centre, np.degrees(0.5 * np.arctan2(2 * spread[1], spread[0] - spread[2]))


@pytest.fixture(scope="module")
def motions():
    """Shifts in pixels and angles in degrees of many patches, without mirroring."""
    patch = (80, 80)
    transforms = transforms_for(patch)
    seeded(0)
    found = [centre_and_angle(moved(transforms, patch, bar)[0]) for _ in range(600)]
    return np.array([centre for centre, _ in found]), np.array([angle for _, angle in found])


def test_half_of_the_patches_are_turned_by_up_to_15_degrees_either_way(motions):
    _, angles = motions
    turned = np.abs(angles) > 0.05
    assert turned.mean() == pytest.approx(0.5, abs=0.06)
    assert 14 < np.abs(angles).max() < 15.5
    assert abs(angles.mean()) < 1
    assert angles[turned].std() == pytest.approx(np.degrees(LARGEST_ANGLE) / 3**0.5, rel=0.1)


def test_half_of_the_patches_are_shifted_by_up_to_15_pixels_either_way(motions):
    centres, angles = motions
    straight = centres[np.abs(angles) < 0.05]  # those that were turned were turned around the patch's middle
    shifts = straight - np.median(straight, axis=0)
    still = np.abs(shifts).max(axis=1) < 0.1
    assert still.mean() == pytest.approx(0.5, abs=0.08)
    assert 13 <= np.abs(shifts).max() <= 15.01
    assert np.abs(shifts[~still].mean(axis=0)).max() < 2


def test_all_slices_move_together_and_labels_with_them():
    transforms = transforms_for(PATCH)
    seeded(1)
    for _ in range(20):
        image, labels = moved(transforms, PATCH, bar)
        assert image.shape == labels.shape == PATCH
        assert torch.equal(image[0], image[1])
        assert torch.equal(image[0], image[2])
        assert ((image > 0.6) <= (labels == 1)).all()
        assert ((image < 0.4) <= (labels == 0)).all()


def test_what_comes_into_view_is_image_of_the_patch_with_room():
    transforms = transforms_for(PATCH)
    seeded(2)
    room = room_for_motion(PATCH)
    for _ in range(30):
        image = transforms(image=torch.ones(1, *room), segmentation=torch.ones(1, *room, dtype=torch.int16))
        assert image["image"].min() > 0.999
        assert image["segmentation"].min() == 1


def test_room_leaves_the_slices_alone():
    assert room_for_motion(PATCH)[0] == 3
    assert room_for_motion(PATCH)[1:] == room_for_motion(PATCH[1:])
    # 40 cos 15 + 32 sin 15 = 46.9, 32 cos 15 + 40 sin 15 = 41.3, to the next odd numbers, and twice 15
    assert room_for_motion(PATCH)[1:] == [47 + 30, 43 + 30]


def test_mirroring_and_what_is_no_augmentation_stay():
    names = [type(t).__name__ for t in transforms_for(PATCH, (1, 2), regions=[(1, 2)]).transforms]
    assert names == [
        "Convert3DTo2DTransform", "RandomTransform", "SpatialOfLabels", "Convert2DTo3DTransform",
        "Convert3DTo2DTransform", "Convert2DTo3DTransform", "MirrorTransform", "RemoveLabelTransform",
        "ConvertSegmentationToRegionsTransform",
    ]  # fmt: skip


def test_outside_the_image_there_is_background():
    patch = (20, 20)
    transforms = transforms_for(patch)
    seeded(3)
    image = torch.ones(1, 22, 22)  # without the room for motion
    result = [transforms(image=image, segmentation=torch.ones(1, 22, 22, dtype=torch.int16)) for _ in range(20)]
    labels = torch.stack([part["segmentation"] for part in result])
    assert set(labels.unique().tolist()) == {0, 1}
