"""What the csv of M&Ms says of each subject: ED and ES, vendor, centre, diagnosis, and who it was.

The official file is `211230_M&Ms_Dataset_information_diagnosis_opendataset.csv` beside `Training`; copies are called
`dataset_information.csv`, that of the first release `info.csv`. Any csv with a column `External code` is it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from dataset_conversion.subject_table import SubjectTable, find_subject_table
from dataset_conversion.tables import number, tidy, whole_number

KEY = "external code"
VENDORS: Mapping[str, str] = MappingProxyType({"A": "Siemens", "B": "Philips", "C": "GE", "D": "Canon"})
_LETTERS = {name.casefold(): letter for letter, name in VENDORS.items()}
# Nobody is taller than this in metres; a larger number is in cm.
_TALLEST_M = 3.0


@dataclass(frozen=True)
class Information:
    """The row of one subject; absent cells are empty text or None.

    Attributes:
        ed: End-diastolic frame, from 0.
        es: End-systolic frame, from 0.
        vendor: Name of the scanner's vendor.
        centre: Number of the hospital.
        group: Diagnosis.
        extra: Further columns of cases.csv: vendor_letter, sex, age, height_cm, weight_kg.
        notes: What the row lacks or says wrong, one line each.
    """

    ed: int | None = None
    es: int | None = None
    vendor: str = ""
    centre: str = ""
    group: str = ""
    extra: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def find_information(folders: Iterable[Path]) -> SubjectTable:
    """Read the csv of the first folder that has one; of several in a folder, the one with the most columns."""
    return find_subject_table(folders, KEY, subject=str.upper)


def information_of(code: str, table: SubjectTable) -> Information:
    """Return what is known of a subject.

    Raises:
        ValueError: It has several rows, and they differ.
    """
    row = table.row(code)
    if row:
        return _information(table.name, row)
    place = f"row in {table.name}" if table.name else f"csv with the column {KEY.capitalize()}"
    return Information(notes=(f"no {place}: vendor, centre and group unknown",))


def _information(name: str, row: Mapping[str, str]) -> Information:
    frames = {phase: whole_number(row.get(phase.casefold(), "")) for phase in ("ED", "ES")}
    notes = tuple(
        f"{name}: expected {phase} to be a frame number from 0, got {row.get(phase.casefold(), '')!r}"
        for phase, frame in frames.items()
        if frame is None
    )
    letter = row.get("vendor", "")
    named = row.get("vendorname", "")
    return Information(
        ed=frames["ED"], es=frames["ES"], vendor=named or VENDORS.get(letter, letter),
        centre=tidy(row.get("centre", "")), group=row.get("pathology", ""), notes=notes,
        extra={
            "vendor_letter": letter or _LETTERS.get(named.casefold(), ""),
            "sex": row.get("sex", ""), "age": tidy(row.get("age", "")), "height_cm": _height(row.get("height", "")),
            "weight_kg": _positive(row.get("weight", "")),
        },
    )  # fmt: skip


def _height(cell: str) -> str:
    metres = number(cell)
    return tidy(str(100 * metres)) if metres and 0 < metres < _TALLEST_M else _positive(cell)


def _positive(cell: str) -> str:
    """A height or weight of 0 means that nobody measured it."""
    value = number(cell)
    return tidy(cell) if value and value > 0 else ""
