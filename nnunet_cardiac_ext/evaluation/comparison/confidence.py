"""Bootstrap confidence intervals of means and of differences of means; by subject where cases belong together.

scipy.stats.bootstrap draws and computes the limits. What it draws here are subjects, each with all its cases: ED and ES
of a heart are no two independent observations (cluster bootstrap). A subject with one case is a case.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import NamedTuple

import numpy as np
from scipy import stats

from nnunet_cardiac_ext.evaluation.comparison.hypothesis_tests import NAN

METHODS = ("bca", "percentile")
# Numbers held at a time while drawing: 16 MB, also with 50,000 subjects.
NUMBERS_AT_A_TIME = 2_000_000


class Interval(NamedTuple):
    """Limits of a confidence interval; NaN where it cannot be computed."""

    low: float
    high: float


class Bootstrap(NamedTuple):
    """How intervals are drawn.

    Attributes:
        level: Confidence level.
        method: "bca" (bias-corrected and accelerated, Efron 1987) or "percentile".
        resamples: Number of bootstrap samples.
        seed: Of the random numbers: the same arguments give the same limits.
    """

    level: float = 0.95
    method: str = "bca"
    resamples: int = 9999
    seed: int = 0


DEFAULT = Bootstrap()


class _Clusters(NamedTuple):
    sums: np.ndarray
    counts: np.ndarray


def mean_interval(
    values: np.ndarray, subjects: Sequence[Hashable] | None = None, bootstrap: Bootstrap = DEFAULT
) -> Interval:
    """Return the confidence interval of a mean.

    Args:
        values: Shape (n,); NaN are left out. For paired data their differences.
        subjects: To whom each value belongs, length n; None takes all values as independent.
        bootstrap: How to draw.

    Returns:
        The limits; NaN for fewer than two subjects with a value. Both are the mean where no subject's mean differs.

    Raises:
        ValueError: The method is unknown, or `subjects` has another length than `values`.
    """
    clusters = _clusters(values, subjects)
    return _interval([clusters], lambda drawn, axis=-1: _mean(clusters, drawn, axis), bootstrap)


def difference_interval(
    first: np.ndarray,
    second: np.ndarray,
    subjects: tuple[Sequence[Hashable], Sequence[Hashable]] | None = None,
    bootstrap: Bootstrap = DEFAULT,
) -> Interval:
    """Return the confidence interval of the mean of one sample minus that of another, drawn independently.

    Args:
        first: Shape (n,); NaN are left out.
        second: Shape (m,).
        subjects: To whom the values of the first and of the second sample belong; None as in `mean_interval`.
        bootstrap: How to draw.

    Returns:
        The limits; NaN where a sample has fewer than two subjects with a value.

    Raises:
        ValueError: As in `mean_interval`.
    """
    owners = subjects or (None, None)
    a, b = (_clusters(values, names) for values, names in zip((first, second), owners, strict=True))
    return _interval(
        [a, b], lambda drawn_a, drawn_b, axis=-1: _mean(a, drawn_a, axis) - _mean(b, drawn_b, axis), bootstrap
    )


def _mean(clusters: _Clusters, drawn: np.ndarray, axis: int) -> np.ndarray:
    return clusters.sums[drawn].sum(axis=axis) / clusters.counts[drawn].sum(axis=axis)


def _clusters(values: np.ndarray, subjects: Sequence[Hashable] | None) -> _Clusters:
    array = np.asarray(values, dtype=float)
    known = np.isfinite(array)
    if subjects is None:
        return _Clusters(array[known], np.ones(known.sum()))
    if len(subjects) != len(array):
        raise ValueError(f"expected a subject for each of {len(array)} values, got {len(subjects)}")
    numbers = {name: number for number, name in enumerate(dict.fromkeys(subjects))}
    owner = np.array([numbers[name] for name in subjects], dtype=int)[known]
    sums, counts = np.bincount(owner, array[known], len(numbers)), np.bincount(owner, minlength=len(numbers))
    return _Clusters(sums[counts > 0], counts[counts > 0].astype(float))


def _interval(samples: list[_Clusters], statistic: Callable[..., np.ndarray], bootstrap: Bootstrap) -> Interval:
    if bootstrap.method not in METHODS:
        raise ValueError(f"expected a method of {', '.join(METHODS)}, got {bootstrap.method!r}")
    indices = [np.arange(len(sample.sums)) for sample in samples]
    if min(map(len, indices)) < 2:
        return Interval(NAN, NAN)
    if all(not np.ptp(sample.sums / sample.counts) for sample in samples):
        # Every draw has the same means; BCa would divide by their spread.
        centre = float(statistic(*indices))
        return Interval(centre, centre)
    found = stats.bootstrap(
        indices, statistic, vectorized=True, batch=max(1, NUMBERS_AT_A_TIME // max(map(len, indices))),
        confidence_level=bootstrap.level, n_resamples=bootstrap.resamples,
        method="BCa" if bootstrap.method == "bca" else "percentile", rng=np.random.default_rng(bootstrap.seed),
    ).confidence_interval  # fmt: skip
    return Interval(float(found.low), float(found.high))
