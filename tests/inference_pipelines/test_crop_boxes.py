"""Boxes in pixels of the file, and their table."""

import numpy as np
import torch

from inference_pipelines.crop_boxes import BoxRow, join_boxes, stack_boxes, write_boxes
from inference_pipelines.slice_mapping import FileSlices


def properties(cut=((0, 2), (0, 40), (0, 30)), before=None):
    return {
        "bbox_used_for_cropping": [list(pair) for pair in cut],
        "shape_after_cropping_and_before_resampling": before or [stop - first for first, stop in cut],
    }


def hearts(*blocks, shape=(40, 30)):
    """One slice per block (first and stop of rows and columns); None is a slice without heart."""
    probability = torch.zeros(len(blocks), *shape)
    for of_slice, block in zip(probability, blocks, strict=True):
        if block:
            of_slice[block[0] : block[1], block[2] : block[3]] = 1
    return probability


def test_a_slice_without_heart_has_an_empty_box():
    slices = FileSlices(np.arange(2), 0)
    rows = stack_boxes(hearts((10, 20, 5, 9), None), 3, slices, properties())
    assert rows == [(0, (7, 23, 2, 12)), (1, None)]


def test_what_nnunet_cut_off_is_added_and_slices_count_as_in_the_file():
    slices = FileSlices(np.arange(5)[::-1], 2)
    rows = stack_boxes(hearts((10, 20, 5, 9), None), 0, slices, properties(((2, 4), (7, 47), (11, 41))))
    assert rows == [(4, None), (3, None), (2, (17, 27, 16, 20)), (1, None), (0, None)]


def test_a_resampled_box_covers_what_the_networks_box_covers():
    # Preprocessed pixels are 1.5 times as large along the rows and half as large along the columns.
    rows = stack_boxes(hearts((10, 21, 5, 8)), 0, FileSlices(np.arange(1), 0), properties(((0, 1), (4, 64), (0, 15))))
    assert rows == [(0, (4 + 15, 4 + 32, 2, 4))]
    # 7/35 of a pixel is a rounding away from a whole one.
    exact = stack_boxes(hearts((5, 35, 0, 30)), 0, FileSlices(np.arange(1), 0), properties(before=[1, 8, 6]))
    assert exact == [(0, (1, 7, 0, 6))]


def test_tables_of_cases_are_joined(tmp_path):
    write_boxes(tmp_path / "boxes/b.csv", [BoxRow("b", None, 0, None)])
    write_boxes(tmp_path / "boxes/a.csv", [BoxRow("a", 0, 1, (1, 2, 3, 4)), BoxRow("a", 1, 1, None)])
    join_boxes(tmp_path)
    assert (tmp_path / "boxes.csv").read_text() == (
        "case,frame,slice,first_row,stop_row,first_column,stop_column\na,0,1,1,2,3,4\na,1,1,,,,\nb,,0,,,,\n"
    )
    join_boxes(tmp_path / "elsewhere")
    assert (tmp_path / "elsewhere/boxes.csv").read_text().count("\n") == 1
