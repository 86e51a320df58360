"""Scans whose NIfTI images and masks are listed in a csv: animal, time_point, frame, image, mask, group.

One row per frame; paths are relative to the csv. Only `animal`, `image` and `mask` are needed. `frame` names the case
and is the index, from 0, into images and masks that are series. A row without a mask is an unlabelled image.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from dataset_conversion.cases import VolumeFile
from dataset_conversion.images import SourceError, Stack, count_frames, read_stack
from dataset_conversion.mouse.labels import without_pool
from dataset_conversion.mouse.scans import Frame, Scan, Visit
from dataset_conversion.tables import columns_of, read_table, whole_number
from nnunet_cardiac_ext.errors import UsageError

REQUIRED = ("animal", "image", "mask")
MASK = "mask"
Row = Mapping[str, str]


def is_listing(path: Path) -> bool:
    """Tell whether a csv lists images and masks."""
    return set(REQUIRED) <= set(columns_of(path))


def find_scans(path: Path) -> list[Scan]:
    """Read the listing.

    Returns:
        The scans, one per animal and time point. One whose rows or files are wrong carries the problem.

    Raises:
        UsageError: The csv cannot be read, lacks a column, has no row, or a row names no animal.
    """
    rows = read_table(path)
    missing = [column for column in REQUIRED if column not in (rows[0] if rows else columns_of(path))]
    if missing or not rows:
        expected = f"the columns {', '.join(REQUIRED)}" if missing else "rows"
        raise UsageError(f"{path}: expected {expected}, got {', '.join(columns_of(path)) or 'an empty file'}")
    visits: dict[tuple[str, str], list[Row]] = {}
    for number, row in enumerate(rows, start=2):
        if not row["animal"]:
            raise UsageError(f"{path}, row {number}: expected an animal, got an empty cell")
        visits.setdefault((row["animal"], row.get("time_point", "")), []).append(row)
    return [_scan(path, *visit, found) for visit, found in visits.items()]


def read(path: Path, content: str) -> Stack:
    """Read an image or, with the content "mask", a mask without its blood pool; raises like `images.read_stack`."""
    stack = read_stack(path)
    if content != MASK:
        return stack
    return Stack(path, without_pool(path.name, stack.array), stack.geometry)


def _scan(table: Path, animal: str, time_point: str, rows: list[Row]) -> Scan:
    groups = {row.get("group", "") for row in rows}
    visit = Visit(animal, time_point, min(groups))
    files = tuple(table.parent / row[column] for row in rows for column in ("image", "mask") if row[column])
    try:
        if len(groups) > 1:
            raise SourceError(f"{table.name}: expected one group per animal, got {' and '.join(sorted(groups))}")
        # The labelled frames first, as of every subject.
        frames = sorted((_frame(table, row) for row in rows), key=lambda frame: frame.labels is None)
    except SourceError as error:
        return Scan(visit, files or (table,), problem=str(error))
    return Scan(visit, files, tuple(frames))


def _frame(table: Path, row: Row) -> Frame:
    if not row["image"]:
        raise SourceError(f"{table.name}: expected an image in every row, got an empty cell")
    cell = row.get("frame", "")
    number = whole_number(cell) if cell else None
    if cell and number is None:
        raise SourceError(f"{table.name}: expected frame to be a whole number from 0, got {cell!r}")
    phase = row.get("phase", "").upper()
    image = _volume(table.parent / row["image"], number, "")
    labels = _volume(table.parent / row["mask"], number, MASK) if row["mask"] else None
    return Frame(number, phase if phase in ("ED", "ES") else "", image, labels)


def _volume(path: Path, number: int | None, content: str) -> VolumeFile:
    return VolumeFile(path, number if count_frames(path) > 1 else None, content)
