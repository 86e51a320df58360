"""One table of all cases beside the tables of single cases, also where several processes write into one folder."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path


def join_tables(folder: Path, write: Callable[[Sequence[Path]], None]) -> None:
    """Write the table of all cases from those that are there; several processes may do so at once.

    Args:
        folder: The tables of single cases, `CASE.csv`.
        write: Called with their paths in order of the names; writes the joined table whole.
    """
    before: list[Path] | None = None
    # Another process may have finished a case in the meantime: the last one to look sees them all.
    while (found := sorted(folder.glob("[!.]*.csv"))) != before:
        write(found)
        before = found
