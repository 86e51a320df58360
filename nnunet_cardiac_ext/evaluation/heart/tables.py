"""The csv files of `measure`, written subject by subject."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from nnunet_cardiac_ext.evaluation.heart.segments import TRANSMURALITY, SegmentRow, SliceRow
from nnunet_cardiac_ext.evaluation.heart.subject import (
    CURVE_COLUMNS,
    SUBJECT_COLUMNS,
    SubjectTables,
    volume_columns,
)
from nnunet_cardiac_ext.files import written_whole

SUBJECTS_FILE = "subjects.csv"
VOLUMES_FILE = "volumes.csv"
SEGMENTS_FILE = "segments.csv"
SLICES_FILE = "slices.csv"
CURVES_FILE = "curves.csv"


@contextmanager
def open_tables(folder: Path, labels: Mapping[str, int]) -> Iterator[Callable[[SubjectTables], None]]:
    """Yield what writes the lines of one subject to all tables; the files appear together, at the end.

    Args:
        folder: Folder of the tables.
        labels: Label value by structure: columns of what has no label are left out.

    Raises:
        WorkError: The folder cannot be written.
    """
    columns = _columns(labels)
    with ExitStack() as stack:
        writers = {name: stack.enter_context(_open_table(folder / name, header)) for name, header in columns.items()}

        def write(found: SubjectTables) -> None:
            writers[SUBJECTS_FILE]([found.numbers] if found.numbers else [])
            writers[VOLUMES_FILE](found.volumes)
            writers[CURVES_FILE](found.curve)
            writers[SEGMENTS_FILE](row._asdict() for row in found.segments)
            writers[SLICES_FILE](row._asdict() for row in found.slices)

        yield write


def _columns(labels: Mapping[str, int]) -> dict[str, Sequence[str]]:
    segments = [name for name in SegmentRow._fields if "INFARCT" in labels or name not in TRANSMURALITY]
    return {
        SUBJECTS_FILE: SUBJECT_COLUMNS, VOLUMES_FILE: volume_columns(labels), CURVES_FILE: CURVE_COLUMNS,
        SEGMENTS_FILE: segments, SLICES_FILE: SliceRow._fields,
    }  # fmt: skip


@contextmanager
def _open_table(path: Path, columns: Sequence[str]) -> Iterator[Callable[[Iterable[Mapping[str, Any]]], None]]:
    with written_whole(path) as partial, partial.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, columns, restval="", extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        yield writer.writerows
