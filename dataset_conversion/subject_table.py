"""The csv that comes with a data set and has a row per subject: finding it, and one subject's row."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from dataset_conversion.layout import files_in
from dataset_conversion.tables import columns_of, read_table


@dataclass(frozen=True)
class SubjectTable:
    """A csv with a row per subject, or its absence.

    Attributes:
        name: Its file name; empty if there is none.
        rows: Its rows by subject, cells by the name of their column in lower case.
    """

    name: str = ""
    rows: Mapping[str, tuple[Mapping[str, str], ...]] = field(default_factory=dict)

    def row(self, subject: str) -> Mapping[str, str]:
        """Return the row of a subject; no cells if there is none. Rows that are alike count as one.

        Raises:
            ValueError: It has several rows, and they differ.
        """
        rows = self.rows.get(subject, ())
        if any(row != rows[0] for row in rows[1:]):
            raise ValueError(f"{self.name}: expected one row of {subject}, got {len(rows)} that differ")
        return rows[0] if rows else {}


def find_subject_table(
    folders: Iterable[Path], key: str, *, subject: Callable[[str], str] = str.strip
) -> SubjectTable:
    """Read the csv of the first folder that has one with a certain column; of several, the one with most columns.

    Args:
        folders: Where to look, the nearest first.
        key: The column that names the subjects, in lower case.
        subject: Makes the name of a subject of a cell; a row for which it gives nothing is dropped.

    Returns:
        The table; one without a name if no folder has it.

    Raises:
        UsageError: The csv cannot be read.
    """  # fmt: skip
    for folder in folders:
        paths = [path for path in files_in(folder) if path.suffix.casefold() == ".csv" and path.name[0] != "."]
        columns = {path: columns_of(path) for path in paths}
        tables = [path for path in paths if key in columns[path]]
        if tables:
            return _read(max(tables, key=lambda path: len(columns[path])), key, subject)
    return SubjectTable()


def _read(path: Path, key: str, subject: Callable[[str], str]) -> SubjectTable:
    rows: dict[str, tuple[Mapping[str, str], ...]] = {}
    for cells in read_table(path):
        # The index column of an export numbers the rows and makes equal ones differ.
        row = {name: cell for name, cell in cells.items() if not name.startswith("unnamed")}
        name = subject(row[key])
        if name:
            rows[name] = (*rows.get(name, ()), row | {key: name})
    return SubjectTable(path.name, rows)
