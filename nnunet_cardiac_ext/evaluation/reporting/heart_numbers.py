"""Clinical numbers of measured folders: mean, spread and range of each quantity, reference beside prediction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from nnunet_cardiac_ext.errors import UsageError
from nnunet_cardiac_ext.evaluation.clinical import ClinicalQuantity
from nnunet_cardiac_ext.evaluation.heart.numbers import SUBJECT_QUANTITIES
from nnunet_cardiac_ext.evaluation.heart.tables import SUBJECTS_FILE, VOLUMES_FILE
from nnunet_cardiac_ext.evaluation.reporting.words import unit_name
from nnunet_cardiac_ext.evaluation.summary import Statistics, statistics
from nnunet_cardiac_ext.files import iterate_csv

IMAGE_QUANTITIES = (
    ClinicalQuantity("lv_volume", "LV volume", "ml", "LV cavity volume of the image."),
    ClinicalQuantity("rv_volume", "RV volume", "ml", "RV cavity volume of the image."),
    ClinicalQuantity("myocardium_mass", "Myocardial mass", "g", "Volume of the myocardium times 1.05 g/ml."),
    ClinicalQuantity("myocardium_volume", "Myocardial volume", "mm3", "Volume of the myocardium."),
    ClinicalQuantity("infarct_mass", "Infarct mass", "g", "Infarct with no-reflow, times 1.05 g/ml."),
    ClinicalQuantity("infarct", "Infarct, of LV mass", "percent_of_lv_mass", "Infarct with no-reflow."),
    ClinicalQuantity("noreflow", "No-reflow, of LV mass", "percent_of_lv_mass", "No-reflow (MVO)."),
    ClinicalQuantity("wall_thickness", "Mean wall thickness", "mm", "Mean over all rays."),
)


@dataclass(frozen=True)
class Numbers:
    """What is shown of the measured hearts.

    Attributes:
        of: "subjects" (at end-diastole and end-systole) or "images".
        sides: The columns: "reference" and "prediction", or one of them.
        rows: Per quantity its title, unit, definition and the statistics of each side.
    """

    of: str
    sides: tuple[str, ...]
    rows: list[dict[str, Any]]


def heart_numbers(measured: Mapping[str, Path]) -> Numbers | None:
    """Return the statistics of `subjects.csv`, or of `volumes.csv` where no phases are known; None without either.

    Of two sides the hearts count that both have.

    Raises:
        UsageError: A table is absent or holds text for a number.
    """
    if not measured:
        return None
    tables = (
        ("subjects", "subject", SUBJECTS_FILE, SUBJECT_QUANTITIES), ("images", "case", VOLUMES_FILE, IMAGE_QUANTITIES)
    )  # fmt: skip
    for of, key, name, quantities in tables:
        common = frozenset.intersection(*(_names(folder / name, key) for folder in measured.values()))
        sides = {side: _columns(folder / name, quantities, key, common) for side, folder in measured.items()}
        rows = [_row(quantity, sides) for quantity in quantities]
        known = [row for row in rows if any(found.n for found in row["sides"])]
        if known:
            return Numbers(of, tuple(sides), known)
    return None


def _names(path: Path, key: str) -> frozenset[str]:
    return frozenset(cells.get(key, "") for cells in iterate_csv(path))


def _columns(
    path: Path, quantities: Iterable[ClinicalQuantity], key: str, common: frozenset[str]
) -> dict[str, list[float]]:
    """Values by column, of the hearts that all sides have."""
    values: dict[str, list[float]] = {quantity.header: [] for quantity in quantities}
    try:
        for cells in (cells for cells in iterate_csv(path) if cells.get(key, "") in common):
            for header, column in values.items():
                if cells.get(header):
                    column.append(float(cells[header]))
    except ValueError as error:
        raise UsageError(f"{path}: expected numbers, stopped at {error}") from error
    return values


def _row(quantity: ClinicalQuantity, sides: Mapping[str, Mapping[str, list[float]]]) -> dict[str, Any]:
    found: list[Statistics] = [statistics(columns[quantity.header]) for columns in sides.values()]
    ranges = [_range(columns[quantity.header]) for columns in sides.values()]
    return {
        "title": quantity.title, "unit": unit_name(quantity.unit), "definition": quantity.definition,
        "sides": found, "ranges": ranges,
    }  # fmt: skip


def _range(values: list[float]) -> tuple[float, float]:
    known = np.array([value for value in values if np.isfinite(value)])
    return (float(known.min()), float(known.max())) if known.size else (float("nan"), float("nan"))
