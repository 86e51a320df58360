"""Pathology mixup: the hearts of two patients registered and blended, images and labels (paper 001, section 2)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from nnunet_cardiac_ext.data.heart_slices import HeartSlice


@dataclass(frozen=True)
class Registration:
    """The map from the moving slice to the fixed one, by scaling and translation (equation 1).

    Attributes:
        scale: s, mean distance of the fixed heart's pixels from their centre over that of the moving one's.
        fixed: Centre of the fixed heart (row, column).
        moving: Centre of the moving heart.
    """

    scale: float
    fixed: tuple[float, float]
    moving: tuple[float, float]

    @classmethod
    def of(cls, fixed: HeartSlice, moving: HeartSlice) -> Registration:
        """Return the map that brings the moving heart onto the fixed one."""
        return cls(fixed.radius / moving.radius, fixed.centre, moving.centre)

    @property
    def matrix(self) -> np.ndarray:
        """Equation 1: takes (row, column, 1) in the moving slice to the fixed one, shape (3, 3)."""
        shift = np.subtract(self.fixed, np.multiply(self.scale, self.moving))
        return np.array([[self.scale, 0, shift[0]], [0, self.scale, shift[1]], [0, 0, 1]])

    def warp(self, image: np.ndarray, corner: Sequence[int], shape: Sequence[int], *, order: int) -> np.ndarray:
        """Return part of the moving slice as it lies over the fixed one.

        Args:
            image: The moving slice (row, column).
            corner: First row and column of the part, in the fixed slice.
            shape: Its rows and columns.
            order: 1 interpolates linearly and goes on beyond the border, for images; 0 takes the nearest pixel and is
                0 beyond the border, for labels.
        """
        start = np.add(self.moving, np.subtract(corner, self.fixed) / self.scale)
        mode = "nearest" if order else "constant"
        step = [1 / self.scale] * 2
        return ndimage.affine_transform(image, step, start, tuple(shape), order=order, mode=mode)


def mix(
    image: np.ndarray,
    labels: np.ndarray,
    moving_image: np.ndarray,
    moving_labels: np.ndarray,
    registration: Registration,
    *,
    share: float,
    heart: Sequence[int],
    corner: Sequence[int] = (0, 0),
) -> tuple[np.ndarray, np.ndarray]:
    """Return a patch of the fixed slice with its heart blended (equation 2), and the labels to blend its own with.

    The soft label map is share * onehot(labels) + (1 - share) * onehot(the labels that are returned): these are the
    moving slice's within the heart and the fixed slice's elsewhere, so that one number says all. Labels are warped to
    the nearest pixel and stay labels, which nnU-Net's augmentation can go on with.

    Args:
        image: Patch of the fixed slice (channel, row, column).
        labels: Its labels (row, column).
        moving_image: The whole moving slice (channel, row, column).
        moving_labels: Its labels (row, column).
        registration: From the moving slice to the fixed one.
        share: lambda, the weight of the fixed slice, 0 to 1.
        heart: Labels of cavity and wall; the fixed slice's pixels of these are blended.
        corner: Row and column of the fixed slice at which the patch begins.

    Returns:
        New arrays of the shapes of `image` and `labels`; without any heart in the patch equal to these.
    """
    image, other = image.copy(), labels.copy()
    inside = np.isin(labels, heart)
    if not inside.any():
        return image, other
    box = ndimage.find_objects(inside.astype(np.uint8))[0]
    first = [corner[axis] + box[axis].start for axis in range(2)]
    inside = inside[box]
    other[box][inside] = registration.warp(moving_labels, first, inside.shape, order=0)[inside]
    for fixed, moving in zip(image, moving_image, strict=True):
        warped = registration.warp(moving, first, inside.shape, order=1)[inside]
        fixed[box][inside] = (1 - share) * warped + share * fixed[box][inside]
    return image, other
