"""The tables of paper 002: Dice by region of the heart, and what a method changes there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from nnunet_cardiac_ext.evaluation.comparison.hypothesis_tests import TESTS
from nnunet_cardiac_ext.recipes import ModelRecipe, TableRecipe
from nnunet_cardiac_ext.reproduce.curves import draw_curves
from nnunet_cardiac_ext.reproduce.study import Study
from nnunet_cardiac_ext.reproduce.tables import Table

LABELS = ("LV", "MYO", "RV")
REGIONS = ("base", "middle", "apex")
PER_CENT = 100.0
# A slice of a structure, of one trained model: models of the same fold and seed score the same slices.
_Slice = tuple[str, str, str, str]


def table1(recipe: TableRecipe, study: Study, data_set: str) -> Table:
    """Make Table 1: mean and SD of the baseline's Dice by region, and Welch's test against the middle."""
    scores = _by_region(_slice_dice(study, study.recipe.models[0]))
    rows = []
    for label in LABELS:
        middle = scores.get((label, "middle"), {})
        for region in REGIONS:
            found = scores.get((label, region), {})
            values = np.array(list(found.values()))
            test = TESTS["welch"](values, np.array(list(middle.values())))
            rows.append(
                {"label": label, "region": region, "slices": len(values), "mean_percent": _mean(values),
                 "sd_percent": _sd(values), "p": "" if region == "middle" else test.p_value}
            )  # fmt: skip
    return Table(recipe, rows, data_set)


def table3(recipe: TableRecipe, study: Study, data_set: str) -> Table:
    """Make Table 3: change of mean and SD against the baseline, and the paired t-test over the same slices."""
    baseline, *others = study.chosen
    before = _by_region(_slice_dice(study, baseline))
    rows = [
        {"model": model.name, "label": label, "region": region} | changes
        for model in others
        for label, region, changes in _changes(before, _by_region(_slice_dice(study, model)))
    ]
    return Table(recipe, rows, data_set)


def figure2(recipe: TableRecipe, study: Study, data_set: str) -> Table:
    """Make figure 2: mean Dice along the heart by model, a panel per structure, and its numbers as csv."""
    curves = {model.title: _mean_profiles(study.rows(model, "profiles.csv")) for model in study.chosen}
    figure = study.output / f"{recipe.name}.png"
    draw_curves(figure, curves, labels=LABELS)
    rows = [
        {"model": title, "label": label, "position": position, "dice_percent": float(value)}
        for title, profiles in curves.items()
        for label in LABELS
        for position, value in enumerate(profiles.get(label, ()))
    ]
    return Table(recipe, rows, figure=figure)


def _slice_dice(study: Study, model: ModelRecipe) -> dict[tuple[str, str], dict[_Slice, float]]:
    """Dice in per cent by (structure, region) and slice; slices without the structure are left out."""
    found: dict[tuple[str, str], dict[_Slice, float]] = {}
    for row in study.rows(model, "slices.csv"):
        value = float(row["dice"] or "nan")
        if np.isfinite(value):
            key = row["fold"], row["seed"], row["case"], row["slice"]
            found.setdefault((row["structure"], row["region"]), {})[key] = PER_CENT * value
    return found


def _by_region(scores: Mapping[tuple[str, str], dict[_Slice, float]]) -> Mapping[tuple[str, str], dict[_Slice, float]]:
    return {key: found for key, found in scores.items() if key[1] in REGIONS}


def _changes(
    before: Mapping[tuple[str, str], dict[_Slice, float]], after: Mapping[tuple[str, str], dict[_Slice, float]]
) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for label in LABELS:
        for region in REGIONS:
            old, new = before.get((label, region), {}), after.get((label, region), {})
            # Where both leave a slice empty that the reference leaves empty too, only one of them may have a score.
            shared = sorted(old.keys() & new.keys())
            first, second = (np.array([found[key] for key in shared]) for found in (old, new))
            change = {
                "mean_change_points": _mean(second) - _mean(first), "sd_change_points": _sd(first) - _sd(second),
            }  # fmt: skip
            p = TESTS["paired-t"](second, first).p_value
            yield label, region, {"slices": len(shared), **change, "p": p}


def _mean_profiles(rows: Sequence[Mapping[str, str]]) -> dict[str, np.ndarray]:
    """Mean Dice in per cent by structure over the cases that have a value at a position, shape (101,)."""
    profiles: dict[str, list[list[float]]] = {}
    for row in rows:
        positions = sorted(int(name) for name in row if name.isdigit())
        profiles.setdefault(row["structure"], []).append([float(row[str(p)] or "nan") for p in positions])
    means = {}
    for structure, found in profiles.items():
        values = np.array(found)
        known = np.isfinite(values).sum(axis=0)
        means[structure] = PER_CENT * np.where(known > 0, np.nansum(values, axis=0) / np.maximum(known, 1), np.nan)
    return means


def _mean(values: np.ndarray) -> float:
    return float(values.mean()) if len(values) else float("nan")


def _sd(values: np.ndarray) -> float:
    return float(values.std(ddof=1)) if len(values) > 1 else float("nan")
