"""`boxes.csv`: where CroCNet's first stage finds the heart in each slice, in pixels of the image."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

import torch

from inference_pipelines.case_tables import join_tables
from inference_pipelines.slice_mapping import FileSlices
from nnunet_cardiac_ext.architectures.heart_crop import find_hearts
from nnunet_cardiac_ext.files import iterate_csv, write_csv

# Folder of the tables of single cases, and the table of all.
TABLES, FILE_NAME = "boxes", "boxes.csv"
EDGES = ("first_row", "stop_row", "first_column", "stop_column")
COLUMNS = ("case", "frame", "slice", *EDGES)

Edges = tuple[int, int, int, int]


class BoxRow(NamedTuple):
    """One line of `boxes.csv`: a slice.

    Attributes:
        case: Name of the case.
        frame: Number of the frame in a 4-D file, from 0; None for a 3-D file.
        slice: Number of the slice along the slice axis of the image file, from 0.
        box: First row, row after the last, first column, column after the last; None where no heart was found.
    """

    case: str
    frame: int | None
    slice: int
    box: Edges | None


def stack_boxes(
    probability: torch.Tensor, margin: int, slices: FileSlices, properties: Mapping[str, Any]
) -> list[tuple[int, Edges | None]]:
    """Find the heart in each slice of a stack and give its box in the file.

    Args:
        probability: Of being heart, in the preprocessed stack, shape (slice, row, column).
        margin: Pixels around the heart, preprocessed ones, as the network has it.
        slices: How the preprocessed slices lie in the file.
        properties: nnU-Net's properties of the case.

    Returns:
        For each slice of the file, in the order of the array that nnU-Net reads, its number and its box in whole
        pixels around all that the network's box covers. Slices that nnU-Net has cut off have none.
    """
    boxes, found = find_hearts(probability, margin=margin)
    rows = []
    for index, number in enumerate(slices.numbers):
        inside = 0 <= (k := index - slices.first) < len(boxes) and bool(found[k])
        box = _in_file(boxes[k].tolist(), probability.shape[1:], properties) if inside else None
        rows.append((int(number), box))
    return rows


def write_boxes(path: Path, rows: Iterable[BoxRow]) -> None:
    """Write the rows in their order, whole or not at all; None is an empty cell."""
    write_csv(path, map(_to_cells, rows), COLUMNS)


def join_boxes(folder: Path) -> None:
    """Write `boxes.csv` of all cases in `boxes/`; several processes may do so at once."""
    join_tables(
        folder / TABLES,
        lambda found: write_csv(folder / FILE_NAME, chain.from_iterable(map(iterate_csv, found)), COLUMNS),
    )


def _in_file(box: Sequence[int], shape: Sequence[int], properties: Mapping[str, Any]) -> Edges:
    """Return a box in pixels of the image: nnU-Net cuts off its empty rim and resamples the rest edge to edge."""
    cut = properties["bbox_used_for_cropping"][1:]
    before = properties["shape_after_cropping_and_before_resampling"][1:]
    edges: list[int] = []
    for axis in range(2):
        step, offset = before[axis] / shape[axis], int(cut[axis][0])
        first, stop = (step * edge for edge in box[2 * axis : 2 * axis + 2])
        # Whole pixels stay whole: 3 x 0.1 / 0.1 is a rounding above 3.
        edges += [offset + math.floor(first + 1e-6), offset + math.ceil(stop - 1e-6)]
    first_row, stop_row, first_column, stop_column = edges
    return first_row, stop_row, first_column, stop_column


def _to_cells(row: BoxRow) -> dict[str, str]:
    box = [""] * len(EDGES) if row.box is None else map(str, row.box)
    return {
        "case": row.case,
        "frame": "" if row.frame is None else str(row.frame),
        "slice": str(row.slice),
        **dict(zip(EDGES, box, strict=True)),
    }
