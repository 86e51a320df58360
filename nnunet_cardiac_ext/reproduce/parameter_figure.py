"""Size of each model against its score, as figure 5 of paper 003 has it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from nnunet_cardiac_ext.files import written_whole
from nnunet_cardiac_ext.recipes import ModelRecipe, TableRecipe
from nnunet_cardiac_ext.reproduce.parameters import count_parameters
from nnunet_cardiac_ext.reproduce.score_tables import WHOLE, defined_values, read_scores
from nnunet_cardiac_ext.reproduce.slice_scores import mean
from nnunet_cardiac_ext.reproduce.study import Study
from nnunet_cardiac_ext.reproduce.tables import Table

MILLION = 1e6


def size_and_score(recipe: TableRecipe, study: Study, data_set: str) -> Table | None:
    """Make the figure of parameters against the mean score over all structures, and its numbers as csv.

    The score is the first metric of the table's options. None where fewer than two models are shown.
    """
    shown = [row for row in study.shown(recipe) if isinstance(row, ModelRecipe)]
    if len(shown) < 2:
        return None
    (metric, *_) = recipe.options["metrics"]
    rows = []
    for model in shown:
        scores = _mean_over_structures(read_scores(recipe, study, model), metric)
        size = count_parameters(study.weights(model))
        rows.append({"model": model.name, "parameters": size, f"{metric}_mean": scores})
    figure = study.output / f"{recipe.name}.png"
    _draw(figure, {model.title: row for model, row in zip(shown, rows, strict=True)}, metric)
    return Table(recipe, rows, data_set, figure=figure)


def _mean_over_structures(found: Mapping[Any, Mapping[Any, float]], metric: str) -> float:
    means = [
        mean(defined_values(values))
        for place, values in found.items()
        if place.metric == metric and place.region == WHOLE
    ]
    return mean(np.array(means))


def _draw(path: Path, rows: Mapping[str, Mapping[str, Any]], metric: str) -> None:
    figure = Figure(figsize=(6, 4), layout="constrained")
    panel = figure.subplots()
    sizes = [row["parameters"] for row in rows.values()]
    for title, row in rows.items():
        point = row["parameters"] / MILLION, row[f"{metric}_mean"]
        panel.plot(*point, "o", color="#0072b2")
        # Names point inwards: one of a large network would leave the picture.
        left = 2 * row["parameters"] > min(sizes) + max(sizes)
        panel.annotate(
            title, point, xytext=(-5 if left else 5, 5), ha="right" if left else "left",
            textcoords="offset points", fontsize=8,
        )  # fmt: skip
    panel.set(xlabel="parameters, millions", ylabel=f"mean {metric}", xmargin=0.25, ymargin=0.2)
    panel.grid(color="0.9")
    with written_whole(path) as partial:
        figure.savefig(partial, dpi=150, format="png")
