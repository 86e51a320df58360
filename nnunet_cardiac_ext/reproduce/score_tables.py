"""Tables of whole-case scores: a recipe says which metrics, structures and regions stand in its columns and rows.

Options of their `TableRecipe`:

    metrics: names of metrics, a pair of columns each.
    percent: those of them that are shown times 100.
    structures: which structures; none: all that were scored.
    regions: which regions (default: the whole heart, "all").
    convention: by which convention they were scored (default: this package's own).
    parameters: whether a column tells each model's number of trainable parameters.
    against: name of the model or pipeline that the others are tested against (default: the first).
    test: name of the test (`evaluation.comparison.hypothesis_tests.TESTS`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from nnunet_cardiac_ext.evaluation.comparison.hypothesis_tests import TESTS
from nnunet_cardiac_ext.evaluation.metrics import CONVENTION
from nnunet_cardiac_ext.recipes import ModelRecipe, TableRecipe
from nnunet_cardiac_ext.reproduce.parameters import count_parameters
from nnunet_cardiac_ext.reproduce.slice_scores import PER_CENT, mean, standard_deviation, with_corrections
from nnunet_cardiac_ext.reproduce.study import Row, Study
from nnunet_cardiac_ext.reproduce.tables import Table

WHOLE = "all"


class Place(NamedTuple):
    """What a number is of."""

    structure: str
    region: str
    metric: str


class Case(NamedTuple):
    """A case of one trained model: models of the same fold and seed score the same cases."""

    fold: str
    seed: str
    case: str


Scores = dict[Place, dict[Case, float]]


def scores(recipe: TableRecipe, study: Study, data_set: str) -> Table | None:
    """Make the table of means and SD over the cases of all folds and seeds.

    NaN are left out; a column METRIC_n counts the values of a metric that has some.
    """
    if not study.segmentations:
        return None
    metrics = recipe.options["metrics"]
    rows = []
    for row in study.shown(recipe):
        found = read_scores(recipe, study, row)
        parameters = {"parameters": _parameters(study, row)} if recipe.options.get("parameters") else {}
        for structure, region in _lines(recipe, found):
            values = {name: found.get(Place(structure, region, name), {}) for name in metrics}
            cases = len({case for scored in values.values() for case in scored})
            line: dict[str, Any] = {"model": row.name, "structure": structure, "region": region, "cases": cases}
            rows.append(line | parameters | _moments(values))
    complete = [f"{name}_n" for name in metrics if all(row[f"{name}_n"] == row["cases"] for row in rows)]
    return Table(recipe, [{key: row[key] for key in row if key not in complete} for row in rows], data_set)


def score_tests(recipe: TableRecipe, study: Study, data_set: str) -> Table | None:
    """Make the table of tests between models; of several seeds each case counts once, with its mean over them."""
    shown = study.shown(recipe)
    name = recipe.options.get("against")
    against = next((row for row in shown if name in (None, row.name)), None)
    others = [row for row in shown if row is not against]
    if against is None or not others:
        return None
    test = TESTS[recipe.options["test"]]
    usual = read_scores(recipe, study, against)
    rows = []
    for row in others:
        found = read_scores(recipe, study, row)
        for structure, region in _lines(recipe, found):
            for metric in recipe.options["metrics"]:
                place = Place(structure, region, metric)
                first, second = _paired(found.get(place, {}), usual.get(place, {}))
                known = np.isfinite(first) & np.isfinite(second)
                result = test(first, second)
                rows.append(
                    {"model": row.name, "against": against.name, **place._asdict(), "cases": int(known.sum()),
                     "mean_difference": mean((first - second)[known]), "p": result.p_value}
                )  # fmt: skip
    return Table(recipe, with_corrections(rows), data_set)


def score_seeds(recipe: TableRecipe, study: Study, data_set: str) -> Table | None:
    """Make the table of seeds: the mean over the cases of each seed, then mean and SD over the seeds."""
    rows = []
    for row in study.shown(recipe):
        found = read_scores(recipe, study, row)
        seeds = ["" if seed is None else str(seed) for seed in study.seeds_of(row)]
        for structure, region in _lines(recipe, found):
            for metric in recipe.options["metrics"]:
                place = Place(structure, region, metric)
                scored = found.get(place, {})
                of_seeds = ({case: scored[case] for case in scored if case.seed == seed} for seed in seeds)
                means = [mean(defined_values(of_seed)) for of_seed in of_seeds]
                rows.append(
                    {"model": row.name, **place._asdict(), "seeds": len(seeds), "mean": mean(np.array(means)),
                     "sd_over_seeds": standard_deviation(np.array(means)),
                     "by_seed": " ".join(f"{value:.4g}" for value in means)}
                )  # fmt: skip
    return Table(recipe, rows) if rows else None


def read_scores(recipe: TableRecipe, study: Study, row: Row) -> Scores:
    """Return what `metrics.csv` of a model or pipeline says, by place and case, in the table's convention."""
    metrics = recipe.options["metrics"]
    convention = recipe.options.get("convention", CONVENTION)
    found: Scores = {}
    for line in study.rows(row, "metrics.csv"):
        if line["metric"] in metrics and line["convention"] == convention:
            factor = PER_CENT if line["metric"] in recipe.options.get("percent", ()) else 1.0
            place = Place(line["structure"], line["region"], line["metric"])
            case = Case(line["fold"], line["seed"], line["case"])
            found.setdefault(place, {})[case] = factor * float(line["value"] or "nan")
    return found


def defined_values(scores: Mapping[Case, float]) -> np.ndarray:
    """Return the values without NaN, shape (case,)."""
    return np.array([value for value in scores.values() if np.isfinite(value)], float)


def _lines(recipe: TableRecipe, found: Scores) -> Iterator[tuple[str, str]]:
    """Yield structure and region of each line, structures in the order of the evaluation."""
    structures = recipe.options.get("structures") or list(dict.fromkeys(place.structure for place in found))
    for structure in structures:
        yield from ((structure, region) for region in recipe.options.get("regions", (WHOLE,)))


def _moments(values: Mapping[str, Mapping[Case, float]]) -> dict[str, Any]:
    """Return mean, SD and number of the defined values of each metric."""
    moments: dict[str, Any] = {}
    for metric, scored in values.items():
        known = defined_values(scored)
        moments |= {f"{metric}_mean": mean(known), f"{metric}_sd": standard_deviation(known), f"{metric}_n": len(known)}
    return moments


def _paired(first: Mapping[Case, float], second: Mapping[Case, float]) -> tuple[np.ndarray, np.ndarray]:
    """Return the values of the cases that both have, each the mean over its seeds, in one order."""
    one, other = _over_seeds(first), _over_seeds(second)
    shared = sorted(one.keys() & other.keys())
    return np.array([one[key] for key in shared], float), np.array([other[key] for key in shared], float)


def _over_seeds(values: Mapping[Case, float]) -> dict[tuple[str, str], float]:
    """Return the mean over the seeds by fold and case; NaN where the number is undefined for one of them."""
    by_case: dict[tuple[str, str], list[float]] = {}
    for case, value in values.items():
        by_case.setdefault((case.fold, case.case), []).append(value)
    return {key: float(np.mean(found)) for key, found in by_case.items()}


def _parameters(study: Study, row: Row) -> int | str:
    """Return the number of trainable parameters of a model; empty for a pipeline of several."""
    return count_parameters(study.weights(row)) if isinstance(row, ModelRecipe) else ""
