"""Registration by translation and scaling, and blending within the heart, against hand computation."""

import numpy as np
import pytest
from scipy.ndimage import map_coordinates

from nnunet_cardiac_ext.anatomy import LGE
from nnunet_cardiac_ext.data.heart_slices import heart_slices, left_ventricle_labels
from nnunet_cardiac_ext.data.pathology_mixup import Registration, mix

HEART = left_ventricle_labels(LGE)


def ring(centre, radius, size=(48, 40)):
    """Labels of a ring with an infarct in its right half, and an image of smooth grey values."""
    rows, columns = np.mgrid[: size[0], : size[1]]
    distance = np.hypot(rows - centre[0], columns - centre[1])
    labels = np.zeros(size, dtype=np.int16)
    labels[distance < radius] = 2
    labels[(distance < radius) & (columns > centre[1])] = 3
    labels[distance < 0.6 * radius] = 1
    image = np.exp(-(distance**2) / (2 * radius**2)).astype(np.float32)
    return image[None], labels


def heart(labels):
    (found,) = heart_slices(labels[None], LGE)
    return found


def test_equation_1_by_hand():
    registration = Registration(2.0, (10.0, 20.0), (4.0, 6.0))
    assert registration.matrix.tolist() == [[2, 0, 2], [0, 2, 8], [0, 0, 1]]
    assert (registration.matrix @ [4, 6, 1]).tolist() == [10, 20, 1]


def test_the_warped_image_is_the_moving_one_at_the_places_that_equation_1_says():
    image, labels = ring((20, 15), 7)
    registration = Registration.of(heart(ring((26, 22), 11)[1]), heart(labels))
    corner, shape = (12, 9), (25, 24)
    places = np.stack([*np.mgrid[: shape[0], : shape[1]], np.ones(shape)])
    places[:2] += np.reshape(corner, (2, 1, 1))
    there = np.einsum("ij,jrc->irc", np.linalg.inv(registration.matrix), places)[:2]
    for order, array, mode in ((1, image[0], "nearest"), (0, labels, "constant")):
        expected = map_coordinates(array, there, order=order, mode=mode)
        assert np.allclose(registration.warp(array, corner, shape, order=order), expected, atol=1e-5)


def test_registered_hearts_have_the_same_centre_and_size():
    moving, fixed = ring((20, 15), 7), ring((26, 22), 12)
    registration = Registration.of(heart(fixed[1]), heart(moving[1]))
    warped = heart(registration.warp(moving[1], (0, 0), (48, 40), order=0))
    assert warped.centre == pytest.approx(heart(fixed[1]).centre, abs=0.1)
    assert warped.radius == pytest.approx(heart(fixed[1]).radius, rel=0.02)


def test_the_heart_is_blended_and_the_background_is_kept():
    (moving_image, moving_labels), (image, labels) = ring((20, 15), 7), ring((26, 22), 12)
    image += 5
    registration = Registration.of(heart(labels), heart(moving_labels))
    mixed, other = mix(image, labels, moving_image, moving_labels, registration, share=0.25, heart=HEART)
    warped, whole = (
        registration.warp(array, (0, 0), (48, 40), order=order)
        for array, order in ((moving_image[0], 1), (moving_labels, 0))
    )
    inside = labels > 0
    assert np.allclose(mixed[0][inside], 0.75 * warped[inside] + 0.25 * image[0][inside], atol=1e-5)
    assert np.array_equal(mixed[0][~inside], image[0][~inside])
    assert np.array_equal(other, np.where(inside, whole, labels))
    assert mixed.dtype == image.dtype
    assert other.dtype == labels.dtype


def test_a_patch_is_blended_as_the_whole_slice_is():
    (moving_image, moving_labels), (image, labels) = ring((20, 15), 7), ring((26, 22), 12)
    registration = Registration.of(heart(labels), heart(moving_labels))
    whole = mix(image, labels, moving_image, moving_labels, registration, share=0.4, heart=HEART)
    rows, columns = slice(17, 40), slice(5, 30)
    patch = mix(
        image[:, rows, columns], labels[rows, columns], moving_image, moving_labels, registration,
        share=0.4, heart=HEART, corner=(17, 5),
    )  # fmt: skip
    assert np.allclose(patch[0], whole[0][:, rows, columns], atol=1e-5)
    assert np.array_equal(patch[1], whole[1][rows, columns])


def test_a_heart_blended_with_itself_stays_and_share_one_keeps_the_image():
    image, labels = ring((26, 22), 12)
    same = Registration.of(heart(labels), heart(labels))
    mixed, other = mix(image, labels, image, labels, same, share=0.3, heart=HEART)
    assert np.allclose(mixed, image, atol=1e-5)
    assert np.array_equal(other, labels)
    moving = ring((20, 15), 7)
    registration = Registration.of(heart(labels), heart(moving[1]))
    kept, _ = mix(image, labels, *moving, registration, share=1.0, heart=HEART)
    assert np.allclose(kept, image, atol=1e-6)


def test_a_patch_without_heart_is_returned_as_it_is():
    image, labels = ring((26, 22), 12)
    empty = np.zeros_like(labels)
    registration = Registration.of(heart(labels), heart(labels))
    mixed, other = mix(image, empty, image, labels, registration, share=0.5, heart=HEART)
    assert np.array_equal(mixed, image)
    assert not other.any()
    assert mixed is not image
