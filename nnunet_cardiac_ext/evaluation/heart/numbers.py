"""`subjects.csv`: the numbers of a heart at end-diastole and end-systole, with the reason of each that is undefined."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from nnunet_cardiac_ext.anatomy import MYOCARDIUM
from nnunet_cardiac_ext.evaluation.clinical import LV_MASS, QUANTITIES, ClinicalQuantity, clinical_numbers
from nnunet_cardiac_ext.evaluation.heart.body import HEART_RATE, HEIGHT, WEIGHT, Body

ML_PER_LITRE = 1000.0
# The images that a number needs, where it does not need both.
PHASES_OF = {
    LV_MASS.name: ("ED",), "lv_edv": ("ED",), "rv_edv": ("ED",), "lv_esv": ("ES",), "rv_esv": ("ES",),
}  # fmt: skip


def _output(name: str) -> ClinicalQuantity:
    definition = f"{name} cardiac output: stroke volume times heart rate."
    return ClinicalQuantity(f"{name.lower()}_co", f"{name} CO", "l_per_min", definition)


def _index(quantity: ClinicalQuantity) -> ClinicalQuantity:
    return ClinicalQuantity(
        f"{quantity.name}_index", f"{quantity.title} index", f"{quantity.unit}_per_m2",
        f"{quantity.title} over the body surface area (Mosteller).",
    )  # fmt: skip


OUTPUTS: tuple[ClinicalQuantity, ...] = (_output("LV"), _output("RV"))
INDEXED: tuple[ClinicalQuantity, ...] = tuple(q for q in (*QUANTITIES, *OUTPUTS) if q.unit != "percent")
INDICES: tuple[ClinicalQuantity, ...] = tuple(_index(quantity) for quantity in INDEXED)
BODY_SURFACE = ClinicalQuantity("body_surface", "Body surface", "m2", "sqrt(height weight / 3600) (Mosteller 1987).")
HEART_RATE_DURING_SCAN = ClinicalQuantity("heart_rate", "Heart rate", "bpm", "As the case table says.")
SUBJECT_QUANTITIES: tuple[ClinicalQuantity, ...] = (
    BODY_SURFACE, HEART_RATE_DURING_SCAN, *QUANTITIES, *OUTPUTS, *INDICES
)  # fmt: skip


@dataclass(frozen=True)
class SubjectNumbers:
    """The numbers of one heart.

    Attributes:
        values: Value by name of `SUBJECT_QUANTITIES`, in its unit.
        reasons: Why a value is NaN, by name.
    """

    values: dict[str, float]
    reasons: dict[str, str]

    @property
    def reason(self) -> str:
        """All reasons in one line, the quantities of each in brackets."""
        names = defaultdict(list)
        for name, reason in self.reasons.items():
            names[reason].append(name)
        return "; ".join(f"{reason} ({', '.join(found)})" for reason, found in names.items())


def subject_numbers(
    diastole: Mapping[str, float] | None, systole: Mapping[str, float] | None, body: Body
) -> SubjectNumbers:
    """Compute the numbers of a heart.

    Args:
        diastole: Volume in ml by structure at end-diastole; None without such an image.
        systole: The same at end-systole.
        body: Height, weight and heart rate.
    """
    values = {BODY_SURFACE.name: body.surface_m2, HEART_RATE_DURING_SCAN.name: body.heart_rate_bpm}
    values |= clinical_numbers(diastole or {}, systole or {})
    for ventricle in ("lv", "rv"):
        values[f"{ventricle}_co"] = values[f"{ventricle}_sv"] * body.heart_rate_bpm / ML_PER_LITRE
    values |= {f"{quantity.name}_index": values[quantity.name] / body.surface_m2 for quantity in INDEXED}
    images = {"ED": diastole, "ES": systole}
    undefined = [quantity.name for quantity in SUBJECT_QUANTITIES if math.isnan(values[quantity.name])]
    return SubjectNumbers(values, {name: _why(name, images, body) for name in undefined})


def _why(name: str, images: Mapping[str, Mapping[str, float] | None], body: Body) -> str:
    if name == BODY_SURFACE.name:
        return body.missing(HEIGHT, WEIGHT)
    if name == HEART_RATE_DURING_SCAN.name:
        return body.missing(HEART_RATE)
    base = name.removesuffix("_index")
    phases = PHASES_OF.get(base, ("ED", "ES"))
    missing = [f"no {phase} image" for phase in phases if images[phase] is None]
    if missing:
        return ", ".join(missing)
    structures = MYOCARDIUM if base == LV_MASS.name else (base[:2].upper(),)
    if any(not set(structures) & (images[phase] or {}).keys() for phase in phases):
        return f"no {structures[0]} label"
    if base.endswith("_ef"):
        return "EDV is 0"
    parts = ((HEART_RATE,) if base.endswith("_co") else ()) + ((HEIGHT, WEIGHT) if base != name else ())
    return body.missing(*parts)
