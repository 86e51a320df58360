"""Height, weight and heart rate of a subject, from columns of the case table."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from nnunet_cardiac_ext.case_table import CaseRow

NAN = float("nan")
HEIGHT, WEIGHT, HEART_RATE = "height_cm", "weight_kg", "heart_rate_bpm"
# cm kg / m4 in Mosteller's formula.
MOSTELLER = 3600.0


@dataclass(frozen=True)
class Body:
    """What the case table knows of a subject; NaN where it does not.

    Attributes:
        height_cm: Height.
        weight_kg: Weight.
        heart_rate_bpm: Heart rate during the scan.
    """

    height_cm: float = NAN
    weight_kg: float = NAN
    heart_rate_bpm: float = NAN

    @property
    def surface_m2(self) -> float:
        """Body surface area, sqrt(height weight / 3600) (Mosteller, N Engl J Med 1987); NaN if one is unknown."""
        return math.sqrt(self.height_cm * self.weight_kg / MOSTELLER)

    def missing(self, *names: str) -> str:
        """Return "no height_cm, no weight_kg": which of the columns is unknown; empty if none is."""
        return ", ".join(f"no {name}" for name in names if math.isnan(getattr(self, name)))


def body_of(rows: Iterable[CaseRow]) -> Body:
    """Return what the rows of one subject say; of several values the first that is a positive number."""
    known = list(rows)
    return Body(*(_first(known, column) for column in (HEIGHT, WEIGHT, HEART_RATE)))


def _first(rows: list[CaseRow], column: str) -> float:
    return next((value for row in rows if (value := _number(row.extra.get(column, ""))) > 0), NAN)


def _number(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        return NAN
    return value if math.isfinite(value) else NAN
