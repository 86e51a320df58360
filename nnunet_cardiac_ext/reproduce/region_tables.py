"""Tables 1 and 3 and figure 2 of paper 002: Dice by region of the heart, and what a method changes there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from nnunet_cardiac_ext.evaluation.comparison.hypothesis_tests import TESTS
from nnunet_cardiac_ext.recipes import TableRecipe
from nnunet_cardiac_ext.reproduce.curves import draw_curves
from nnunet_cardiac_ext.reproduce.slice_scores import (
    LABELS,
    PER_CENT,
    REGIONS,
    Scores,
    count_false_alarms,
    mean,
    read_slice_dice,
    shared_values,
    standard_deviation,
    values_of,
    with_corrections,
)
from nnunet_cardiac_ext.reproduce.study import Study
from nnunet_cardiac_ext.reproduce.tables import Table

_PLACES = [(label, region) for label in LABELS for region in REGIONS]


def table1(recipe: TableRecipe, study: Study, data_set: str) -> Table | None:
    """Make Table 1: mean and SD of the baseline's Dice by region, and Welch's test against the middle."""
    if not study.segmentations:
        return None
    scores = read_slice_dice(study, study.segmentations[0])
    rows = []
    for label, region in _PLACES:
        values, middle = (values_of(scores.get((label, name), {})) for name in (region, "middle"))
        p = "" if region == "middle" else TESTS["welch"](values, middle).p_value
        rows.append(
            {"label": label, "region": region, "slices": len(values), "mean_percent": mean(values),
             "sd_percent": standard_deviation(values), "p": p}
        )  # fmt: skip
    return Table(recipe, with_corrections(rows), data_set)


def table3(recipe: TableRecipe, study: Study, data_set: str) -> Table | None:
    """Make Table 3: change of mean and SD against the baseline, and the paired t-test over the same slices."""
    if len(study.segmentations) < 2:
        return None
    baseline, *others = study.segmentations
    before, usual_alarms = read_slice_dice(study, baseline), count_false_alarms(study, baseline)
    rows = []
    for other in others:
        after, alarms = read_slice_dice(study, other), count_false_alarms(study, other)
        for place in _PLACES:
            key = {"model": other.name, "label": place[0], "region": place[1]}
            counts = {"false_alarms": alarms[place], "baseline_false_alarms": usual_alarms[place]}
            rows.append(key | _change(before.get(place, {}), after.get(place, {})) | counts)
    return Table(recipe, with_corrections(rows), data_set)


def seeds(recipe: TableRecipe, study: Study, data_set: str) -> Table | None:
    """Make the table of seeds: the mean over the slices of each seed, then mean and SD over the seeds."""
    if not study.segmentations:
        return None
    before = read_slice_dice(study, study.segmentations[0])
    rows = []
    for row in study.segmentations:
        after = read_slice_dice(study, row)
        for place in _PLACES:
            split = (_by_seed(found.get(place, {}), study.seeds_of(row)) for found in (before, after))
            spread = _over_seeds(list(zip(*split, strict=True)))
            if row is study.segmentations[0]:
                spread |= {"change_points": "", "change_sd_over_seeds": ""}
            rows.append({"model": row.name, "label": place[0], "region": place[1]} | spread)
    return Table(recipe, rows)


def figure2(recipe: TableRecipe, study: Study, data_set: str) -> Table | None:
    """Make figure 2: mean Dice along the heart by model, a panel per structure, and its numbers as csv."""
    shown = study.shown(recipe)
    if len(shown) < 2:
        return None
    curves = {row.title: _mean_profiles(study.rows(row, "profiles.csv")) for row in shown}
    figure = study.output / f"{recipe.name}.png"
    draw_curves(figure, curves, labels=LABELS)
    rows = [
        {"model": title, "label": label, "position": position, "dice_percent": float(value)}
        for title, profiles in curves.items()
        for label in LABELS
        for position, value in enumerate(profiles.get(label, ()))
    ]
    return Table(recipe, rows, figure=figure)


def _change(before: Scores, after: Scores) -> dict[str, Any]:
    old, new = shared_values(before, after)
    return {
        "slices": len(new), "mean_percent": mean(new), "sd_percent": standard_deviation(new),
        "mean_change_points": mean(new) - mean(old),
        "sd_change_points": standard_deviation(old) - standard_deviation(new),
        "p": TESTS["paired-t"](new, old).p_value,
    }  # fmt: skip


def _by_seed(scores: Scores, seeds: Sequence[int | None]) -> list[Scores]:
    names = ["" if seed is None else str(seed) for seed in seeds]
    return [{key: value for key, value in scores.items() if key.seed == name} for name in names]


def _over_seeds(pairs: Sequence[tuple[Scores, Scores]]) -> dict[str, Any]:
    """Return mean and SD over the seeds, given the baseline's and the row's slices of each seed."""
    means = np.array([mean(values_of(after)) for _, after in pairs])
    shared = [shared_values(before, after) for before, after in pairs]
    changes = np.array([mean(new) - mean(old) for old, new in shared])
    return {
        "seeds": len(pairs), "mean_percent": mean(means), "sd_over_seeds": standard_deviation(means),
        "change_points": mean(changes), "change_sd_over_seeds": standard_deviation(changes),
        "by_seed": " ".join(f"{value:.2f}" for value in means),
    }  # fmt: skip


def _mean_profiles(lines: Sequence[Mapping[str, str]]) -> dict[str, np.ndarray]:
    """Mean Dice in per cent by structure over the cases that have a value at a position, shape (101,)."""
    profiles: dict[str, list[list[float]]] = {}
    for line in lines:
        positions = sorted(int(name) for name in line if name.isdigit())
        profiles.setdefault(line["structure"], []).append([float(line[str(p)] or "nan") for p in positions])
    means = {}
    for structure, found in profiles.items():
        values = np.array(found)
        known = np.isfinite(values).sum(axis=0)
        means[structure] = PER_CENT * np.where(known > 0, np.nansum(values, axis=0) / np.maximum(known, 1), np.nan)
    return means
