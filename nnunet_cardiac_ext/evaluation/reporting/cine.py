"""Volume-time curves of cines: reference dashed, prediction solid."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.ticker import MaxNLocator

from nnunet_cardiac_ext.errors import UsageError
from nnunet_cardiac_ext.evaluation.heart.tables import CURVES_FILE
from nnunet_cardiac_ext.evaluation.reporting.svg import as_svg, drawn, structure_colour
from nnunet_cardiac_ext.evaluation.reporting.words import number
from nnunet_cardiac_ext.files import iterate_csv

# Hearts whose curves are drawn; the others stand in curves.csv.
MOST_CURVES = 9
CAVITIES = {"LV": "lv_volume_ml", "RV": "rv_volume_ml"}
LINES = {"prediction": "-", "reference": (0, (4, 2.5))}
# By name of the structure, one line per frame: frame and volume in ml; and the frames of ED and ES.
Curve = dict[str, list[tuple[float, float]]]


def volume_curves(measured: Mapping[str, Path], first: list[str]) -> tuple[list[dict[str, Any]], int]:
    """Return the figures of at most `MOST_CURVES` subjects, and how many subjects have a curve.

    Args:
        measured: Folder of `nnunet-cardiac measure` by side.
        first: Subjects that are drawn before others.
    """
    sides = {side: _read(folder / CURVES_FILE) for side, folder in measured.items() if side in LINES}
    subjects = list(dict.fromkeys(subject for curves in sides.values() for subject in curves))
    chosen = [s for s in dict.fromkeys(first) if s in subjects] + [s for s in subjects if s not in first]
    return [_figure(subject, sides) for subject in chosen[:MOST_CURVES]], len(subjects)


def _read(path: Path) -> dict[str, Curve]:
    subjects: dict[str, Curve] = {}
    try:
        for cells in iterate_csv(path) if path.is_file() else ():
            curve = subjects.setdefault(cells["subject"], {})
            for name, column in CAVITIES.items():
                if cells[column]:
                    curve.setdefault(name, []).append((float(cells["frame"]), float(cells[column])))
    except (KeyError, ValueError) as error:
        raise UsageError(f"{path}: expected a table of nnunet-cardiac measure, stopped at {error}") from error
    return subjects


def _figure(subject: str, sides: Mapping[str, Mapping[str, Curve]]) -> dict[str, str]:
    words = []
    with drawn(3.3, 2.5) as (figure, axes):
        for side, curves in sides.items():
            for i, (name, points) in enumerate(curves.get(subject, {}).items()):
                frames, volumes = np.array(sorted(points)).T
                colour = structure_colour(name, i)
                axes.plot(frames, volumes, color=colour, linestyle=LINES[side], linewidth=1.6)
                words.append(f"{name} {side} {number(volumes.min(), 0)} to {number(volumes.max(), 0)} ml")
        axes.set(xlabel="frame", ylabel="volume, ml")
        axes.set_ylim(bottom=0)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=6))
        alt = f"Volume over the frames of {subject}: {', '.join(words)}"
        return {"subject": subject, "figure": as_svg(figure, alt)}
