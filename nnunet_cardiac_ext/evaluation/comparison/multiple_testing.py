"""Corrections of p-values for the number of tests."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

import numpy as np
from scipy.stats import false_discovery_control


def holm(p_values: Sequence[float]) -> np.ndarray:
    """Adjust p-values so that the chance of any false finding stays below the level (Holm 1979, step down).

    The k-th smallest of m values, k from 0, is multiplied by m - k; no value may fall below an earlier one or exceed 1.

    Args:
        p_values: Shape (m,); NaN are no tests: they stay NaN and do not count.

    Returns:
        Adjusted values, shape (m,).
    """
    return _adjusted(p_values, _holm)


def benjamini_hochberg(p_values: Sequence[float]) -> np.ndarray:
    """Adjust p-values so that the expected share of false findings stays below the level (Benjamini, Hochberg 1995).

    Args:
        p_values: Shape (m,); NaN as in `holm`.

    Returns:
        Adjusted values, shape (m,).
    """
    return _adjusted(p_values, lambda known: false_discovery_control(known, method="bh"))


def uncorrected(p_values: Sequence[float]) -> np.ndarray:
    """Return the p-values as they are."""
    return np.array(p_values, dtype=float)


CORRECTIONS: Mapping[str, Callable[[Sequence[float]], np.ndarray]] = MappingProxyType(
    {"none": uncorrected, "holm": holm, "bh": benjamini_hochberg}
)


def _holm(known: np.ndarray) -> np.ndarray:
    order = np.argsort(known)
    factors = np.arange(len(known), 0, -1)
    adjusted = np.empty_like(known)
    adjusted[order] = np.minimum(1, np.maximum.accumulate(known[order] * factors))
    return adjusted


def _adjusted(p_values: Sequence[float], correct: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    adjusted = np.array(p_values, dtype=float)
    known = np.isfinite(adjusted)
    if known.any():
        adjusted[known] = correct(adjusted[known])
    return adjusted
