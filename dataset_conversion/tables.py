"""Read the tables that come with data sets, as spreadsheets leave them."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable
from itertools import chain
from pathlib import Path

from nnunet_cardiac_ext.errors import UsageError

_DELIMITERS = ",;\t"
_PADDING = _DELIMITERS + "\r\n\0 "


def read_table(path: Path) -> list[dict[str, str]]:
    """Read a csv whatever its delimiter (comma, semicolon, tab), with or without a byte order mark.

    Returns:
        One mapping per row that holds anything, cells without spaces around them by the name of their column in small
        letters. Columns without a name (an index, the padding of a spreadsheet) are dropped; cells that a row lacks
        are empty.

    Raises:
        UsageError: The file cannot be read.
    """
    try:
        # Names of places are the only letters beyond ASCII, and no key: a wrong one does no harm.
        with path.open(encoding="utf-8-sig", errors="replace", newline="") as stream:
            return _rows(stream)
    except OSError as error:
        raise UsageError(f"{path}: cannot be read ({error.strerror or error})") from error


def columns_of(path: Path) -> list[str]:
    """Return the column names of a csv, in small letters, without its rows; none of a file that cannot be read."""
    try:
        with path.open("rb") as stream:
            header = stream.readline().decode("utf-8-sig", errors="replace")
    except OSError:
        return []
    names = header.split(max(_DELIMITERS, key=header.count))
    return [name.strip().strip('"').casefold() for name in names if name.strip()]


def number(text: str) -> float | None:
    """Return the number that a cell holds, with a decimal point or comma; None for anything else (empty, nan)."""
    try:
        value = float(text.replace(",", "."))
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def whole_number(text: str) -> int | None:
    """Return the whole number from 0 that a cell holds (`7`, `7.0`); None for anything else."""
    value = number(text)
    return int(value) if value is not None and value >= 0 and value == int(value) else None


def tidy(text: str) -> str:
    """Return a cell with a number in its shortest form (`28.0` becomes `28`); other text as it is, `nan` as empty."""
    value = number(text)
    if value is None:
        return "" if text.casefold() in ("nan", "na", "n/a", "none", "inf", "-inf") else text
    return f"{value:.10g}"


def _rows(lines: Iterable[str]) -> list[dict[str, str]]:
    # Exports of spreadsheets are padded to a million rows of delimiters (M&Ms-2): those cost next to nothing here.
    filled = (line.replace("\0", "") for line in lines if line.strip(_PADDING))
    header = next(filled, "")
    rows = csv.reader(chain([header], filled), delimiter=max(_DELIMITERS, key=header.count))
    columns = [name.strip().casefold() for name in next(rows, [])]
    return [
        {name: cell.strip() for name, cell in zip(columns, row + [""] * len(columns), strict=False) if name}
        for row in rows
        if any(cell.strip() for cell in row)
    ]  # fmt: skip
