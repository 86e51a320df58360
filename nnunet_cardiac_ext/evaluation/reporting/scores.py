"""Sections of an evaluation: overlap by region, Dice along the heart, groups."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from nnunet_cardiac_ext.evaluation.reporting.figures import profile_figure
from nnunet_cardiac_ext.evaluation.reporting.svg import structure_colour
from nnunet_cardiac_ext.evaluation.scoring import REGIONS, WHOLE
from nnunet_cardiac_ext.evaluation.summary import SummaryRow
from nnunet_cardiac_ext.evaluation.tables import Evaluation

DISTANCES = ("hd95", "assd")
# A column of the case table with more groups than this is no grouping; the rest stands in summary.csv.
MOST_GROUPS = 40


def structures(labels: Iterable[str]) -> list[dict[str, str]]:
    """Return name and colour of each structure."""
    return [{"name": name, "colour": structure_colour(name, i)} for i, name in enumerate(labels)]


def overlap_table(found: Evaluation) -> list[dict[str, Any]]:
    """Return per structure the statistics of Dice by region and of the distances."""
    overall = {(row.structure, row.region, row.metric): row for row in found.summary if not row.column}
    return [
        {
            "name": structure,
            "dice": [overall[structure, region, "dice"] for region in REGIONS],
            "distances": [overall[structure, WHOLE, metric] for metric in DISTANCES],
        }
        for structure in found.facts["labels"]
    ]


def curves(found: Evaluation) -> list[dict[str, Any]]:
    """Return the base-to-apex figure of each structure."""
    figures = []
    for i, (structure, profiles) in enumerate(found.profiles.items()):
        used = profiles[np.isfinite(profiles).any(axis=1)]
        if len(used):
            alt = f"Dice of {structure} from base to apex, median of {len(used)} cases: {_ends(used)}"
            figure = profile_figure(used, structure_colour(structure, i), alt)
            figures.append({"name": structure, "n": len(used), "figure": figure})
    return figures


def group_tables(found: Evaluation) -> list[dict[str, Any]]:
    """Return per column of the case table one line per group: cases, Dice and HD95 of each structure."""
    tables = []
    for column in found.facts["by"]:
        rows = [row for row in found.summary if row.column == column and row.region == WHOLE]
        groups = list(dict.fromkeys(row.group for row in rows))
        sizes = {row.group: row.n + row.n_undefined for row in rows}
        lines = [{"group": g, "n": sizes[g], "cells": _group_cells(rows, g, found)} for g in groups[:MOST_GROUPS]]
        tables.append({"column": column, "lines": lines, "left_out": max(0, len(groups) - MOST_GROUPS)})
    return tables


def _group_cells(rows: list[SummaryRow], group: str, found: Evaluation) -> list[SummaryRow]:
    table = {(row.metric, row.structure): row for row in rows if row.group == group}
    return [table[metric, name] for metric in ("dice", "hd95") for name in found.facts["labels"]]


def _ends(profiles: np.ndarray) -> str:
    median = np.nanmedian(profiles[:, np.isfinite(profiles).any(axis=0)], axis=0)
    return f"{median[0]:.2f} at the base, {median[len(median) // 2]:.2f} in the middle, {median[-1]:.2f} at the end"
