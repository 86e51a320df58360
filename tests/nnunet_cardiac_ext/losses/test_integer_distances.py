import numpy as np
import pytest
from scipy import ndimage

from nnunet_cardiac_ext.losses.integer_distances import fits, squared_distances


@pytest.mark.parametrize("size", [(7, 11), (23, 17), (1, 9), (9, 1), (4, 7, 6), (1, 5, 5)])
def test_equals_scipy_on_many_masks(size):
    rng = np.random.default_rng(3)
    masks = rng.random((500, *size)) < rng.random((500, *[1] * len(size))) ** 4
    masks[masks.reshape(500, -1).sum(axis=1) == 0, ..., 0] = True
    found = squared_distances(masks)
    expected = np.stack([ndimage.distance_transform_edt(~mask) ** 2 for mask in masks])
    assert np.array_equal(found, np.rint(expected))


@pytest.mark.parametrize("size", [(105, 105), (120, 40), (80, 80, 80)])
@pytest.mark.parametrize("corner", [0, -1])
def test_the_largest_sizes_do_not_overflow(size, corner):
    assert fits(size)
    mask = np.zeros((1, *size), dtype=bool)
    mask[(0, *(corner,) * len(size))] = True
    found = squared_distances(mask)[0]
    expected = sum(np.square(grid) for grid in np.indices(size))
    assert np.array_equal(found if corner == 0 else np.flip(found), expected)


@pytest.mark.parametrize("size", [(106, 106), (182, 2), (96, 96, 96)])
def test_larger_sizes_are_refused(size):
    assert not fits(size)
