"""Curves along the heart, one panel per structure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from nnunet_cardiac_ext.files import written_whole

# Okabe and Ito's colours, told apart by colour-blind eyes; the dashes tell them apart in grey print. The first four are
# those of figure 2 of paper 002: blue, orange, green, red.
_COLOURS = ("#0072b2", "#e69f00", "#009e73", "#d55e00", "#cc79a7", "#56b4e9", "#000000")
_DASHES = ("-", "--", "-.", ":")


def draw_curves(path: Path, curves: Mapping[str, Mapping[str, np.ndarray]], *, labels: Sequence[str]) -> None:
    """Draw Dice from base to apex and write it as PNG.

    Args:
        path: The file.
        curves: By the name of a model and the structure, values in per cent at positions from base to apex, shape (n,).
        labels: The structures, one panel each.
    """
    figure = Figure(figsize=(4 * len(labels), 4.5), layout="constrained")
    panels = figure.subplots(1, len(labels), sharey=True, squeeze=False)[0]
    for panel, label in zip(panels, labels, strict=True):
        for index, (name, profiles) in enumerate(curves.items()):
            values = profiles.get(label, np.full(101, np.nan))
            style = {"color": _COLOURS[index % len(_COLOURS)], "linestyle": _DASHES[index % len(_DASHES)]}
            panel.plot(np.linspace(0, 100, len(values)), values, label=name, linewidth=1.8, **style)
        panel.set(title=label, xlabel="position, % from base to apex", xlim=(0, 100), ylim=(_floor(curves), 100))
        panel.grid(color="0.9")
    panels[0].set_ylabel("Dice, %")
    # In one column: titles of cascades are longer than half of the figure.
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", frameon=False)
    with written_whole(path) as partial:
        figure.savefig(partial, dpi=150)


def _floor(curves: Mapping[str, Mapping[str, np.ndarray]]) -> float:
    """Return the multiple of 10 below all curves, so that their differences can be seen; 0 where there are none."""
    lowest = [np.nanmin(values) for found in curves.values() for values in found.values() if np.isfinite(values).any()]
    return float(10 * np.floor(min(lowest, default=0) / 10))
