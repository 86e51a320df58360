"""`cases.csv`: what is known of each case. Splits go by its subjects, evaluation groups by its columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from nnunet_cardiac_ext.errors import UsageError
from nnunet_cardiac_ext.files import read_csv, write_csv

FILE_NAME = "cases.csv"
# Extra column of data sets whose subjects are imaged several times, as animals are.
TIME_POINT = "time_point"
COLUMNS = (
    "case", "subject", "phase", "frame", "group", "vendor", "centre",
    "spacing", "slices", "base_first", "part", "source",
)  # fmt: skip


@dataclass(frozen=True)
class CaseRow:
    """One image of a converted data set.

    Attributes:
        case: Name of the case in nnU-Net (`patient001_frame01`).
        subject: Patient or animal; all images of a subject stay in one partition.
        phase: "ED", "ES", "" for any other frame.
        frame: Number of the cine frame as the source counts it; None where there is no time.
        group: Diagnosis or study group.
        vendor: Scanner vendor.
        centre: Hospital.
        spacing: Spacing in mm as (slice, row, column).
        slices: Number of slices.
        base_first: Whether slice 0 is at the base; None where there are no labels to tell by.
        part: "train", "test" (images with or without labels kept for testing), "unlabelled" (the source has no labels
            of them) or "cine" (frames of a whole cycle).
        source: The source file, relative to the converter's input folder.
        extra: Further columns of this data set (height_cm, weight_kg, ...).
    """

    case: str
    subject: str
    phase: str = ""
    frame: int | None = None
    group: str = ""
    vendor: str = ""
    centre: str = ""
    spacing: tuple[float, float, float] = (float("nan"),) * 3
    slices: int = 0
    base_first: bool | None = None
    part: str = "train"
    source: str = ""
    extra: dict[str, str] = field(default_factory=dict)

    @property
    def visit(self) -> str:
        """The subject at one time point: only images of one visit show the same heart in two phases."""
        time_point = self.extra.get(TIME_POINT, "")
        return f"{self.subject}_{time_point}" if time_point else self.subject


def write_case_table(path: Path, rows: Sequence[CaseRow]) -> None:
    """Write the rows, sorted by case, with the fixed columns first and the data set's own after them."""
    write_csv(path, [_to_cells(row) for row in sorted(rows, key=lambda row: row.case)], _header(rows))


def read_case_table(path: Path) -> list[CaseRow]:
    """Read a `cases.csv`.

    Raises:
        UsageError: The file is absent, lacks the columns `case` or `subject`, holds a cell that cannot be read, a line
            without case or subject, or two lines of one case.
    """
    rows = read_csv(path)
    if rows and not {"case", "subject"} <= rows[0].keys():
        raise UsageError(f"{path}: expected the columns case and subject, got {', '.join(rows[0])}")
    table = [_from_cells(path, number, cells) for number, cells in enumerate(rows, start=2)]
    lines: dict[str, int] = {}
    for number, row in enumerate(table, start=2):
        if not (row.case and row.subject):
            raise UsageError(f"{path}, line {number}: expected a case and its subject, got an empty cell")
        first = lines.setdefault(row.case, number)
        if first != number:
            raise UsageError(f"{path}, line {number}: expected one line per case, got {row.case} of line {first}")
    return table


def _header(rows: Sequence[CaseRow]) -> list[str]:
    return list(COLUMNS) + list(dict.fromkeys(key for row in rows for key in row.extra))


def _to_cells(row: CaseRow) -> dict[str, str]:
    cells = {name: getattr(row, name) for name in COLUMNS}
    cells["spacing"] = "x".join(f"{value:.6g}" for value in row.spacing)
    cells["frame"] = "" if row.frame is None else row.frame
    cells["base_first"] = "" if row.base_first is None else str(row.base_first).lower()
    return {key: str(value) for key, value in cells.items()} | row.extra


def _from_cells(path: Path, number: int, cells: dict[str, str]) -> CaseRow:
    try:
        spacing = tuple(float(part) for part in cells.get("spacing", "").split("x") if part)
        return CaseRow(
            case=cells["case"], subject=cells["subject"], phase=cells.get("phase", "").strip().upper(),
            frame=int(cells["frame"]) if cells.get("frame") else None,
            group=cells.get("group", ""), vendor=cells.get("vendor", ""), centre=cells.get("centre", ""),
            spacing=(spacing[0], spacing[1], spacing[2]) if len(spacing) == 3 else (float("nan"),) * 3,
            slices=int(cells.get("slices") or 0),
            base_first={"true": True, "false": False}.get(cells.get("base_first", "")),
            part=cells.get("part", "train"), source=cells.get("source", ""),
            extra={key: value for key, value in cells.items() if key not in COLUMNS},
        )  # fmt: skip
    except ValueError as error:
        raise UsageError(f"{path}, line {number}: {error}") from error
