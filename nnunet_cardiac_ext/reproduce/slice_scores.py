"""Dice of single slices, as the evaluations of a study hold it, and what the tables make of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from nnunet_cardiac_ext.evaluation.comparison.multiple_testing import CORRECTIONS
from nnunet_cardiac_ext.reproduce.study import Row, Study

LABELS = ("LV", "MYO", "RV")
REGIONS = ("base", "middle", "apex")
PER_CENT = 100.0


class Slice(NamedTuple):
    """A slice of one trained model: models of the same fold and seed score the same slices."""

    fold: str
    seed: str
    case: str
    slice: str


# Dice in per cent of each slice.
Scores = Mapping[Slice, float]


def read_slice_dice(study: Study, row: Row) -> dict[tuple[str, str], dict[Slice, float]]:
    """Return Dice in per cent by (structure, region) and slice.

    Slices that neither reference nor prediction hold the structure in are left out.
    """
    found: dict[tuple[str, str], dict[Slice, float]] = {}
    for line in study.rows(row, "slices.csv"):
        value = float(line["dice"] or "nan")
        if np.isfinite(value):
            key = Slice(line["fold"], line["seed"], line["case"], line["slice"])
            found.setdefault((line["structure"], line["region"]), {})[key] = PER_CENT * value
    return found


def count_false_alarms(study: Study, row: Row) -> Counter[tuple[str, str]]:
    """Return by (structure, region) the number of slices that hold the structure in the prediction only."""
    return Counter(
        (line["structure"], line["region"])
        for line in study.rows(row, "slices.csv")
        if float(line["reference_area_mm2"]) == 0 and float(line["predicted_area_mm2"]) > 0
    )


def values_of(scores: Scores) -> np.ndarray:
    """Return the values, shape (slice,)."""
    return np.array(list(scores.values()), dtype=float)


def shared_values(first: Scores, second: Scores) -> tuple[np.ndarray, np.ndarray]:
    """Return the values of the slices that both have, in one order, each of shape (slice,).

    Where both leave a slice empty that the reference leaves empty too, only one of them may have a score.
    """
    shared = sorted(first.keys() & second.keys())
    return np.array([first[key] for key in shared], float), np.array([second[key] for key in shared], float)


def mean(values: np.ndarray) -> float:
    """Return the mean; NaN of nothing."""
    return float(values.mean()) if len(values) else float("nan")


def standard_deviation(values: np.ndarray) -> float:
    """Return the standard deviation with n - 1; NaN of fewer than two values."""
    return float(values.std(ddof=1)) if len(values) > 1 else float("nan")


def with_corrections(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the rows with `p_holm` and `p_bh` beside `p`, all tests of the rows taken as one family.

    A row without a test has an empty `p`, and empty corrections.
    """
    p_values = [float("nan") if row["p"] == "" else row["p"] for row in rows]
    columns = {f"p_{name}": CORRECTIONS[name](p_values) for name in ("holm", "bh")}
    return [
        dict(row) | {name: "" if row["p"] == "" else float(values[index]) for name, values in columns.items()}
        for index, row in enumerate(rows)
    ]
