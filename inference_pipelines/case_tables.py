"""Tables of single cases that several processes write, joined to one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path


def join_tables(folder: Path, join: Callable[[Sequence[Path]], None]) -> None:
    """Join the csv files of a folder; several processes may do so at once.

    Args:
        folder: Holds one table per case; need not exist.
        join: Called with the tables, in the order of their names; writes them as one.
    """
    before: list[Path] | None = None
    # Another process may have finished a case in the meantime: the last one to look sees them all.
    while (found := sorted(folder.glob("[!.]*.csv"))) != before:
        join(found)
        before = found
