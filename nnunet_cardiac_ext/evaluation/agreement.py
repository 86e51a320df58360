"""Agreement of two measurements of the same hearts: bias and limits (Bland and Altman, Lancet 1986), correlation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

# Share of a normal distribution within 1.96 standard deviations: 95 %.
LIMITS_IN_SD = 1.96


@dataclass(frozen=True)
class Agreement:
    """How a prediction differs from the reference.

    Attributes:
        n: Number of pairs with both values.
        bias: Mean of prediction minus reference.
        sd: Standard deviation of the differences (n - 1).
        lower: Lower limit of agreement, bias - 1.96 sd.
        upper: Upper limit of agreement, bias + 1.96 sd.
        mean_absolute_error: Mean of the absolute differences.
        correlation: Pearson's r; NaN for fewer than three pairs or a constant.
    """

    n: int
    bias: float
    sd: float
    lower: float
    upper: float
    mean_absolute_error: float
    correlation: float


def agreement(reference: np.ndarray, prediction: np.ndarray) -> Agreement:
    """Compare two series, pairs with a NaN left out; undefined numbers are NaN.

    Args:
        reference: Values, shape (n,).
        prediction: Values in the same unit, shape (n,).
    """
    known = np.isfinite(reference) & np.isfinite(prediction)
    a, b = reference[known], prediction[known]
    n, nan = len(a), float("nan")
    if not n:
        return Agreement(0, nan, nan, nan, nan, nan, nan)
    difference = b - a
    bias = float(difference.mean())
    sd = float(difference.std(ddof=1)) if n > 1 else nan
    varies = n > 2 and np.ptp(a) > 0 and np.ptp(b) > 0
    correlation = float(np.corrcoef(a, b)[0, 1]) if varies else nan
    limits = bias - LIMITS_IN_SD * sd, bias + LIMITS_IN_SD * sd
    return Agreement(n, bias, sd, *limits, float(np.abs(difference).mean()), correlation)
