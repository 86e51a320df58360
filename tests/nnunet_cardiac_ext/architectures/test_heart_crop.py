import itertools

import numpy as np
import pytest
import torch
from torch.autograd import gradcheck

from nnunet_cardiac_ext.architectures.heart_crop import HeartCrop, central_box, find_hearts

ROWS, COLUMNS, MARGIN = 60, 50, 15


def heart(rows, columns, shape=(ROWS, COLUMNS)):
    probability = torch.zeros(shape)
    probability[slice(*rows), slice(*columns)] = 0.9
    return probability


def boxes_of(*probabilities, margin=MARGIN):
    return find_hearts(torch.stack(probabilities), margin=margin)


def cut(box, maps):
    first_row, stop_row, first_column, stop_column = box.tolist()
    return maps[..., first_row:stop_row, first_column:stop_column]


# A heart of 12 x 8 pixels at each border and corner, and in the middle; each side is clipped by itself.
@pytest.mark.parametrize(
    ("row", "column"),
    list(itertools.product([0, 3, 24, ROWS - 15, ROWS - 12], [0, 3, 21, COLUMNS - 11, COLUMNS - 8])),
)
def test_each_side_has_the_margin_up_to_its_border(row, column):
    boxes, found = boxes_of(heart((row, row + 12), (column, column + 8)))
    expected = [
        row - 15 if row >= 15 else 0, row + 27 if row + 27 <= 60 else 60,
        column - 15 if column >= 15 else 0, column + 23 if column + 23 <= 50 else 50,
    ]  # fmt: skip
    assert boxes.tolist() == [expected]
    assert found.tolist() == [True]


def test_a_heart_in_the_open_gets_the_margin_on_all_sides():
    # The released code gives 79 x 99 here: its upper sides get one pixel less.
    boxes, _ = boxes_of(heart((40, 90), (40, 110), (200, 200)))
    assert cut(boxes[0], torch.zeros(200, 200)).shape == (80, 100)


def test_the_region_with_more_pixels_wins_over_the_one_with_the_larger_box():
    line = torch.zeros(200, 200)
    line[0:100, 0] = line[99, 0:100] = 1  # 199 pixels in a box of 100 x 100
    block = heart((120, 170), (120, 170), (200, 200))
    boxes, _ = boxes_of(torch.maximum(line, block), margin=0)
    assert boxes.tolist() == [[120, 170, 120, 170]]


def test_of_two_hearts_the_larger_is_taken_and_of_equal_ones_the_first():
    small, large = heart((2, 6), (2, 6)), heart((30, 36), (20, 26))
    assert boxes_of(torch.maximum(small, large), margin=0)[0].tolist() == [[30, 36, 20, 26]]
    other = heart((2, 8), (2, 8))
    assert boxes_of(torch.maximum(other, large), margin=0)[0].tolist() == [[2, 8, 2, 8]]


def test_diagonal_neighbours_are_two_regions():
    probability = torch.eye(10)
    probability[8, 7] = 1  # joins (7, 7) and (8, 8): three pixels, all others stand alone
    assert boxes_of(probability, margin=0)[0].tolist() == [[7, 9, 7, 9]]


def test_no_heart_gives_an_empty_box_and_other_images_are_not_touched():
    boxes, found = boxes_of(torch.zeros(ROWS, COLUMNS), heart((20, 30), (20, 30)))
    assert found.tolist() == [False, True]
    assert boxes[0].tolist() == [0, 0, 0, 0]
    assert boxes[1].tolist() == [5, 45, 5, 45]


def test_a_probability_of_one_half_is_no_heart_and_neither_is_nan():
    assert boxes_of(torch.full((9, 9), 0.5))[1].tolist() == [False]
    assert boxes_of(torch.full((9, 9), torch.nan))[1].tolist() == [False]


def test_an_empty_batch_has_no_boxes():
    boxes, found = find_hearts(torch.zeros(0, 9, 9))
    assert (boxes.shape, found.shape) == ((0, 4), (0,))


@pytest.mark.parametrize("size", [(64, 64), (45, 52), (44, 40)])
def test_crop_and_paste_are_inverse_to_each_other(size):
    torch.manual_seed(0)
    hearts = [heart((r, r + 12), (c, c + 8)) for r, c in itertools.product([0, 24, ROWS - 12], [0, 21, COLUMNS - 8])]
    boxes, _ = boxes_of(*hearts)
    image = torch.randn(len(hearts), 2, ROWS, COLUMNS)
    crop = HeartCrop(boxes, (ROWS, COLUMNS), size)
    cropped = crop.crop(image)
    assert cropped.shape == (len(hearts), 2, *size)
    pasted = crop.paste(cropped)
    assert torch.equal(pasted, torch.where(crop.inside, image, 0))
    assert torch.equal(crop.crop(pasted), cropped)


def test_a_box_that_fits_lies_in_the_middle_with_zeros_around():
    image = torch.arange(1.0, 13).reshape(1, 1, 3, 4)
    crop = HeartCrop(torch.tensor([[0, 2, 1, 4]]), (3, 4), (4, 5))
    expected = np.zeros((4, 5))
    expected[1:3, 1:4] = [[2, 3, 4], [6, 7, 8]]
    np.testing.assert_array_equal(crop.crop(image)[0, 0], expected)
    assert crop.inside[0, 0].tolist() == [[False, True, True, True]] * 2 + [[False] * 4]


def test_half_precision_pixels_are_moved_exactly_under_autocast():
    torch.manual_seed(0)
    image = torch.randn(1, 1, 20, 20)
    crop = HeartCrop(torch.tensor([[3, 15, 4, 16]]), (20, 20), (16, 16))
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(crop.paste(crop.crop(image)), torch.where(crop.inside, image, 0))
    assert crop.crop(image.half()).dtype == torch.float16


def test_a_larger_heart_is_reduced_by_averaging_areas():
    image = torch.arange(24.0 * 12).reshape(1, 1, 24, 12)
    crop = HeartCrop(torch.tensor([[0, 24, 0, 12]]), (24, 12), (8, 8))
    cropped = crop.crop(image)[0, 0]
    # Both axes by 3: 24 x 12 becomes 8 x 4, in the middle of 8 x 8.
    blocks = image[0, 0].reshape(8, 3, 4, 3).mean(dim=(1, 3))
    torch.testing.assert_close(cropped[:, 2:6], blocks)
    assert not cropped[:, [0, 1, 6, 7]].any()


def test_a_larger_heart_comes_back_smooth_and_whole():
    rows = torch.linspace(0, 1, 100)[:, None].expand(100, 60)
    crop = HeartCrop(torch.tensor([[0, 90, 0, 60]]), (100, 60), (32, 32))
    pasted = crop.paste(crop.crop(rows[None, None]))[0, 0]
    # A ramp of 0.01 per pixel stays one, but for the cells at the ends, which hold zeros too.
    torch.testing.assert_close(pasted[3:87, 5:55], rows[3:87, 5:55], atol=1e-3, rtol=0)
    assert not pasted[90:].any()
    constant = crop.paste(torch.full((1, 1, 32, 32), 2.5))
    torch.testing.assert_close(constant, torch.where(crop.inside, 2.5, 0.0).float())


def test_an_empty_box_gives_zeros_both_ways():
    crop = HeartCrop(torch.zeros(1, 4, dtype=torch.int64), (9, 9), (4, 4))
    assert not crop.crop(torch.ones(1, 1, 9, 9)).any()
    assert not crop.paste(torch.ones(1, 1, 4, 4)).any()
    assert not crop.inside.any()


def test_gradients_pass_through_crop_and_paste():
    crop = HeartCrop(torch.tensor([[0, 7, 1, 5], [2, 4, 2, 4]]), (7, 6), (4, 4))
    image = torch.randn(2, 1, 7, 6, dtype=torch.float64, requires_grad=True)
    assert gradcheck(lambda maps: crop.paste(crop.crop(maps).tanh()), (image,))


@pytest.mark.parametrize(
    ("shape", "size", "expected"),
    [((10, 20), (4, 6), [3, 7, 7, 13]), ((10, 20), (16, 16), [0, 10, 2, 18]), ((5, 5), (4, 4), [0, 4, 0, 4])],
)
def test_central_box(shape, size, expected):
    assert central_box(shape, size).tolist() == expected
