"""What the demo says at its end: overlap, ejection fraction, and where things are."""

from __future__ import annotations

import math
import statistics
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from nnunet_cardiac_ext.files import read_csv

# Two readers of the same heart differ by about this much (percentage points); beyond it an EF is another EF.
EF_TOLERANCE = 5.0
REGIONS = ("all", "base", "middle", "apex")


@dataclass(frozen=True)
class EjectionFractions:
    """Predicted against true ejection fractions of one ventricle, in percentage points.

    Attributes:
        truth: What they are compared with: "the analytic truth" or "the reference contours".
        errors: Prediction minus truth by subject; subjects without a defined value are left out.
        subjects: Number of subjects.
    """

    truth: str
    errors: Mapping[str, float]
    subjects: int

    @property
    def within_tolerance(self) -> int:
        """Number of subjects whose error is at most `EF_TOLERANCE`."""
        return sum(abs(error) <= EF_TOLERANCE for error in self.errors.values())

    @property
    def mean_absolute_error(self) -> float:
        """Mean absolute error in percentage points; NaN without subjects."""
        return statistics.fmean(map(abs, self.errors.values())) if self.errors else math.nan


@dataclass(frozen=True)
class Summary:
    """What came out of the demo.

    Attributes:
        output: The demo's folder.
        dice: Mean 3-D Dice over the unseen cases by (structure, region); NaN where undefined.
        ejection_fractions: By ventricle.
        seconds: Wall time of each step.
    """

    output: Path
    dice: Mapping[tuple[str, str], float]
    ejection_fractions: Mapping[str, EjectionFractions]
    seconds: Mapping[str, float]

    def text(self) -> str:
        """Return the summary for the terminal."""
        structures = sorted({structure for structure, _ in self.dice}, key=["LV", "RV", "MYO"].index)
        lines = ["", "Mean Dice on unseen subjects", f"{'':6}" + "".join(f"{region:>9}" for region in REGIONS)]
        lines += [
            f"{structure:6}" + "".join(f"{self.dice.get((structure, region), math.nan):9.3f}" for region in REGIONS)
            for structure in structures
        ]
        for ventricle, fractions in self.ejection_fractions.items():
            lines.append(
                f"{ventricle} ejection fraction: {fractions.within_tolerance} of {fractions.subjects} subjects within "
                f"{EF_TOLERANCE:g} points of {fractions.truth}, mean absolute error "
                f"{fractions.mean_absolute_error:.1f} points"
            )
        lines += ["", f"report    {self.output / 'report.html'}", f"tables    {self.output / 'evaluation'}"]
        lines += [f"commands  {self.output / 'commands.sh'}", f"time      {sum(self.seconds.values()):.0f} s in all"]
        return "\n".join(lines)


def summarise(output: Path, *, truth: Path | None, seconds: Mapping[str, float]) -> Summary:
    """Read what the evaluation wrote.

    Args:
        output: The demo's folder, with `evaluation/` in it.
        truth: `truth.csv` of phantoms; None compares with the reference contours.
        seconds: Wall time of each step.
    """
    clinical = read_csv(output / "evaluation" / "clinical.csv")
    analytic = {row["patient"]: row for row in read_csv(truth)} if truth is not None else None
    fractions = {ventricle: _ejection_fractions(ventricle, clinical, analytic) for ventricle in ("LV", "RV")}
    return Summary(output, _dice(read_csv(output / "evaluation" / "metrics.csv")), fractions, seconds)


def _dice(rows: Sequence[Mapping[str, str]]) -> dict[tuple[str, str], float]:
    values = defaultdict(list)
    for row in rows:
        if row["metric"] == "dice" and row["value"] not in ("", "nan"):
            values[row["structure"], row["region"]].append(float(row["value"]))
    return {key: statistics.fmean(found) for key, found in values.items()}


def _ejection_fractions(
    ventricle: str, clinical: Sequence[Mapping[str, str]], analytic: Mapping[str, Mapping[str, str]] | None
) -> EjectionFractions:
    column = f"{ventricle.lower()}_ef"
    errors = {}
    for row in clinical:
        predicted = row[f"{column}_percent_prediction"]
        expected = row[f"{column}_percent_reference"] if analytic is None else analytic[row["subject"]][column]
        error = float(predicted) - float(expected)
        if math.isfinite(error):
            errors[row["subject"]] = error
    name = "the reference contours" if analytic is None else "the analytic truth"
    return EjectionFractions(name, errors, len(clinical))
