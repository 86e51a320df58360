"""What each section of the report shows, as plain data for the template."""

from __future__ import annotations

from typing import Any

import numpy as np

from nnunet_cardiac_ext.evaluation.agreement import Agreement, agreement
from nnunet_cardiac_ext.evaluation.clinical import QUANTITIES, ClinicalQuantity
from nnunet_cardiac_ext.evaluation.figures import (
    difference_figure,
    identity_figure,
    profile_figure,
    structure_colour,
)
from nnunet_cardiac_ext.evaluation.scoring import REGIONS, WHOLE
from nnunet_cardiac_ext.evaluation.summary import SummaryRow, statistics
from nnunet_cardiac_ext.evaluation.tables import Evaluation

# Quantities whose agreement is drawn; the others stand in clinical.csv.
DRAWN = ("lv_edv", "lv_esv", "lv_ef", "rv_edv", "rv_esv", "rv_ef")
UNIT_NAMES = {"percent": "%", "ml": "ml", "g": "g"}
# The difference of two percentages is in points.
DIFFERENCE_UNITS = UNIT_NAMES | {"percent": "points"}
MOST_WORTH_A_LOOK = 12
DISTANCES = ("hd95", "assd")


def number(value: float, digits: int = 2, *, signed: bool = False) -> str:
    """Return a number for the eye; a dash where it is undefined."""
    if not np.isfinite(value):
        return "–"
    text = f"{value:+.{digits}f}" if signed else f"{value:.{digits}f}"
    # A rounded zero has no sign, and a minus is no hyphen.
    text = text.lstrip("+-") if float(text) == 0 else text
    return text.replace("-", "−")


def structures(found: Evaluation) -> list[dict[str, str]]:
    """Return name and colour of each structure."""
    return [{"name": name, "colour": structure_colour(name, i)} for i, name in enumerate(found.facts["labels"])]


def subject_count(found: Evaluation) -> int:
    """Return the number of subjects; 0 where no case table tells."""
    return len({found.case_rows[case].subject for case in found.cases if case in found.case_rows})


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


def ejection_fractions(found: Evaluation) -> list[dict[str, Any]]:
    """Return the agreement of each ejection fraction that can be computed."""
    chosen = [quantity for quantity in QUANTITIES if quantity.name in ("lv_ef", "rv_ef")]
    results = [(quantity.title, _agreement(found, quantity)) for quantity in chosen]
    return [{"title": title, "agreement": result} for title, result in results if result.n]


def curves(found: Evaluation) -> list[dict[str, Any]]:
    """Return the base-to-apex figure of each structure."""
    drawn = []
    for i, (structure, profiles) in enumerate(found.profiles.items()):
        used = profiles[np.isfinite(profiles).any(axis=1)]
        if len(used):
            alt = f"Dice of {structure} from base to apex, mean of {len(used)} cases: {_ends(used)}"
            figure = profile_figure(used, structure_colour(structure, i), alt)
            drawn.append({"name": structure, "n": len(used), "figure": figure})
    return drawn


def agreements(found: Evaluation) -> list[dict[str, Any]]:
    """Return figures and numbers of each drawn quantity with at least two hearts."""
    drawn = []
    for quantity in (quantity for quantity in QUANTITIES if quantity.name in DRAWN):
        result = _agreement(found, quantity)
        if result.n >= 2:
            about = {"title": quantity.title, "difference_unit": DIFFERENCE_UNITS[quantity.unit], "agreement": result}
            drawn.append(about | _agreement_figures(found, quantity, result))
    return drawn


def group_tables(found: Evaluation) -> list[dict[str, Any]]:
    """Return per column of the case table one line per group: cases, Dice and HD95 of each structure."""
    tables = []
    for column in found.facts["by"]:
        rows = [row for row in found.summary if row.column == column and row.region == WHOLE]
        groups = dict.fromkeys(row.group for row in rows)
        sizes = {row.group: row.n + row.n_undefined for row in rows}
        lines = [{"group": g, "n": sizes[g], "cells": _group_cells(rows, g, found)} for g in groups]
        tables.append({"column": column, "lines": lines})
    return tables


def best_median_worst(found: Evaluation) -> list[tuple[str, str]]:
    """Return up to three cases by mean Dice over the structures: best, median, worst; fewer where there are fewer.

    Cases without a defined Dice (reference and prediction are empty) are chosen only where there are no others.
    """
    defined = [case for case in found.cases if np.isfinite(_case_dice(found, case))]
    ranked = sorted(defined or found.cases, key=lambda case: -_case_dice(found, case))
    if len(ranked) == 1:
        return [("Only case", ranked[0])]
    chosen = {"Best case": ranked[0], "Median case": ranked[len(ranked) // 2], "Worst case": ranked[-1]}
    if len(ranked) == 2:
        chosen.pop("Median case")
    return list(chosen.items())


def worth_a_look(found: Evaluation) -> list[dict[str, Any]]:
    """Return the cases with the lowest mean Dice, lowest first; before them those in which it is undefined."""
    ranked = sorted(found.cases, key=lambda case: np.nan_to_num(_case_dice(found, case), nan=-1.0))
    return [case_line(found, case) for case in ranked[:MOST_WORTH_A_LOOK]]


def case_line(found: Evaluation, case: str) -> dict[str, Any]:
    """Return what a table says of one case: subject, phase, group, Dice, HD95, and what is missing."""
    row = found.case_rows.get(case)
    names = list(found.facts["labels"])
    reasons = (found.values[case][name, WHOLE, "hd95"].reason for name in names)
    return {
        "case": case,
        "about": ", ".join(part for part in (row.phase, row.group) if part) if row else "",
        "mean": _case_dice(found, case),
        "dice": [found.value(case, name, "dice") for name in names],
        "hd95": [found.value(case, name, "hd95") for name in names],
        "notes": [f"{name} {reason}" for name, reason in zip(names, reasons, strict=True) if reason],
    }


def _case_dice(found: Evaluation, case: str) -> float:
    """Mean Dice over the structures that have one; NaN where none has."""
    return statistics(found.value(case, name, "dice") for name in found.facts["labels"]).mean


def _series(found: Evaluation, quantity: ClinicalQuantity) -> tuple[np.ndarray, np.ndarray]:
    columns = quantity.column("reference"), quantity.column("prediction")
    rows = [row for row in found.clinical if columns[0] in row]
    reference, prediction = (np.array([row[column] for row in rows]) for column in columns)
    return reference, prediction


def _agreement(found: Evaluation, quantity: ClinicalQuantity) -> Agreement:
    return agreement(*_series(found, quantity))


def _agreement_figures(found: Evaluation, quantity: ClinicalQuantity, result: Agreement) -> dict[str, str]:
    reference, prediction = _series(found, quantity)
    unit, difference_unit = UNIT_NAMES[quantity.unit], DIFFERENCE_UNITS[quantity.unit]
    identity_alt = f"{quantity.title}: prediction against reference, {result.n} hearts, r {number(result.correlation)}"
    difference_alt = (
        f"{quantity.title}: difference over mean, bias {number(result.bias, 1, signed=True)} {difference_unit}, limits "
        f"{number(result.lower, 1, signed=True)} to {number(result.upper, 1, signed=True)} {difference_unit}"
    )
    return {
        "identity": identity_figure(reference, prediction, unit, identity_alt),
        "difference": difference_figure(reference, prediction, result, unit, difference_unit, difference_alt),
    }


def _group_cells(rows: list[SummaryRow], group: str, found: Evaluation) -> list[SummaryRow]:
    table = {(row.metric, row.structure): row for row in rows if row.group == group}
    return [table[metric, name] for metric in ("dice", "hd95") for name in found.facts["labels"]]


def _ends(profiles: np.ndarray) -> str:
    mean = np.nanmean(profiles[:, np.isfinite(profiles).any(axis=0)], axis=0)
    return f"{mean[0]:.2f} at the base, {mean[len(mean) // 2]:.2f} in the middle, {mean[-1]:.2f} at the end"
