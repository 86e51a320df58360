"""The tests of the five papers, by name: scipy computes them, this module leaves out NaN and says what was left out.

Paper 000 compares models by the two-sided rank-sum test, paper 002 regions by Welch's test and models by the paired
t-test. All tests here are two-sided.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from scipy import stats

NAN = float("nan")
# Differences of equal numbers keep some units of the 16th digit; a t-test would find them highly significant.
ROUNDING = 1e-12


@dataclass(frozen=True)
class HypothesisResult:
    """What a test says.

    Attributes:
        statistic: The test's statistic; its sign, where it has one, is that of the first sample minus the second.
        p_value: Two-sided; NaN where the test cannot be computed, with a reason.
        n: Number of values used of each sample (pairs, for a paired test).
        n_left_out: Number of NaN values left out of each sample (pairs with a NaN, for a paired test).
        reason: Why there is no p-value; empty where there is one.
    """

    statistic: float
    p_value: float
    n: tuple[int, int]
    n_left_out: tuple[int, int]
    reason: str = ""


@dataclass(frozen=True)
class HypothesisTest:
    """A test by name.

    Attributes:
        name: As it is typed and as it stands in tables.
        title: As captions call it.
        paired: Whether it takes pairs of values of the same case, or two samples without pairs.
        null: What it tests.
        compute: scipy's function of two samples without NaN; returns statistic and p-value.
    """

    name: str
    title: str
    paired: bool
    null: str
    compute: Callable[[np.ndarray, np.ndarray], tuple[float, float]]

    def __call__(self, first: np.ndarray, second: np.ndarray) -> HypothesisResult:
        """Test two samples.

        Args:
            first: Values, shape (n,); NaN are left out, in a paired test with their partner.
            second: Values in the same unit, shape (n,) in a paired test, else (m,).

        Returns:
            The result; its p-value is NaN, with a reason, for fewer than two values, and for samples without any
            spread where the test divides by it.

        Raises:
            ValueError: The test is paired and the samples differ in length.
        """
        known = drop_undefined(first, second, paired=self.paired)
        n = len(known[0]), len(known[1])
        left_out = len(first) - n[0], len(second) - n[1]
        if min(n) < 2:
            return HypothesisResult(NAN, NAN, n, left_out, "fewer than two values")
        # scipy warns of ties and of samples without spread; the reason says what a reader needs.
        with np.errstate(divide="ignore", invalid="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)
            statistic, p_value = self.compute(*known)
        reason = "" if np.isfinite(p_value) else "the values do not vary"
        return HypothesisResult(float(statistic), float(p_value), n, left_out, reason)


def drop_undefined(first: np.ndarray, second: np.ndarray, *, paired: bool) -> tuple[np.ndarray, np.ndarray]:
    """Return both samples as float64 without NaN and infinities; paired ones without every pair that holds one.

    Raises:
        ValueError: `paired`, and the samples differ in length.
    """
    a, b = np.asarray(first, dtype=float), np.asarray(second, dtype=float)
    if not paired:
        return a[np.isfinite(a)], b[np.isfinite(b)]
    if a.shape != b.shape:
        raise ValueError(f"expected samples of one length for a paired test, got {len(a)} and {len(b)}")
    known = np.isfinite(a) & np.isfinite(b)
    return a[known], b[known]


def varies(values: np.ndarray, *, scale: float = 0.0) -> bool:
    """Tell whether values differ by more than rounding, relative to the largest of them or to `scale`.

    Args:
        values: Finite values, at least one.
        scale: Size of the numbers that `values` are differences of.
    """
    largest = max(float(np.abs(values).max()), scale)
    return bool(np.ptp(values) > ROUNDING * largest)


def _signed_rank(first: np.ndarray, second: np.ndarray) -> tuple[float, float]:
    difference = first - second
    if not difference.any():
        return 0.0, 1.0
    found = stats.wilcoxon(difference, zero_method="wilcox", correction=False, alternative="two-sided")
    return found.statistic, found.pvalue


def _rank_sum(first: np.ndarray, second: np.ndarray) -> tuple[float, float]:
    found = stats.mannwhitneyu(first, second, alternative="two-sided")
    return found.statistic, found.pvalue


def _welch(first: np.ndarray, second: np.ndarray) -> tuple[float, float]:
    if not (varies(first) or varies(second)):
        return NAN, NAN
    found = stats.ttest_ind(first, second, equal_var=False)
    return found.statistic, found.pvalue


def _paired_t(first: np.ndarray, second: np.ndarray) -> tuple[float, float]:
    if not varies(first - second, scale=float(np.abs(first).max())):
        return NAN, NAN
    found = stats.ttest_rel(first, second)
    return found.statistic, found.pvalue


wilcoxon_signed_rank = HypothesisTest(
    "wilcoxon", "Wilcoxon signed-rank test", True,
    "The differences of the pairs are symmetric about 0. Pairs without a difference are dropped (Wilcoxon's way); "
    "where no pair differs, p is 1.",
    _signed_rank,
)  # fmt: skip
wilcoxon_rank_sum = HypothesisTest(
    "ranksum", "Wilcoxon rank-sum (Mann-Whitney U) test", False,
    "A value of one sample is as likely above as below one of the other. It does not use that both models saw the "
    "same cases.",
    _rank_sum,
)  # fmt: skip
welch_t = HypothesisTest(
    "welch", "Welch's t-test", False, "Both means are the same; the variances may differ.", _welch
)
paired_t = HypothesisTest("paired-t", "paired t-test", True, "The mean of the differences is 0.", _paired_t)

TESTS: Mapping[str, HypothesisTest] = MappingProxyType(
    {test.name: test for test in (wilcoxon_signed_rank, wilcoxon_rank_sum, welch_t, paired_t)}
)
