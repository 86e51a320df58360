"""Compares samples that were measured on the same cases: models with each other, or regions of the heart."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from nnunet_cardiac_ext.errors import UsageError
from nnunet_cardiac_ext.evaluation.comparison.confidence import (
    DEFAULT,
    METHODS,
    Bootstrap,
    Interval,
    difference_interval,
    mean_interval,
)
from nnunet_cardiac_ext.evaluation.comparison.effect_sizes import EFFECT_OF_TEST
from nnunet_cardiac_ext.evaluation.comparison.hypothesis_tests import NAN, TESTS
from nnunet_cardiac_ext.evaluation.comparison.multiple_testing import CORRECTIONS
from nnunet_cardiac_ext.evaluation.summary import Statistics, statistics

UNITS = ("case", "subject")
Sample = Mapping[str, float]


@dataclass(frozen=True)
class ComparisonSettings:
    """How samples are compared.

    Attributes:
        test: A name of `hypothesis_tests.TESTS`.
        correction: A name of `multiple_testing.CORRECTIONS`, over all tests of one table.
        unit: "case", or "subject": the cases of a subject are averaged first.
        bootstrap: How the intervals are drawn.
    """

    test: str = "wilcoxon"
    correction: str = "holm"
    unit: str = "case"
    bootstrap: Bootstrap = DEFAULT

    def __post_init__(self) -> None:
        """Check the choices.

        Raises:
            UsageError: One is unknown or out of range.
        """
        for name, known in (("test", TESTS), ("correction", CORRECTIONS), ("unit", UNITS)):
            if getattr(self, name) not in known:
                raise UsageError(f"--{name}: expected one of {', '.join(known)}, got {getattr(self, name)!r}")
        if self.bootstrap.method not in METHODS:
            raise UsageError(f"bootstrap: expected one of {', '.join(METHODS)}, got {self.bootstrap.method!r}")
        if not 0 < self.bootstrap.level < 1:
            raise UsageError(f"--level: expected a number between 0 and 1, got {self.bootstrap.level:g}")
        if self.bootstrap.resamples < 1:
            raise UsageError(f"--resamples: expected at least 1, got {self.bootstrap.resamples}")


class ComparisonRow(NamedTuple):
    """One line of `comparison.csv`.

    Attributes:
        metric: Name of the metric.
        structure: What was scored.
        region: Where; empty where regions are compared.
        unit: Unit of the metric.
        convention: Definition of the metric.
        sample: Name of the model (or "model, region").
        n: Number of defined values.
        n_undefined: Number of NaN, left out.
        mean: Mean of the defined values.
        sd: Standard deviation (n - 1).
        median: Median.
        baseline: With what the sample is compared; empty in the baseline's own line.
        difference: Mean of sample minus baseline, over the pairs in a paired test, else of the two means.
        low: Lower limit of the difference's confidence interval.
        high: Upper limit.
        test: Name of the test.
        p: p-value, two-sided.
        p_corrected: p-value after the correction.
        correction: Name of the correction.
        effect: Effect size, positive where the sample is larger than the baseline.
        effect_name: Which effect size.
        n_pairs: Number of pairs (cases or subjects); of a test without pairs the smaller sample's number of values.
        n_left_out: Number of cases left out because one of both values is NaN; without pairs NaN of both samples.
        reason: Why there is no p-value.
    """

    metric: str
    structure: str
    region: str
    unit: str
    convention: str
    sample: str
    n: int
    n_undefined: int
    mean: float
    sd: float
    median: float
    baseline: str = ""
    difference: float = NAN
    low: float = NAN
    high: float = NAN
    test: str = ""
    p: float = NAN
    p_corrected: float = NAN
    correction: str = ""
    effect: float = NAN
    effect_name: str = ""
    n_pairs: int = 0
    n_left_out: int = 0
    reason: str = "baseline"


class Measured(NamedTuple):
    """What the samples of one comparison are values of: the first columns of `ComparisonRow`."""

    metric: str
    structure: str
    region: str
    unit: str
    convention: str


def compare_samples(
    measured: Measured,
    samples: Mapping[str, Sample],
    baseline: str,
    subjects: Mapping[str, str],
    settings: ComparisonSettings,
) -> list[ComparisonRow]:
    """Compare each sample with the baseline.

    Values are paired by case. Intervals are drawn by subject in either unit.

    Args:
        measured: What the values are.
        samples: Value by case, by name of the sample; NaN where undefined.
        baseline: Name of the sample that the others are compared with.
        subjects: Subject by case; a case that is not in it is a subject of its own.
        settings: How to compare.

    Returns:
        One row per sample, the baseline's first; `p_corrected` is NaN until `corrected`.
    """
    names = [baseline, *(name for name in samples if name != baseline)]
    return [_row(measured, name, samples, baseline, subjects, settings) for name in names]


def corrected(rows: Sequence[ComparisonRow], correction: str) -> list[ComparisonRow]:
    """Fill in `p_corrected`: all tests of the rows are one family."""
    values = CORRECTIONS[correction]([row.p for row in rows])
    return [row._replace(p_corrected=float(value)) for row, value in zip(rows, values, strict=True)]


def _row(
    measured: Measured,
    name: str,
    samples: Mapping[str, Sample],
    baseline: str,
    subjects: Mapping[str, str],
    settings: ComparisonSettings,
) -> ComparisonRow:
    found = _summary(samples[name], subjects, settings)
    row = ComparisonRow(*measured, name, found.n, found.n_undefined, found.mean, found.sd, found.median)
    if name == baseline:
        return row
    test = TESTS[settings.test]
    cases = _cases(samples[name], samples[baseline], paired=test.paired)
    both = np.array([[samples[key].get(case, NAN) for case in cases] for key in (name, baseline)]).reshape(2, -1)
    if test.paired:
        # A case without one of its values must not count for the other when a subject is averaged.
        both[:, ~np.isfinite(both).all(axis=0)] = NAN
    left_out = int(np.isnan(both[0] if test.paired else both).sum())
    owners = [subjects.get(case, case) for case in cases]
    if settings.unit == "subject":
        both, owners = _averaged(both, owners)
    result = test(both[0], both[1])
    difference, interval = _difference(both, owners, test.paired, settings)
    effect_name, effect_size = EFFECT_OF_TEST[settings.test]
    return row._replace(
        baseline=baseline, difference=difference, low=interval.low, high=interval.high, test=settings.test,
        p=result.p_value, correction=settings.correction, effect=effect_size(both[0], both[1]),
        effect_name=effect_name, n_pairs=min(result.n), n_left_out=left_out, reason=result.reason,
    )  # fmt: skip


def _summary(sample: Sample, subjects: Mapping[str, str], settings: ComparisonSettings) -> Statistics:
    values = np.array([list(sample.values())], dtype=float)
    if settings.unit == "subject":
        values, _ = _averaged(values, [subjects.get(case, case) for case in sample])
    return statistics(values[0])


def _cases(first: Sample, second: Sample, *, paired: bool) -> list[str]:
    """Cases of both samples in a paired test, of either otherwise."""
    return [case for case in first if case in second] if paired else list(dict.fromkeys((*first, *second)))


def _difference(
    both: np.ndarray, owners: Sequence[str], paired: bool, settings: ComparisonSettings
) -> tuple[float, Interval]:
    values, reference = both
    if paired:
        differences = values - reference
        return statistics(differences).mean, mean_interval(differences, owners, settings.bootstrap)
    difference = statistics(values).mean - statistics(reference).mean
    return difference, difference_interval(values, reference, (owners, owners), settings.bootstrap)


def _averaged(values: np.ndarray, owners: Sequence[str]) -> tuple[np.ndarray, list[str]]:
    """Mean of each subject's finite values, shape (sample, subject), NaN without one; and the subjects."""
    columns: dict[str, list[int]] = defaultdict(list)
    for column, owner in enumerate(owners):
        columns[owner].append(column)
    means = [[statistics(row[chosen]).mean for chosen in columns.values()] for row in values]
    return np.array(means).reshape(len(values), -1), list(columns)
