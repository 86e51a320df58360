"""How the benchmarks print measured values."""

from __future__ import annotations

import statistics
from collections.abc import Sequence


def spread(values: Sequence[float], form: str = ".1f") -> str:
    """Return median and range, each written in the form."""
    return f"{statistics.median(values):{form}} ({min(values):{form}} to {max(values):{form}})"
