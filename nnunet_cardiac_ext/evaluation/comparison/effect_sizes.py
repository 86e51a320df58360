"""How large a difference is, beside how sure it is: standardised mean differences and shares of ordered pairs.

All are positive where the first sample is larger. Values that are not finite are left out, in paired ones the pair.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np
from scipy import stats

from nnunet_cardiac_ext.evaluation.comparison.hypothesis_tests import NAN, drop_undefined, varies


def cohen_dz(first: np.ndarray, second: np.ndarray) -> float:
    """Mean of the paired differences over their standard deviation (n - 1).

    Args:
        first: Values, shape (n,).
        second: Values of the same cases, shape (n,).

    Returns:
        The effect; NaN for fewer than two pairs or differences without spread.
    """
    a, b = drop_undefined(first, second, paired=True)
    difference = a - b
    if len(difference) < 2 or not varies(difference, scale=float(np.abs(a).max())):
        return NAN
    return float(difference.mean() / difference.std(ddof=1))


def hedges_g(first: np.ndarray, second: np.ndarray) -> float:
    """Difference of the means over the pooled standard deviation, corrected for small samples.

    The correction is the usual 1 - 3 / (4 (n + m) - 9) (Hedges 1981).

    Args:
        first: Values, shape (n,).
        second: Values, shape (m,).

    Returns:
        The effect; NaN where a sample has fewer than two values or both have no spread.
    """
    a, b = drop_undefined(first, second, paired=False)
    n, m = len(a), len(b)
    if min(n, m) < 2 or not (varies(a) or varies(b)):
        return NAN
    pooled = np.sqrt(((n - 1) * a.var(ddof=1) + (m - 1) * b.var(ddof=1)) / (n + m - 2))
    return float((a.mean() - b.mean()) / pooled * (1 - 3 / (4 * (n + m) - 9)))


def rank_biserial(first: np.ndarray, second: np.ndarray) -> float:
    """Matched-pairs rank-biserial correlation: rank sum of positive minus negative differences, over their total.

    Pairs without a difference are dropped, as in the signed-rank test (Kerby 2014).

    Args:
        first: Values, shape (n,).
        second: Values of the same cases, shape (n,).

    Returns:
        From -1 (first always smaller) to 1; 0 where no pair differs, NaN without a pair.
    """
    a, b = drop_undefined(first, second, paired=True)
    if not len(a):
        return NAN
    difference = (a - b)[a != b]
    if not len(difference):
        return 0.0
    ranks = stats.rankdata(np.abs(difference))
    return float((ranks * np.sign(difference)).sum() / ranks.sum())


def cliffs_delta(first: np.ndarray, second: np.ndarray) -> float:
    """Share of pairs (one value of each sample) in which the first is larger, minus that in which it is smaller.

    Args:
        first: Values, shape (n,).
        second: Values, shape (m,).

    Returns:
        From -1 to 1; NaN where a sample is empty.
    """
    a, b = drop_undefined(first, second, paired=False)
    if not (len(a) and len(b)):
        return NAN
    # U counts the pairs in which the first is larger, ties as a half.
    u = stats.mannwhitneyu(a, b, method="asymptotic").statistic
    return float(2 * u / (len(a) * len(b)) - 1)


# The effect that belongs to each test of `hypothesis_tests`.
EFFECT_OF_TEST: Mapping[str, tuple[str, Callable[[np.ndarray, np.ndarray], float]]] = MappingProxyType(
    {
        "wilcoxon": ("rank-biserial", rank_biserial),
        "ranksum": ("Cliff's delta", cliffs_delta),
        "welch": ("Hedges' g", hedges_g),
        "paired-t": ("Cohen's d_z", cohen_dz),
    }
)
