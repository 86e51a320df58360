"""Agreement of clinical numbers: scatter, Bland-Altman, bias, limits, ICC."""

from __future__ import annotations

from typing import Any

import numpy as np

from nnunet_cardiac_ext.evaluation.agreement import Agreement, agreement
from nnunet_cardiac_ext.evaluation.clinical import CASE_QUANTITIES, QUANTITIES, ClinicalQuantity
from nnunet_cardiac_ext.evaluation.reporting.figures import difference_figure, identity_figure
from nnunet_cardiac_ext.evaluation.reporting.words import difference_unit, number, unit_name
from nnunet_cardiac_ext.evaluation.tables import Evaluation

# Stroke volume follows from the others; it stands in clinical.csv.
NOT_DRAWN = frozenset(("lv_sv", "rv_sv"))
FRACTIONS = ("lv_ef", "rv_ef")


def quantities(found: Evaluation) -> list[ClinicalQuantity]:
    """Return the quantities that `clinical.csv` has: of subjects where phases are known, else of single images."""
    columns = found.clinical[0].keys() if found.clinical else frozenset()
    of_subjects = any(quantity.column("reference") in columns for quantity in QUANTITIES if "edv" in quantity.name)
    known = QUANTITIES if of_subjects else CASE_QUANTITIES
    return [quantity for quantity in known if quantity.column("reference") in columns]


def ejection_fractions(found: Evaluation) -> list[dict[str, Any]]:
    """Return the agreement of each ejection fraction that can be computed."""
    chosen = [quantity for quantity in quantities(found) if quantity.name in FRACTIONS]
    results = [(quantity.title, agreement(*_series(found, quantity))) for quantity in chosen]
    return [{"title": title, "agreement": result} for title, result in results if result.n]


def agreements(found: Evaluation) -> list[dict[str, Any]]:
    """Return figures and numbers of each quantity with at least two hearts."""
    items = []
    for quantity in (quantity for quantity in quantities(found) if quantity.name not in NOT_DRAWN):
        result = agreement(*_series(found, quantity))
        if result.n >= 2:
            about = {"title": quantity.title, "unit": difference_unit(quantity.unit), "agreement": result}
            items.append(about | _figures(found, quantity, result))
    return items


def _series(found: Evaluation, quantity: ClinicalQuantity) -> tuple[np.ndarray, np.ndarray]:
    columns = quantity.column("reference"), quantity.column("prediction")
    rows = [row for row in found.clinical if columns[0] in row]
    reference, prediction = (np.array([row[column] for row in rows]) for column in columns)
    return reference, prediction


def _figures(found: Evaluation, quantity: ClinicalQuantity, result: Agreement) -> dict[str, str]:
    reference, prediction = _series(found, quantity)
    unit, points = unit_name(quantity.unit), difference_unit(quantity.unit)
    identity_alt = (
        f"{quantity.title}: prediction against reference, {result.n} hearts, r {number(result.correlation)}, "
        f"ICC {number(result.icc_agreement)}"
    )
    difference_alt = (
        f"{quantity.title}: difference over mean, bias {number(result.bias, 1, signed=True)} {points}, limits "
        f"{number(result.lower, 1, signed=True)} to {number(result.upper, 1, signed=True)} {points}"
    )
    return {
        "identity": identity_figure(reference, prediction, unit, identity_alt),
        "difference": difference_figure(reference, prediction, result, unit, points, difference_alt),
    }
