"""`presence.csv`: how probable it is that a slice holds a structure, and whether the structure is shown."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from nnunet_cardiac_ext.files import iterate_csv, write_csv

FILE_NAME = "presence.csv"


class PresenceRow(NamedTuple):
    """One line of `presence.csv`: a structure in a slice.

    Attributes:
        case: Name of the case.
        frame: Number of the frame in a 4-D file, from 0; empty for a 3-D file.
        slice: Number of the slice along the slice axis of the image file, from 0.
        structure: Name of the structure.
        probability: Of its presence, the mean over folds and mirrored copies; 0 in slices that are empty.
        shown: "yes" where the probability is above the threshold (the paper's is one half), so that the structure may
            stand in the labels, or "no".
    """

    case: str
    frame: str
    slice: str
    structure: str
    probability: str
    shown: str


def presence_rows(
    case: str,
    frame: int | None,
    numbers: np.ndarray,
    structures: Iterable[str],
    probabilities: np.ndarray,
    *,
    threshold: float,
) -> list[PresenceRow]:
    """Return the lines of one stack by rising slice.

    Args:
        case: Name of the case.
        frame: Number of the frame in a 4-D file, or None.
        numbers: Number of each slice in the file, shape (slice,).
        structures: Names of the structures.
        probabilities: Shape (slice, structure).
        threshold: A structure is shown if its probability is above this.
    """
    names, frame_cell = list(structures), "" if frame is None else str(frame)
    return [
        PresenceRow(
            case, frame_cell, str(numbers[k]), name, f"{probability:.6g}", "yes" if probability > threshold else "no"
        )
        for k in np.argsort(numbers)
        for name, probability in zip(names, probabilities[k], strict=True)
    ]  # fmt: skip


def write_presence_table(path: Path, rows: Iterable[PresenceRow]) -> None:
    """Write the rows in their order, whole or not at all; no rows leave the header."""
    write_csv(path, (row._asdict() for row in rows), PresenceRow._fields)


def join_presence_tables(path: Path, tables: Iterable[Path]) -> None:
    """Write the rows of several tables into one."""
    write_csv(path, (row for table in tables for row in iterate_csv(table)), PresenceRow._fields)
