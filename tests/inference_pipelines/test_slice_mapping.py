"""Numbers of slices: what is cut off, turned round or turned over must not shift them."""

import numpy as np
import pytest
import SimpleITK
from helpers.tiny_model import write_tiny_model

from inference_pipelines.slice_mapping import file_slices
from inference_pipelines.slice_predictor import SlicePredictor

READERS = ("SimpleITKIO", "NibabelIO", "SimpleITKIOWithReorient", "NibabelIOWithReorient")


def marked_stack(axis=0, empty=(0, 5)):
    """Six slices whose grey value tells their number in the file; some are empty."""
    stack = np.zeros((6, 30, 33), dtype=np.float32)
    for number in set(range(6)) - set(empty):
        stack[number, 3:25, 4:30] = 100 + 10 * number
    return np.moveaxis(stack, 0, axis)


def write(path, array, direction=(1, 1, 1), spacing=(1.5, 1.5, 10.0)):
    image = SimpleITK.GetImageFromArray(array)
    image.SetSpacing(spacing)
    image.SetDirection(np.diag(np.array(direction, dtype=float)).ravel().tolist())
    SimpleITK.WriteImage(image, str(path))


def mapped(tmp_path, array, *, reader="SimpleITKIO", transpose=(0, 1, 2), **geometry):
    def edit(plans):
        plans["image_reader_writer"] = reader
        plans["transpose_forward"] = list(transpose)
        plans["transpose_backward"] = np.argsort(transpose).tolist()

    predictor = SlicePredictor.from_model_folder(write_tiny_model(tmp_path / "model", edit=edit))
    write(tmp_path / "a_0000.nii.gz", array, **geometry)
    case = predictor.preprocess([tmp_path / "a_0000.nii.gz"])
    slices = file_slices(case.properties, predictor.model.plans)
    # The grey value of each preprocessed slice says which it was, up to normalisation.
    levels = case.image[0].flatten(1).amax(dim=1).numpy()
    return slices, levels


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("direction", [(1, 1, 1), (-1, -1, 1), (1, 1, -1), (-1, 1, -1)])
def test_every_reader_keeps_the_numbers_of_the_file(tmp_path, reader, direction):
    slices, levels = mapped(tmp_path, marked_stack(empty=(0, 1)), reader=reader, direction=direction)
    numbers = slices.numbers[slices.first : slices.first + len(levels)]
    assert sorted(slices.numbers) == list(range(6))
    assert sorted(numbers) == [2, 3, 4, 5]
    # Grey values rise with the number in the file, so both must be in the same order.
    np.testing.assert_array_equal(np.argsort(levels), np.argsort(numbers))


def test_slices_cut_off_at_both_ends(tmp_path):
    slices, levels = mapped(tmp_path, marked_stack())
    assert (slices.first, len(levels), slices.numbers.tolist()) == (1, 4, list(range(6)))


@pytest.mark.parametrize("axis", [1, 2])
def test_slices_along_another_axis_of_the_file(tmp_path, axis):
    forward = [axis, *sorted({0, 1, 2} - {axis})]
    spacing = [1.5, 1.5, 1.5]
    spacing[2 - axis] = 10.0
    slices, levels = mapped(tmp_path, marked_stack(axis, empty=(0,)), transpose=forward, spacing=spacing)
    assert (slices.first, len(levels), slices.numbers.tolist()) == (1, 5, list(range(6)))
    assert np.argsort(levels).tolist() == list(range(5))


def test_an_empty_image_is_not_cut(tmp_path):
    slices, levels = mapped(tmp_path, marked_stack(empty=range(6)))
    assert (slices.first, len(levels)) == (0, 6)
