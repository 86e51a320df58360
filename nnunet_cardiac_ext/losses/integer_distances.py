"""The exact squared distance transform of small masks in 16-bit integers, for the processor.

Written by hand because it takes about half of scipy's time on slices of the size of a mouse heart, and a loss asks for
hundreds of them in every step: 16-bit integers pass through the processor's vector unit 16 or 32 at a time, slices
without a mask are left out by the caller, and numpy lets several threads work at once.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

_LARGEST = np.iinfo(np.int16).max

# After so many steps the search looks whether it has ended; looking costs about as much as a step.
_STEPS_BETWEEN_LOOKS = 4


def fits(size: Sequence[int]) -> bool:
    """Return whether all squared distances within an image of this size fit, and a value that stands for infinity."""
    return sum((edge - 1) ** 2 for edge in size) < _far(size)


def squared_distances(masks: NDArray[np.bool_]) -> NDArray[np.int16]:
    """Return the squared distance, in voxels, of each voxel to the nearest true voxel of its image.

    Args:
        masks: Shape (image, *size) with a `size` that `fits`; each image holds at least one true voxel.

    Returns:
        Shape of `masks`. Exact.
    """
    far = _far(masks.shape[1:])
    squared = _along_first(np.ascontiguousarray(np.moveaxis(masks, 1, 0)), far)
    for axis in range(1, masks.ndim - 1):
        # The axis that comes next goes to the front, the one before back to its place.
        order = np.moveaxis(np.moveaxis(squared, 0, axis), axis + 1, 0)
        squared = _least_over_first(np.ascontiguousarray(order))
    return np.moveaxis(squared, 0, masks.ndim - 1)


def _far(size: Sequence[int]) -> int:
    """A value above all squared distances that stays below the largest integer when a squared step is added."""
    return int(_LARGEST - max(size, default=0) ** 2)


def _along_first(masks: NDArray[np.bool_], far: int) -> NDArray[np.int16]:
    """Squared distance to the nearest true voxel in the same line of the first axis; `far` in a line without any."""
    length = len(masks)
    distance = np.where(masks, np.int16(0), np.int16(length))
    for here in range(1, length):
        np.minimum(distance[here], distance[here - 1] + np.int16(1), out=distance[here])
    for here in range(length - 2, -1, -1):
        np.minimum(distance[here], distance[here + 1] + np.int16(1), out=distance[here])
    return np.where(distance < length, distance * distance, np.int16(far))


def _least_over_first(squared: NDArray[np.int16]) -> NDArray[np.int16]:
    """Minimum over i of squared[i] + (i - j)^2 for each j of the first axis.

    Tries the nearest i first and ends as soon as a further one could improve nothing.
    """
    length, least, moved = len(squared), squared.copy(), np.empty_like(squared)
    for step in range(1, length):
        rest, cost = moved[: length - step], np.int16(step * step)
        np.minimum(least[step:], np.add(squared[:-step], cost, out=rest), out=least[step:])
        np.minimum(least[:-step], np.add(squared[step:], cost, out=rest), out=least[:-step])
        if step % _STEPS_BETWEEN_LOOKS == 0 and (step + 1) ** 2 >= least.max():
            break
    return least
