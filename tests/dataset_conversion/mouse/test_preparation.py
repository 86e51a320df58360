import numpy as np
import pytest

from dataset_conversion.cases import Volume
from dataset_conversion.geometry import Geometry
from dataset_conversion.images import SourceError
from dataset_conversion.mouse.preparation import MousePreparation, chosen_preparation, cropped, with_slice_spacing
from nnunet_cardiac_ext.errors import UsageError

# Columns along patient x turned by 30 degrees, so that a wrong axis order shows.
TURN = np.radians(30)
AXES = np.array([[np.cos(TURN), -np.sin(TURN), 0], [np.sin(TURN), np.cos(TURN), 0], [0, 0, 1.0]])
GEOMETRY = Geometry((0.8, 0.2, 0.1), AXES, np.array([5.0, -3.0, 2.0]))


def volume(rows=(12, 18), columns=(20, 30), shape=(4, 30, 40)):
    image = np.random.default_rng(0).integers(5, 4000, shape, dtype=np.int16)
    labels = np.zeros(shape, dtype=np.uint8)
    labels[:, rows[0] : rows[1], columns[0] : columns[1]] = 1
    return Volume(image, labels, GEOMETRY)


def position(geometry, index):
    return (geometry.affine @ [*index[::-1], 1])[:3]


def test_crop_keeps_voxels_and_their_positions():
    before = volume()
    after = cropped(before, 12)
    assert after.image.shape == (4, 12, 12)
    assert after.labels.sum() == before.labels.sum()
    # Bounding box rows 12 to 17, columns 20 to 29: its middle comes to the middle of the crop.
    assert np.array_equal(after.image, before.image[:, 9:21, 19:31])
    assert position(after.geometry, (2, 3, 4)) == pytest.approx(position(before.geometry, (2, 12, 23)))


def test_crop_at_a_border_is_filled_with_the_darkest_value():
    before = volume(rows=(0, 6), columns=(34, 40))
    after = cropped(before, 20)
    assert after.image.shape == (4, 20, 20)
    assert np.array_equal(after.image[:, 7:, :13], before.image[:, :13, 27:])
    assert np.unique(after.image[:, :7]).tolist() == [before.image.min()]
    assert np.unique(after.image[:, :, 13:]).tolist() == [before.image.min()]
    assert after.labels.sum() == before.labels.sum()
    assert position(after.geometry, (0, 7, 0)) == pytest.approx(position(before.geometry, (0, 0, 27)))


def test_crop_larger_than_the_image_keeps_all_of_it():
    after = cropped(volume(), 64)
    assert after.image.shape == (4, 64, 64)
    assert after.labels.sum() == volume().labels.sum()


def test_a_heart_of_exactly_the_crop_fits_and_a_larger_one_does_not():
    assert cropped(volume(), 10).labels.sum() == volume().labels.sum()
    with pytest.raises(SourceError, match="expected a heart within 9 pixels for --crop, got one of 10"):
        cropped(volume(), 9)


def test_new_slices_lie_between_the_old_ones():
    before = volume()
    after = with_slice_spacing(before, 0.16)
    assert after.image.shape == (16, 30, 40)
    assert after.geometry.spacing == (0.16, 0.2, 0.1)
    for k in range(4):
        assert np.array_equal(after.image[5 * k], before.image[k])
        assert position(after.geometry, (5 * k, 7, 9)) == pytest.approx(position(before.geometry, (k, 7, 9)))


def test_unlabelled_volumes_are_interpolated_but_never_cropped():
    before = Volume(volume().image, None, GEOMETRY)
    after = MousePreparation(0.16, 12)(before)
    assert after.image.shape == (16, 30, 40)
    assert after.labels is None
    assert MousePreparation(None, 12)(before) is before


def test_the_preparation_of_the_paper_gives_its_size():
    labels = volume(rows=(100, 170), columns=(90, 150), shape=(8, 200, 200))
    after = MousePreparation(0.16, 96)(labels)
    assert after.image.shape == after.labels.shape == (36, 96, 96)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"name": "none"}, None),
        ({"name": "paper"}, MousePreparation(0.16, 96)),
        ({"name": "paper", "crop": 64}, MousePreparation(0.16, 64)),
        ({"name": "none", "slice_spacing": 0.2}, MousePreparation(0.2, None)),
        ({"name": "none", "crop": 32}, MousePreparation(None, 32)),
    ],
)
def test_single_options_go_before_the_named_preparation(options, expected):
    name = options.pop("name")
    assert chosen_preparation(name, **({"slice_spacing": None, "crop": None} | options)) == expected


@pytest.mark.parametrize("spacing", [0.0, -1.0, float("nan"), float("inf")])
def test_a_spacing_that_is_none_is_wrong_use(spacing):
    with pytest.raises(UsageError, match="--slice-spacing: expected a positive number of mm, got"):
        chosen_preparation("none", slice_spacing=spacing, crop=None)


def test_a_preparation_says_what_it_does():
    assert str(MousePreparation(0.16, 96)) == "slices every 0.16 mm, training cases cropped to 96x96 around the heart"
    assert str(MousePreparation(0.16, None)) == "slices every 0.16 mm"
