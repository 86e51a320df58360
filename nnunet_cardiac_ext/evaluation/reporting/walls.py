"""Wall thickness and transmurality by segment: means over the hearts, as bull's-eyes of reference, prediction, both."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from nnunet_cardiac_ext.errors import UsageError
from nnunet_cardiac_ext.evaluation.heart.aha import SEGMENTS
from nnunet_cardiac_ext.evaluation.heart.tables import SEGMENTS_FILE
from nnunet_cardiac_ext.evaluation.reporting.bullseye import Scale, bullseye
from nnunet_cardiac_ext.evaluation.reporting.words import number
from nnunet_cardiac_ext.files import iterate_csv

PHASE_WORDS = {"ED": " at end-diastole", "ES": " at end-systole", "": ""}
# Values by image, of one quantity and phase: one number per AHA segment, NaN where undefined.
Table = dict[str, np.ndarray]


@dataclass(frozen=True)
class Drawn:
    """A column of `segments.csv` that is drawn.

    Attributes:
        column: Its name.
        title: What the page calls it.
        unit: Its unit.
        least_reach: Smallest reach of the colours of differences: less than that is hardly worth a colour.
    """

    column: str
    title: str
    unit: str
    least_reach: float


COLUMNS = (
    Drawn("thickness_mm", "Wall thickness", "mm", 1.0),
    Drawn("transmurality_mean_percent", "Infarct transmurality", "%", 10.0),
)


def bullseyes(measured: Mapping[str, Path]) -> list[dict[str, Any]]:
    """Return per quantity and phase the figures of reference, prediction and difference.

    Args:
        measured: Folder of `nnunet-cardiac measure` by side; one side alone gives its own figure.

    Returns:
        Nothing where no segment was measured. Of both sides the cases count that both have.
    """
    if not measured:
        return []
    sides = {side: _read(folder / SEGMENTS_FILE) for side, folder in measured.items()}
    keys = sorted({key for tables, _ in sides.values() for key in tables}, key=_order)
    of_image = all(sectors for _, sectors in sides.values())
    by_side = {side: tables for side, (tables, _) in sides.items()}
    return [plot for drawn, phase in keys if (plot := _plot(drawn, phase, by_side, of_image))]


def _order(key: tuple[Drawn, str]) -> tuple[int, str]:
    # By name end-diastole comes before end-systole.
    return COLUMNS.index(key[0]), key[1]


def _read(path: Path) -> tuple[dict[tuple[Drawn, str], Table], bool]:
    """Return the values by quantity and phase, and whether the segments are sectors of the image."""
    by_number = {str(segment.number): segment.number - 1 for segment in SEGMENTS}
    by_sector = {segment.image_name: segment.number - 1 for segment in SEGMENTS}
    numbered: dict[tuple[Drawn, str], Table] = {}
    sectors: dict[tuple[Drawn, str], Table] = {}
    try:
        for cells in iterate_csv(path):
            if cells["part"] == "segment":
                place = by_number.get(cells["segment"], by_sector.get(cells["name"], -1))
                target = numbered if cells["segment"] else sectors
                for drawn in (drawn for drawn in COLUMNS if cells.get(drawn.column)):
                    values = target.setdefault((drawn, cells["phase"]), {})
                    values.setdefault(cells["case"], np.full(len(SEGMENTS), np.nan))[place] = float(cells[drawn.column])
    except (KeyError, ValueError) as error:
        raise UsageError(f"{path}: expected a table of nnunet-cardiac measure, stopped at {error}") from error
    return numbered or sectors, not numbered


def _plot(
    drawn: Drawn, phase: str, sides: Mapping[str, Mapping[tuple[Drawn, str], Table]], of_image: bool
) -> dict[str, Any] | None:
    tables = _of_common_cases({side: found[drawn, phase] for side, found in sides.items() if (drawn, phase) in found})
    means = {side: _mean(np.array(list(table.values()))) for side, table in tables.items()}
    if not any(np.isfinite(mean).any() for mean in means.values()):
        # Nothing was measured, or the sides have no case in common.
        return None
    title = drawn.title + PHASE_WORDS.get(phase, f", {phase}")
    scale = _scale(np.concatenate(list(means.values())), drawn)
    figures = [_figure(side, len(tables[side]), mean, scale, title, of_image) for side, mean in means.items()]
    figures += _difference(tables, drawn, title, of_image)
    return {"title": title, "unit": drawn.unit, "figures": figures, "of_image": of_image}


def _scale(values: np.ndarray, drawn: Drawn) -> Scale:
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    # Nearly even values get nearly even colours.
    missing = max(0.0, 2 * drawn.least_reach - (high - low))
    return Scale(max(0.0, low - missing / 2), high + missing / 2, drawn.unit)


def _of_common_cases(tables: dict[str, Table]) -> dict[str, Table]:
    """Leave out cases that only one side has: means of other hearts are no comparison."""
    common = frozenset.intersection(*(frozenset(table) for table in tables.values()))
    return {side: {case: table[case] for case in table if case in common} for side, table in tables.items()}


def _difference(tables: Mapping[str, Table], drawn: Drawn, title: str, of_image: bool) -> Iterator[dict[str, Any]]:
    if len(tables) < 2:
        return
    reference, prediction = tables["reference"], tables["prediction"]
    mean = _mean(np.array([prediction[case] - values for case, values in reference.items()]))
    if np.isfinite(mean).any():
        reach = max(drawn.least_reach, float(np.nanmax(np.abs(mean))))
        scale = Scale(-reach, reach, drawn.unit, diverging=True)
        yield _figure("difference", len(reference), mean, scale, title, of_image)


def _mean(values: np.ndarray) -> np.ndarray:
    """Mean of the defined values of each segment; NaN where none is."""
    values = values.reshape(-1, len(SEGMENTS))
    known = np.isfinite(values)
    total = np.where(known, values, 0).sum(axis=0)
    return np.divide(total, known.sum(axis=0), out=np.full(values.shape[1], np.nan), where=known.any(axis=0))


def _figure(side: str, n: int, mean: np.ndarray, scale: Scale, title: str, of_image: bool) -> dict[str, Any]:
    digits, signed = 0 if scale.unit == "%" else 1, scale.diverging
    low, high = (number(float(f(mean)), digits, signed=signed) for f in (np.nanmin, np.nanmax))
    alt = f"{title}, {side}: mean of {n} images by segment, from {low} to {high} {scale.unit}"
    values = {segment.number: float(mean[segment.number - 1]) for segment in SEGMENTS}
    return {
        "side": side, "n": n, "figure": bullseye(values, scale, alt, of_image=of_image), "gradient": scale.gradient,
        "low": number(scale.low, digits, signed=signed), "high": number(scale.high, digits, signed=signed),
    }  # fmt: skip
