"""The augmentation of paper 003: each image gets one of six changes, all equally often.

Khan et al., *Crop and Couple: Cardiac Image Segmentation Using Interlinked Specialist Networks*, section 4.2, names the
six; that one is drawn for each image and how strong they are is from the authors' released loader, where TorchIO's
defaults fill in what it leaves open. Deformations, angles and scales are within the slice plane; all slices of a stack
move together.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from batchgeneratorsv2.transforms.base.basic_transform import BasicTransform
from batchgeneratorsv2.transforms.intensity.gamma import GammaTransform
from batchgeneratorsv2.transforms.intensity.gaussian_noise import GaussianNoiseTransform
from batchgeneratorsv2.transforms.noise.gaussian_blur import GaussianBlurTransform
from batchgeneratorsv2.transforms.spatial.mirroring import MirrorTransform
from batchgeneratorsv2.transforms.utils.compose import ComposeTransforms
from batchgeneratorsv2.transforms.utils.pseudo2d import Convert2DTo3DTransform, Convert3DTo2DTransform
from batchgeneratorsv2.transforms.utils.random import OneOfTransform

from nnunet_cardiac_ext.data.augmentation import reduce_augmentation
from nnunet_cardiac_ext.data.plane_motion import SpatialOfLabels, room_to_turn

LARGEST_ANGLE = math.radians(30)
SCALES = (0.9, 1.1)  # above 1 the heart gets smaller
LARGEST_DISPLACEMENT = 7.5  # pixels
# TorchIO interpolates displacements between five control points along each axis. The cubic spline between points a
# quarter of the image apart is about a Gaussian with sigma sqrt(1/3) of that distance.
SMOOTHNESS = 3**-0.5 / 4
LARGEST_BLUR = 2.0  # sigma in pixels
GAMMA = math.exp(-0.2)
NOISE = 0.1  # standard deviation, of images with one of 1


def room_for_change(patch_size: Sequence[int]) -> list[int]:
    """Return how large a patch has to be so that what comes into view is image.

    Args:
        patch_size: Size of the patch that the network gets, ([slice,] row, column).
    """
    turned = room_to_turn(patch_size[-2:], LARGEST_ANGLE, SCALES[1])
    displaced = 2 * math.ceil(LARGEST_DISPLACEMENT)
    return [*patch_size[:-2], *(max(t, e + displaced) for t, e in zip(turned, patch_size[-2:], strict=True))]


def one_of_augmentation(transforms: ComposeTransforms, patch_size: Sequence[int]) -> ComposeTransforms:
    """Return nnU-Net's training transforms with one of the paper's changes in place of all random ones.

    Where nnU-Net's transforms mirror, mirroring is one of the six, each axis of the plane with probability 0.5; else
    there are five. What is no augmentation stays.

    Args:
        transforms: nnU-Net's training transforms.
        patch_size: Size of the patch that the network gets, ([slice,] row, column); patches come with
            `room_for_change`.
    """
    kept = reduce_augmentation(transforms, "none").transforms
    others = [transform for transform in kept if not isinstance(transform, MirrorTransform)]
    change: list[BasicTransform] = [OneOfTransform(_changes(patch_size[-2:], mirroring=len(others) < len(kept)))]
    if len(patch_size) == 3:
        change = [Convert3DTo2DTransform(), *change, Convert2DTo3DTransform()]
    return ComposeTransforms([*change, *others])


def _changes(patch_size: Sequence[int], *, mirroring: bool) -> list[BasicTransform]:
    """Return the changes; each cuts out the middle of the patch that has room, or its changed middle."""
    size = list(patch_size)
    middle = SpatialOfLabels(size, 0, random_crop=False)
    elastic = SpatialOfLabels(
        size, 0, random_crop=False, p_elastic_deform=1, elastic_deform_scale=SMOOTHNESS,
        elastic_deform_magnitude=(0, LARGEST_DISPLACEMENT),
    )  # fmt: skip
    affine = SpatialOfLabels(
        size, 0, random_crop=False, p_rotation=1, rotation=(-LARGEST_ANGLE, LARGEST_ANGLE), p_scaling=1, scaling=SCALES
    )
    intensity: list[BasicTransform] = [
        GaussianBlurTransform((0, LARGEST_BLUR), benchmark=False),
        GammaTransform(GAMMA, p_invert_image=0, synchronize_channels=False, p_per_channel=1, p_retain_stats=0),
        GaussianNoiseTransform(NOISE),
    ]
    flips: list[BasicTransform] = [MirrorTransform((0, 1))] if mirroring else []
    return [elastic, affine, *(ComposeTransforms([middle, change]) for change in (*flips, *intensity))]
