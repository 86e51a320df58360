"""Lines of a csv as named tuples."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, get_type_hints

from nnunet_cardiac_ext.errors import UsageError
from nnunet_cardiac_ext.files import iterate_csv


def read_typed_rows(kind: Any, path: Path, wanted: Callable[[dict[str, str]], bool] = lambda cells: True) -> list[Any]:
    """Return the lines of a csv as named tuples of a kind, each cell in the type of its field.

    Args:
        kind: The named tuple.
        path: The file.
        wanted: Which lines, by their cells; of hundreds of thousands most are then never held.

    Raises:
        UsageError: The file is absent, lacks a column, or a cell is of another type.
    """
    converters = get_type_hints(kind)
    try:
        return [
            kind(*(convert(cells[name]) for name, convert in converters.items()))
            for cells in iterate_csv(path)
            if wanted(cells)
        ]
    except (KeyError, ValueError) as error:
        raise UsageError(f"{path}: expected the columns {', '.join(kind._fields)}, stopped at {error}") from error
