"""`regions.csv`: the region of each slice, by the classifier, by the order of the stack and by the reference."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np

from nnunet_cardiac_ext.errors import UsageError
from nnunet_cardiac_ext.files import iterate_csv, write_csv
from nnunet_cardiac_ext.regions import REGION_NAMES, Region

FILE_NAME = "regions.csv"
PROBABILITY_COLUMNS = tuple(f"p_{name.replace('-', '_')}" for name in REGION_NAMES.values())
COLUMNS = ("case", "frame", "slice", "region", "predicted", "ordered", "extent", "used", *PROBABILITY_COLUMNS)
_REGION_OF: Mapping[str, Region] = {name: region for region, name in REGION_NAMES.items()}


class RegionRow(NamedTuple):
    """One line of `regions.csv`: a slice.

    Attributes:
        case: Name of the case.
        slice: Number of the slice along the slice axis of the image file, from 0.
        frame: Number of the frame in a 4-D file, from 0; None for a 3-D file.
        probabilities: The classifier's, in the order of `Region`; NaN where it gave none.
        predicted: Region of the largest probability.
        ordered: Region by order-aware decoding of the whole stack; None where it was not decoded.
        extent: Region by decoding where the heart begins and ends; None where it was not decoded.
        region: Region by the reference labels; None where there are none.
        used: Region whose model segmented the slice; None where nothing was segmented.
    """

    case: str
    slice: int
    frame: int | None
    probabilities: tuple[float, float, float, float]
    predicted: Region
    ordered: Region | None = None
    region: Region | None = None
    used: Region | None = None
    extent: Region | None = None


def stack_rows(
    case: str,
    probabilities: np.ndarray,
    *,
    frame: int | None = None,
    numbers: np.ndarray | None = None,
    **regions: np.ndarray | None,
) -> list[RegionRow]:
    """Return the lines of one stack, in the order of its entries.

    Args:
        case: Name of the case.
        probabilities: The classifier's, shape (slice, 4).
        frame: Number of the frame in a 4-D file.
        numbers: Number of each slice in the file, shape (slice,); None counts from 0.
        regions: By column (`ordered`, `extent`, `region`, `used`) values of `Region`, shape (slice,), below 0 where
            one is unknown; None or left out where the column is empty.
    """
    known = {name: values for name, values in regions.items() if values is not None}
    lines = []
    for k, of_slice in enumerate(probabilities):
        outside, base, middle, apex = map(float, of_slice)
        named = {name: Region(int(values[k])) if values[k] >= 0 else None for name, values in known.items()}
        number = k if numbers is None else int(numbers[k])
        lines.append(
            RegionRow(case, number, frame, (outside, base, middle, apex), Region(int(of_slice.argmax())), **named)
        )
    return lines


def write_region_table(path: Path, rows: Iterable[RegionRow]) -> None:
    """Write the rows in their order, whole or not at all; None is an empty cell, no rows leave the header."""
    write_csv(path, (_to_cells(row) for row in rows), COLUMNS)


def read_region_table(path: Path) -> list[RegionRow]:
    """Read a `regions.csv`; further columns are passed over.

    Raises:
        UsageError: The file is absent, lacks a column, holds a cell that cannot be read, or a slice twice.
    """
    rows = []
    lines: dict[tuple[str, int | None, int], int] = {}
    for line, cells in enumerate(iterate_csv(path), start=2):
        row = _from_cells(f"{path}, line {line}", cells)
        first = lines.setdefault((row.case, row.frame, row.slice), line)
        if first != line:
            raise UsageError(f"{path}, line {line}: expected one line per slice, got that of line {first} again")
        rows.append(row)
    return rows


def stacks_of(rows: Iterable[RegionRow]) -> dict[tuple[str, int | None], list[RegionRow]]:
    """Return the rows of each stack, by case and frame in the order of first appearance, each by rising slice."""
    stacks: dict[tuple[str, int | None], list[RegionRow]] = {}
    for row in rows:
        stacks.setdefault((row.case, row.frame), []).append(row)
    return {key: sorted(stack, key=lambda row: row.slice) for key, stack in stacks.items()}


def _to_cells(row: RegionRow) -> dict[str, str]:
    regions = {name: getattr(row, name) for name in ("region", "predicted", "ordered", "extent", "used")}
    return {
        "case": row.case,
        "frame": "" if row.frame is None else str(row.frame),
        "slice": str(row.slice),
        **{name: "" if region is None else REGION_NAMES[region] for name, region in regions.items()},
        # The shortest text that reads back as the very same number.
        **{name: repr(float(p)) for name, p in zip(PROBABILITY_COLUMNS, row.probabilities, strict=True)},
    }


def _from_cells(place: str, cells: Mapping[str, str]) -> RegionRow:
    missing = [name for name in COLUMNS if name not in cells]
    if missing:
        raise UsageError(f"{place}: expected the columns {', '.join(COLUMNS)}, found no {', '.join(missing)}")
    if not cells["case"]:
        raise UsageError(f"{place}: expected the name of a case, got an empty cell")
    predicted = _region(place, cells, "predicted")
    if predicted is None:
        raise UsageError(f"{place}: expected a region as predicted, got an empty cell")
    return RegionRow(
        case=cells["case"],
        slice=_count(place, cells, "slice"),
        frame=_count(place, cells, "frame") if cells["frame"] else None,
        probabilities=_probabilities(place, cells),
        predicted=predicted,
        ordered=_region(place, cells, "ordered"),
        region=_region(place, cells, "region"),
        used=_region(place, cells, "used"),
        extent=_region(place, cells, "extent"),
    )


def _region(place: str, cells: Mapping[str, str], column: str) -> Region | None:
    name = cells[column]
    if name and name not in _REGION_OF:
        raise UsageError(f"{place}: expected {', '.join(_REGION_OF)} or nothing as {column}, got {name!r}")
    return _REGION_OF[name] if name else None


def _count(place: str, cells: Mapping[str, str], column: str) -> int:
    if not cells[column].isdecimal():
        raise UsageError(f"{place}: expected a number from 0 as {column}, got {cells[column]!r}")
    return int(cells[column])


def _probabilities(place: str, cells: Mapping[str, str]) -> tuple[float, float, float, float]:
    first, second, third, fourth = (_probability(place, cells, column) for column in PROBABILITY_COLUMNS)
    return first, second, third, fourth


def _probability(place: str, cells: Mapping[str, str], column: str) -> float:
    try:
        value = float(cells[column])
    except ValueError:
        value = math.inf
    if not (0 <= value <= 1 or math.isnan(value)):
        raise UsageError(f"{place}: expected a probability from 0 to 1 (or nan) as {column}, got {cells[column]!r}")
    return value
