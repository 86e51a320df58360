"""Clinical numbers: volumes, ejection fraction and myocardial mass, of the reference and of the prediction."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from nnunet_cardiac_ext.anatomy import INFARCT, MYOCARDIAL_DENSITY, MYOCARDIUM
from nnunet_cardiac_ext.case_table import CaseRow
from nnunet_cardiac_ext.errors import UsageError
from nnunet_cardiac_ext.evaluation.scoring import WHOLE, MetricRow

NAN = float("nan")
SIDES: Mapping[str, str] = MappingProxyType({"reference": "reference_volume", "prediction": "predicted_volume"})

# Columns of `clinical.csv` that are no numbers.
CLINICAL_NAMES = frozenset(("case", "subject", "ed_case", "es_case"))


@dataclass(frozen=True)
class ClinicalQuantity:
    """A clinical number.

    Attributes:
        name: Start of its columns in `clinical.csv`; the unit follows.
        title: How captions call it.
        unit: "ml", "percent", "g"; of an index also "ml_per_m2" and the like.
        definition: How it is computed.
        structures: The labels that it is made of: without any of them it has no column; empty where that is not said.
    """

    name: str
    title: str
    unit: str
    definition: str
    structures: tuple[str, ...] = ()

    @property
    def header(self) -> str:
        """Its column in a table of one side."""
        return f"{self.name}_{self.unit}"

    def column(self, side: str) -> str:
        """Return the column of one side: "reference", "prediction" or "difference" (prediction minus reference)."""
        return f"{self.header}_{side}"


def _ventricle(name: str) -> tuple[ClinicalQuantity, ...]:
    lower = name.lower()
    return (
        ClinicalQuantity(f"{lower}_edv", f"{name} EDV", "ml", f"{name} cavity volume at end-diastole.", (name,)),
        ClinicalQuantity(f"{lower}_esv", f"{name} ESV", "ml", f"{name} cavity volume at end-systole.", (name,)),
        ClinicalQuantity(f"{lower}_sv", f"{name} SV", "ml", "Stroke volume, EDV minus ESV; never clipped.", (name,)),
        ClinicalQuantity(
            f"{lower}_ef", f"{name} EF", "percent",
            "Ejection fraction, 100 (EDV − ESV) / EDV; never clipped, undefined where EDV is 0.", (name,),
        ),
    )  # fmt: skip


def _lesion_quantities(
    name: str, title: str, parts: str, structures: tuple[str, ...]
) -> tuple[ClinicalQuantity, ClinicalQuantity]:
    return (
        ClinicalQuantity(
            f"{name}_mass", f"{title} mass", "g", f"{parts}: volume times {MYOCARDIAL_DENSITY} g/ml.", structures
        ),
        ClinicalQuantity(
            f"{name}_of_lv_mass", f"{title} of LV mass", "percent",
            f"{parts}: share of the whole myocardium; undefined where there is none.", structures,
        ),
    )  # fmt: skip


LV_MASS = ClinicalQuantity(
    "lv_mass", "LV mass", "g", f"Volume of the LV myocardium at end-diastole times {MYOCARDIAL_DENSITY} g/ml.",
    MYOCARDIUM,
)  # fmt: skip
QUANTITIES: tuple[ClinicalQuantity, ...] = (*_ventricle("LV"), *_ventricle("RV"), LV_MASS)
# Without phases: what a single image tells.
CASE_QUANTITIES: tuple[ClinicalQuantity, ...] = (
    ClinicalQuantity("lv_volume", "LV volume", "ml", "LV cavity volume of the image.", ("LV",)),
    ClinicalQuantity("rv_volume", "RV volume", "ml", "RV cavity volume of the image.", ("RV",)),
    ClinicalQuantity(
        "lv_mass", "LV mass", "g", f"Volume of the LV myocardium times {MYOCARDIAL_DENSITY} g/ml.", MYOCARDIUM
    ),
    *_lesion_quantities("infarct", "Infarct", "Infarct and no-reflow", ("INFARCT",)),
    *_lesion_quantities("noreflow", "No-reflow", "No-reflow (MVO)", ("NOREFLOW",)),
)


def clinical_numbers(end_diastole: Mapping[str, float], end_systole: Mapping[str, float]) -> dict[str, float]:
    """Compute the clinical numbers of one heart.

    Args:
        end_diastole: Volume in ml by structure (LV, RV, MYO) at end-diastole; an absent structure is unknown.
        end_systole: The same at end-systole.

    Returns:
        Value by name of `QUANTITIES` in its unit; NaN where it cannot be computed. EF is NaN where EDV is 0, and
        negative where ESV exceeds EDV.
    """
    numbers: dict[str, float] = {}
    for ventricle in ("LV", "RV"):
        diastolic, systolic = end_diastole.get(ventricle, NAN), end_systole.get(ventricle, NAN)
        stroke = diastolic - systolic
        fraction = 100 * stroke / diastolic if diastolic else NAN
        names = (f"{ventricle.lower()}_{key}" for key in ("edv", "esv", "sv", "ef"))
        numbers |= dict(zip(names, (diastolic, systolic, stroke, fraction), strict=True))
    return numbers | {"lv_mass": _mass(end_diastole)}


def case_numbers(volumes: Mapping[str, float]) -> dict[str, float]:
    """Return the numbers of a single image (`CASE_QUANTITIES`) from volumes in ml by structure."""
    numbers = {"lv_volume": volumes.get("LV", NAN), "rv_volume": volumes.get("RV", NAN), "lv_mass": _mass(volumes)}
    for name, parts in (("infarct", INFARCT), ("noreflow", ("NOREFLOW",))):
        numbers[f"{name}_mass"], numbers[f"{name}_of_lv_mass"] = lesion(volumes, parts)
    return numbers


def lesion(volumes: Mapping[str, float], parts: Sequence[str]) -> tuple[float, float]:
    """Return the mass in g of a part of the myocardium, and its share of the whole myocardium in percent.

    Args:
        volumes: Volume in ml by structure.
        parts: The structures that make up the part.

    Returns:
        Both NaN where none of `parts` is known; the share also where there is no myocardium.
    """
    known = [volumes[name] for name in parts if name in volumes]
    if not known:
        return NAN, NAN
    muscle = myocardial_volume(volumes)
    return sum(known) * MYOCARDIAL_DENSITY, 100 * sum(known) / muscle if muscle > 0 else NAN


def myocardial_volume(volumes: Mapping[str, float]) -> float:
    """Return the volume of the whole LV myocardium, infarct and no-reflow included; NaN where none of it is known."""
    parts = [volumes[name] for name in MYOCARDIUM if name in volumes]
    return sum(parts) if parts else NAN


def check_phases(cases: Sequence[CaseRow], scored: Container[str]) -> None:
    """Raise UsageError if the case table gives a subject two of the scored cases in the same phase."""
    phases_by_subject(cases, scored)


def phases_by_subject(cases: Sequence[CaseRow], scored: Container[str]) -> dict[str, dict[str, str]]:
    """Return the case of each phase (ED, ES) by subject, of those cases that are in `scored`.

    A subject with several time points (`case_table.TIME_POINT`) counts as one at each: `SUBJECT_TIME`.

    Raises:
        UsageError: A subject has two of them in the same phase at the same time.
    """
    subjects: dict[str, dict[str, str]] = defaultdict(dict)
    for row in sorted(cases, key=lambda row: (row.subject, row.case)):
        if row.case not in scored or row.phase not in ("ED", "ES"):
            continue
        other = subjects[row.visit].setdefault(row.phase, row.case)
        if other != row.case:
            raise UsageError(f"cases.csv: expected one {row.phase} case of {row.visit}, got {other} and {row.case}")
    return dict(subjects)


def clinical_table(rows: Iterable[MetricRow], cases: Sequence[CaseRow]) -> tuple[list[dict[str, Any]], list[str]]:
    """Build `clinical.csv`: one line per subject, or per case where no phases are known.

    Args:
        rows: The rows of `metrics.csv`.
        cases: The case table, or nothing.

    Returns:
        The lines and the header. Each quantity whose structures were scored has three columns: reference,
        prediction, difference.

    Raises:
        UsageError: A subject has two scored cases of the same phase.
    """
    volumes = _volumes_by_case(rows)
    subjects = phases_by_subject(cases, volumes)
    if not subjects:
        chosen = _scored(CASE_QUANTITIES, volumes)
        lines = [{"case": case} | _line(chosen, *map(case_numbers, sides)) for case, sides in volumes.items()]
        return lines, ["case", *_columns(chosen)]
    lines, chosen = [], _scored(QUANTITIES, volumes)
    nothing: tuple[dict[str, float], dict[str, float]] = ({}, {})
    for subject, phases in subjects.items():
        diastole, systole = (volumes.get(phases.get(phase, ""), nothing) for phase in ("ED", "ES"))
        sides = [clinical_numbers(*phase_pair) for phase_pair in zip(diastole, systole, strict=True)]
        names = {"subject": subject, "ed_case": phases.get("ED", ""), "es_case": phases.get("ES", "")}
        lines.append(names | _line(chosen, *sides))
    return lines, ["subject", "ed_case", "es_case", *_columns(chosen)]


def _mass(volumes: Mapping[str, float]) -> float:
    return myocardial_volume(volumes) * MYOCARDIAL_DENSITY


def _volumes_by_case(rows: Iterable[MetricRow]) -> dict[str, tuple[dict[str, float], dict[str, float]]]:
    volumes: dict[str, tuple[dict[str, float], dict[str, float]]] = {}
    metrics = list(SIDES.values())
    for row in rows:
        if row.region == WHOLE and row.metric in metrics:
            volumes.setdefault(row.case, ({}, {}))[metrics.index(row.metric)][row.structure] = row.value
    return volumes


def _scored(
    quantities: Sequence[ClinicalQuantity], volumes: Mapping[str, tuple[Mapping[str, float], Mapping[str, float]]]
) -> list[ClinicalQuantity]:
    known = {structure for sides in volumes.values() for side in sides for structure in side}
    return [quantity for quantity in quantities if known.intersection(quantity.structures)]


def _line(
    quantities: Sequence[ClinicalQuantity], reference: Mapping[str, float], prediction: Mapping[str, float]
) -> dict[str, float]:
    line: dict[str, float] = {}
    for quantity in quantities:
        line[quantity.column("reference")] = reference[quantity.name]
        line[quantity.column("prediction")] = prediction[quantity.name]
        line[quantity.column("difference")] = prediction[quantity.name] - reference[quantity.name]
    return line


def _columns(quantities: Sequence[ClinicalQuantity]) -> list[str]:
    return [quantity.column(side) for quantity in quantities for side in (*SIDES, "difference")]
