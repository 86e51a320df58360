"""How numbers and names look on the page."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

UNIT_NAMES: Mapping[str, str] = MappingProxyType({
    "percent": "%", "percent_of_lv_mass": "%", "ml": "ml", "g": "g", "1": "", "mm": "mm", "m2": "m²", "mm3": "mm³",
    "mg": "mg", "ml_per_m2": "ml/m²", "g_per_m2": "g/m²", "l_per_min": "l/min", "l_per_min_per_m2": "l/min/m²",
    "bpm": "/min",
})  # fmt: skip
DASH = "–"


def unit_name(unit: str) -> str:
    """Return a unit as people write it."""
    return UNIT_NAMES.get(unit, unit.replace("_", " "))


def difference_unit(unit: str) -> str:
    """Return the unit of a difference: that of two percentages is in points."""
    return "points" if unit_name(unit) == "%" else unit_name(unit)


def number(value: float, digits: int = 2, *, signed: bool = False) -> str:
    """Return a number for the eye; a dash where it is undefined."""
    if not np.isfinite(value):
        return DASH
    text = f"{value:+.{digits}f}" if signed else f"{value:.{digits}f}"
    # A rounded zero has no sign, and a minus is no hyphen.
    text = text.lstrip("+-") if float(text) == 0 else text
    return text.replace("-", "−")


def significant(value: float, digits: int = 3) -> str:
    """Return a number of any size with so many significant digits, without exponent between 0.001 and a million."""
    if not np.isfinite(value) or value == 0:
        return DASH if not np.isfinite(value) else "0"
    size = int(np.floor(np.log10(abs(value))))
    if not -4 < size < 6:
        return f"{value:.{digits - 1}e}".replace("-", "−")
    return number(value, max(0, digits - 1 - size))


def count(n: int, singular: str, plural: str = "") -> str:
    """Return a number with its noun: "1 case", "3 cases"."""
    return f"{n:,} {singular if n == 1 else plural or singular + 's'}".replace(",", "\u202f")
