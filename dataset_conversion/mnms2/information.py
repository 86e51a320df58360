"""What `dataset_information.csv` says of each subject: disease, vendor, scanner, field strength.

The official file is an export of a spreadsheet, padded with commas to a million rows; numbers may look like `24.0`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from dataset_conversion.subject_table import SubjectTable, find_subject_table
from dataset_conversion.tables import tidy, whole_number

FILE_NAME = "dataset_information.csv"
KEY = "subject_code"
# Vendors by the beginning of their name, as M&Ms calls them.
VENDORS: Mapping[str, str] = MappingProxyType(
    {"siemens": "Siemens", "philips": "Philips", "ge": "GE", "general electric": "GE", "canon": "Canon"}
)


@dataclass(frozen=True)
class Information:
    """The row of one subject; absent cells are empty.

    Attributes:
        group: Diagnosis.
        vendor: Vendor of the scanner.
        extra: Further columns of cases.csv: scanner, field_tesla.
        notes: What is not known, one line each.
    """

    group: str = ""
    vendor: str = ""
    extra: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


class InformationTable(SubjectTable):
    """The csv, or its absence."""

    def of(self, code: str) -> Information:
        """Return what is known of a subject.

        Raises:
            ValueError: It has several rows, and they differ.
        """
        row = self.row(code)
        if not row:
            place = f"row in {self.name}" if self.name else FILE_NAME
            return Information(notes=(f"no {place}: group and vendor unknown",), extra=_extra({}))
        return Information(row.get("disease", ""), vendor_name(row.get("vendor", "")), _extra(row))


def find_table(folders: Iterable[Path]) -> InformationTable:
    """Read the csv of the first folder that has one with the column `SUBJECT_CODE`."""
    table = find_subject_table(folders, KEY, subject=subject_code)
    return InformationTable(table.name, table.rows)


def subject_code(cell: str) -> str:
    """Return a subject's code with its leading zeros (`24`, `24.0` and `024` give `024`)."""
    number = whole_number(cell)
    return cell if number is None else f"{number:03d}"


def vendor_name(cell: str) -> str:
    """Return a vendor as M&Ms calls it (`Philips Medical Systems` gives `Philips`); an unknown one as it is."""
    words = cell.casefold()
    known = (name for start, name in VENDORS.items() if words == start or words.startswith(start + " "))
    return next(known, cell)


def _extra(row: Mapping[str, str]) -> dict[str, str]:
    return {"scanner": row.get("scanner", ""), "field_tesla": tidy(row.get("field", ""))}
