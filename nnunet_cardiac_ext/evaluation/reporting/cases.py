"""The cases as the page lists them: scores, volumes, flags; which are shown, and which are worth a look first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from nnunet_cardiac_ext.errors import UsageError
from nnunet_cardiac_ext.evaluation.heart.tables import VOLUMES_FILE
from nnunet_cardiac_ext.evaluation.quality.folder import QUALITY_FILE
from nnunet_cardiac_ext.evaluation.quality.ranking import RankedCase
from nnunet_cardiac_ext.evaluation.reporting.sources import Sources
from nnunet_cardiac_ext.evaluation.scoring import WHOLE
from nnunet_cardiac_ext.evaluation.summary import statistics
from nnunet_cardiac_ext.evaluation.typed_rows import read_typed_rows
from nnunet_cardiac_ext.files import iterate_csv

NAN = float("nan")
# Flagged cases on the main page, besides best, median and worst.
MOST_FLAGGED = 6
# Cases that may be asked for by name on one page: with 40 noisy slices each it stays below 15 MB.
MOST_CHOSEN = 12
# Columns of volumes.csv that a case shows, with their names.
VOLUMES = {"lv_volume_ml": "LV", "rv_volume_ml": "RV", "myocardium_volume_ml": "MYO"}


@dataclass(frozen=True)
class CaseLine:
    """What a table says of one case.

    Attributes:
        case: Its name.
        about: Phase and group.
        mean: Mean Dice over the structures that have one; NaN without any.
        dice: Dice by structure; empty without a reference.
        hd95: 95th percentile of the surface distances in mm by structure; empty without a reference.
        volumes: Volume in ml by name, where the predictions were measured.
        notes: What is missing or odd.
        checks: Names of the quality checks that flag it.
        reasons: What they say.
        score: Score of the quality control; None where it was not run.
    """

    case: str
    about: str = ""
    mean: float = NAN
    dice: Sequence[float] = ()
    hd95: Sequence[float] = ()
    volumes: Mapping[str, float] = field(default_factory=dict)
    notes: Sequence[str] = ()
    checks: Sequence[str] = ()
    reasons: Sequence[str] = ()
    score: int | None = None


def case_lines(sources: Sources) -> list[CaseLine]:
    """Return all cases, those that are worth a look first.

    With a reference by mean Dice, lowest first, before them those in which it is undefined; else by the score of the
    quality control, highest first.
    """
    ranked = {row.case: row for row in read_quality(sources.quality)}
    volumes = _volumes(sources.measured.get("prediction")) if sources.evaluation is None else {}
    lines = [_line(sources, case, ranked.get(case), volumes.get(case, {})) for case in sources.cases]
    if sources.evaluation is not None:
        return sorted(lines, key=lambda line: np.nan_to_num(line.mean, nan=-1.0))
    return sorted(lines, key=lambda line: (-(line.score or 0), line.case))


def read_quality(folder: Path | None) -> list[RankedCase]:
    """Return the lines of `quality.csv`; none without a folder."""
    return read_typed_rows(RankedCase, folder / QUALITY_FILE) if folder else []


def best_median_worst(lines: Sequence[CaseLine]) -> list[tuple[str, CaseLine]]:
    """Return up to three cases by mean Dice: best, median, worst; fewer where there are fewer.

    Cases without a defined Dice (reference and prediction are empty) are chosen only where there are no others.
    """
    defined = [line for line in lines if np.isfinite(line.mean)]
    ranked = sorted(defined or lines, key=lambda line: -line.mean)
    if len(ranked) == 1:
        return [("Only case", ranked[0])]
    chosen = {"Best case": ranked[0], "Median case": ranked[len(ranked) // 2], "Worst case": ranked[-1]}
    if len(ranked) == 2:
        chosen.pop("Median case")
    return list(chosen.items())


def shown_cases(lines: Sequence[CaseLine], chosen: Sequence[str]) -> list[tuple[str, CaseLine]]:
    """Return the cases of the main page with the place that each has.

    Args:
        lines: All cases.
        chosen: Names of those to show; by default best, median and worst of an evaluation and the cases with the
            highest scores of the quality control, or else the first ones.

    Raises:
        UsageError: A name is unknown, or there are too many.
    """
    by_name = {line.case: line for line in lines}
    if len(chosen) > MOST_CHOSEN:
        raise UsageError(f"--cases: expected at most {MOST_CHOSEN} names, got {len(chosen)}; --all shows every case")
    for name in chosen:
        if name not in by_name:
            raise UsageError(f"--cases: expected cases of this folder ({min(by_name)}, ...), got {name!r}")
    if chosen:
        return [("Chosen case", by_name[name]) for name in dict.fromkeys(chosen)]
    scored = any(np.isfinite(line.mean) or line.dice for line in lines)
    shown = best_median_worst(lines) if scored else []
    seen = {line.case for _, line in shown}
    flagged = [line for line in lines if line.score and line.case not in seen]
    flagged.sort(key=lambda line: -(line.score or 0))
    shown += [("Flagged case", line) for line in flagged[:MOST_FLAGGED]]
    return shown or [("Case", line) for line in lines[:MOST_FLAGGED]]


def _line(sources: Sources, case: str, quality: RankedCase | None, volumes: Mapping[str, float]) -> CaseLine:
    row = sources.case_rows.get(case)
    line = CaseLine(
        case, ", ".join(part for part in (row.phase, row.group) if part) if row else "", volumes=volumes,
        checks=quality.checks.split() if quality else [], score=quality.score if quality else None,
        reasons=[reason for reason in quality.reasons.split("; ") if reason] if quality else [],
    )  # fmt: skip
    found, names = sources.evaluation, list(sources.labels)
    if found is None:
        return line
    absent = [(name, found.values[case][name, WHOLE, "hd95"].reason) for name in names]
    dice = [found.value(case, name, "dice") for name in names]
    return replace(
        line, mean=statistics(dice).mean, dice=dice, hd95=[found.value(case, name, "hd95") for name in names],
        notes=[f"{name} {reason}" for name, reason in absent if reason],
    )  # fmt: skip


def _volumes(folder: Path | None) -> dict[str, dict[str, float]]:
    if folder is None:
        return {}
    volumes: dict[str, dict[str, float]] = {}
    try:
        for cells in iterate_csv(folder / VOLUMES_FILE):
            # A cine has one line per frame; end-diastole stands for it.
            if cells["case"] not in volumes or cells["phase"] == "ED":
                found = {name: float(cells[column]) for column, name in VOLUMES.items() if cells.get(column)}
                volumes[cells["case"]] = found
    except (KeyError, ValueError) as error:
        path = folder / VOLUMES_FILE
        raise UsageError(f"{path}: expected a table of nnunet-cardiac measure, stopped at {error}") from error
    return volumes
