"""Agreement of two measurements of the same hearts: bias, limits and their confidence, errors, correlations.

Bias, limits of agreement and their confidence intervals follow Bland and Altman (Lancet 1986; Stat Methods Med Res
1999), the intraclass correlations Shrout and Fleiss (Psychol Bull 1979).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import numpy as np
from scipy import stats

from nnunet_cardiac_ext.evaluation.clinical import ClinicalQuantity

NAN = float("nan")
# Share of a normal distribution within 1.96 standard deviations: 95 %.
LIMITS_IN_SD = 1.96
# The level of every confidence interval here.
CONFIDENCE = 0.95
# Fewest pairs with a correlation: two points always lie on a line.
CORRELATED_PAIRS = 3


class Interval(NamedTuple):
    """A 95 % confidence interval."""

    low: float
    high: float


UNDEFINED = Interval(NAN, NAN)


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
        root_mean_square_error: Square root of the mean squared difference.
        rank_correlation: Spearman's rho; NaN where `correlation` is.
        icc_agreement: ICC(2,1) of Shrout and Fleiss: two-way random effects, single measurement, absolute agreement.
        icc_consistency: ICC(3,1): two-way mixed effects, single measurement; a constant bias does not lower it.
        bias_interval: 95 % confidence interval of the bias.
        lower_interval: The same of the lower limit.
        upper_interval: The same of the upper limit.
    """

    n: int
    bias: float = NAN
    sd: float = NAN
    lower: float = NAN
    upper: float = NAN
    mean_absolute_error: float = NAN
    correlation: float = NAN
    root_mean_square_error: float = NAN
    rank_correlation: float = NAN
    icc_agreement: float = NAN
    icc_consistency: float = NAN
    bias_interval: Interval = UNDEFINED
    lower_interval: Interval = UNDEFINED
    upper_interval: Interval = UNDEFINED


def agreement(reference: np.ndarray, prediction: np.ndarray) -> Agreement:
    """Compare two series, pairs with a NaN left out; undefined numbers are NaN.

    The intervals use Student's t with n - 1 degrees of freedom. The variance of the bias is s^2 / n, that of a limit
    s^2 (1 / n + 1.96^2 / (2 (n - 1))) (Bland and Altman 1999, section 2.2); one pair has neither.

    Args:
        reference: Values, shape (n,).
        prediction: Values in the same unit, shape (n,).
    """
    known = np.isfinite(reference) & np.isfinite(prediction)
    a, b = reference[known], prediction[known]
    n = len(a)
    if not n:
        return Agreement(0)
    difference = b - a
    bias = float(difference.mean())
    sd = float(difference.std(ddof=1)) if n > 1 else NAN
    lower, upper = bias - LIMITS_IN_SD * sd, bias + LIMITS_IN_SD * sd
    varies = n >= CORRELATED_PAIRS and np.ptp(a) > 0 and np.ptp(b) > 0
    icc = intraclass_correlation(np.column_stack([a, b]))
    limit_error = sd * np.sqrt(1 / n + LIMITS_IN_SD**2 / (2 * (n - 1))) if n > 1 else NAN
    return Agreement(
        n, bias, sd, lower, upper,
        mean_absolute_error=float(np.abs(difference).mean()),
        correlation=float(stats.pearsonr(a, b).statistic) if varies else NAN,
        root_mean_square_error=float(np.sqrt(np.mean(difference**2))),
        rank_correlation=float(stats.spearmanr(a, b).statistic) if varies else NAN,
        icc_agreement=icc.agreement, icc_consistency=icc.consistency,
        bias_interval=_interval(bias, sd / np.sqrt(n), n),
        lower_interval=_interval(lower, limit_error, n), upper_interval=_interval(upper, limit_error, n),
    )  # fmt: skip


class IntraclassCorrelation(NamedTuple):
    """ICC(2,1) (`agreement`) and ICC(3,1) (`consistency`) of Shrout and Fleiss 1979."""

    agreement: float
    consistency: float


def intraclass_correlation(ratings: np.ndarray) -> IntraclassCorrelation:
    """Compute both single-measurement intraclass correlations from the two-way analysis of variance.

    With the mean squares between targets (BMS), between judges (JMS) and residual (EMS) of n targets and k judges:
    ICC(2,1) = (BMS - EMS) / (BMS + (k - 1) EMS + k (JMS - EMS) / n), ICC(3,1) = (BMS - EMS) / (BMS + (k - 1) EMS)
    (Shrout and Fleiss 1979). Neither is clipped at 0.

    Args:
        ratings: Values, shape (target, judge), without NaN.

    Returns:
        Both; NaN for fewer than three targets (as for the correlations), fewer than two judges, or no variation at all.
    """
    n, k = ratings.shape
    if n < CORRELATED_PAIRS or k < 2:
        return IntraclassCorrelation(NAN, NAN)
    mean = ratings.mean()
    targets, judges = ratings.mean(axis=1), ratings.mean(axis=0)
    between = k * np.sum((targets - mean) ** 2) / (n - 1)
    judged = n * np.sum((judges - mean) ** 2) / (k - 1)
    residual = np.sum((ratings - targets[:, None] - judges[None] + mean) ** 2) / ((n - 1) * (k - 1))
    consistency = between + (k - 1) * residual
    return IntraclassCorrelation(
        _ratio(between - residual, consistency + k * (judged - residual) / n), _ratio(between - residual, consistency)
    )


def agreement_table(
    lines: Iterable[Mapping[str, Any]], quantities: Sequence[ClinicalQuantity]
) -> tuple[list[dict[str, Any]], list[str]]:
    """Build `agreement.csv` from the lines of `clinical.csv`: one line per quantity.

    Args:
        lines: Lines of `clinical.csv`, numbers or their text.
        quantities: What is compared; those without columns in `lines` are left out.

    Returns:
        The lines and the header. `bias`, limits and errors are in `unit` (percentage points where it is percent); the
        correlations have none.
    """
    rows = list(lines)
    table = []
    for quantity in quantities:
        columns = quantity.column("reference"), quantity.column("prediction")
        pairs = [[float(row[column]) for column in columns] for row in rows if set(columns) <= row.keys()]
        if pairs:
            reference, prediction = np.array(pairs).T
            table.append({"quantity": quantity.name, "unit": quantity.unit} | _cells(agreement(reference, prediction)))
    return table, ["quantity", "unit", *_cells(Agreement(0))]


def _cells(found: Agreement) -> dict[str, float]:
    """Return one cell per number; an interval becomes two."""
    cells: dict[str, float] = {}
    for name, value in asdict(found).items():
        if isinstance(value, tuple):
            start = name.removesuffix("_interval")
            cells |= {f"{start}_ci95_low": value[0], f"{start}_ci95_high": value[1]}
        else:
            cells[name] = value
    return cells


def _interval(estimate: float, standard_error: float, n: int) -> Interval:
    if n < 2:
        return UNDEFINED
    reach = float(stats.t.ppf((1 + CONFIDENCE) / 2, n - 1) * standard_error)
    return Interval(estimate - reach, estimate + reach)


def _ratio(numerator: float, denominator: float) -> float:
    return float(numerator / denominator) if denominator > 0 else NAN
