"""The augmentation of paper 000: hearts are moved, turned and mirrored within the slice plane, and nothing else.

Huang et al., *3D Attention M-net for Short-axis Left Ventricular Myocardium Segmentation in Mice MR Cardiac Images*,
section III A: shift up to 15 pixels, rotation within 15 degrees, horizontal and vertical flips, with probability 0.5.
All slices of a stack move together.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from batchgeneratorsv2.transforms.base.basic_transform import BasicTransform
from batchgeneratorsv2.transforms.spatial.spatial import SpatialTransform
from batchgeneratorsv2.transforms.utils.compose import ComposeTransforms
from batchgeneratorsv2.transforms.utils.pseudo2d import Convert2DTo3DTransform, Convert3DTo2DTransform
from batchgeneratorsv2.transforms.utils.random import RandomTransform

from nnunet_cardiac_ext.data.augmentation import reduce_augmentation
from nnunet_cardiac_ext.data.plane_motion import SpatialOfLabels, room_to_turn

LARGEST_SHIFT = 15  # pixels
LARGEST_ANGLE = math.radians(15)
# Of the shift and of the rotation, each for itself. nnU-Net mirrors each axis with the same probability.
PROBABILITY = 0.5


def room_for_motion(patch_size: Sequence[int]) -> list[int]:
    """Return how large a patch has to be so that what comes into view is image.

    Args:
        patch_size: Size of the patch that the network gets, ([slice,] row, column).
    """
    turned = room_to_turn(patch_size[-2:], LARGEST_ANGLE)
    return [*patch_size[:-2], *(edge + 2 * LARGEST_SHIFT for edge in turned)]


def rigid_augmentation(transforms: ComposeTransforms, patch_size: Sequence[int]) -> ComposeTransforms:
    """Return nnU-Net's training transforms with shift and rotation in place of all random ones.

    Mirroring, as nnU-Net was told the axes, and whatever is no augmentation stay.

    Args:
        transforms: nnU-Net's training transforms.
        patch_size: Size of the patch that the network gets, ([slice,] row, column); patches come with
            `room_for_motion`.
    """
    motion: list[BasicTransform] = [_shift(patch_size[-2:]), _rotation(patch_size[-2:])]
    if len(patch_size) == 3:
        motion = [Convert3DTo2DTransform(), *motion, Convert2DTo3DTransform()]
    return ComposeTransforms([*motion, *reduce_augmentation(transforms, "none").transforms])


def _shift(patch_size: Sequence[int]) -> RandomTransform:
    """Cut out, somewhere, what the rotation needs. Where it does not happen, the rotation cuts out the middle."""
    turned = room_to_turn(patch_size, LARGEST_ANGLE)
    # The centre keeps this distance from the border, so that it lies within the largest shift of the middle.
    distances = [edge / 2 for edge in turned]
    return RandomTransform(SpatialOfLabels(turned, distances, random_crop=True), apply_probability=PROBABILITY)


def _rotation(patch_size: Sequence[int]) -> SpatialTransform:
    angles = (-LARGEST_ANGLE, LARGEST_ANGLE)
    return SpatialOfLabels(list(patch_size), 0, random_crop=False, p_rotation=PROBABILITY, rotation=angles)
