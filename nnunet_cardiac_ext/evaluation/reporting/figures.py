"""Figures of scores and agreement."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes

from nnunet_cardiac_ext.evaluation.agreement import Agreement
from nnunet_cardiac_ext.evaluation.reporting.svg import ACCENT, INK, MUTED, as_svg, drawn, span

# Above this number points become one picture inside the SVG: the page stays small with thousands of hearts.
MOST_VECTOR_POINTS = 400


def profile_figure(profiles: np.ndarray, colour: str, alt: str) -> str:
    """Draw Dice from base to apex: median as a line, the middle half of the cases as a band.

    Args:
        profiles: One profile per case, shape (case, 101), NaN where undefined.
        colour: Colour of line and band.
        alt: What the figure shows, for those who cannot see it.
    """
    with drawn(3.3, 2.5) as (figure, axes):
        known = np.isfinite(profiles).any(axis=0)
        position = np.linspace(0, 100, profiles.shape[1])[known]
        q1, median, q3 = np.nanpercentile(profiles[:, known], (25, 50, 75), axis=0)
        axes.fill_between(position, q1, q3, color=colour, alpha=0.22, linewidth=0)
        axes.plot(position, median, color=colour, linewidth=1.8)
        axes.set(xlim=(0, 100), ylim=(0, 1.0), ylabel="Dice")
        axes.set_xticks([0, 20, 50, 80, 100], ["base", "20 %", "50 %", "80 %", "apex"])
        for boundary in (20, 80):
            axes.axvline(boundary, color=MUTED, linewidth=0.6, linestyle=(0, (2, 3)))
        axes.grid(axis="y", color=MUTED, linewidth=0.4, alpha=0.5)
        return as_svg(figure, alt)


def identity_figure(reference: np.ndarray, prediction: np.ndarray, unit: str, alt: str) -> str:
    """Draw prediction against reference with the line of identity; pairs with NaN are left out."""
    with drawn(2.9, 2.6) as (figure, axes):
        known = np.isfinite(reference) & np.isfinite(prediction)
        a, b = reference[known], prediction[known]
        low, high = span(np.concatenate([a, b]))
        axes.plot([low, high], [low, high], color=MUTED, linewidth=0.8)
        _points(axes, a, b)
        axes.set(xlim=(low, high), ylim=(low, high), xlabel=f"reference, {unit}", ylabel=f"prediction, {unit}")
        axes.set_aspect("equal", adjustable="box")
        return as_svg(figure, alt)


def difference_figure(
    reference: np.ndarray, prediction: np.ndarray, result: Agreement, unit: str, difference_unit: str, alt: str
) -> str:
    """Draw the difference over the mean of both (Bland and Altman) with bias and limits of agreement.

    Args:
        reference: Values, shape (n,); pairs with NaN are left out.
        prediction: Values in the same unit, shape (n,).
        result: Their agreement.
        unit: Unit of the values.
        difference_unit: Unit of their differences ("points" for values in %).
        alt: What the figure shows, for those who cannot see it.
    """
    with drawn(2.9, 2.6) as (figure, axes):
        known = np.isfinite(reference) & np.isfinite(prediction)
        a, b = reference[known], prediction[known]
        axes.axhline(0, color=MUTED, linewidth=0.6)
        for value, style in ((result.bias, "-"), (result.lower, (0, (4, 3))), (result.upper, (0, (4, 3)))):
            if np.isfinite(value):
                axes.axhline(value, color=INK, linewidth=0.9, linestyle=style)
        _points(axes, (a + b) / 2, b - a)
        axes.set(xlim=span((a + b) / 2), ylim=span(np.concatenate([b - a, [result.lower, result.upper, 0]])))
        axes.set(xlabel=f"mean of both, {unit}", ylabel=f"difference, {difference_unit}")
        return as_svg(figure, alt)


def _points(axes: Axes, x: np.ndarray, y: np.ndarray) -> None:
    many = len(x) > MOST_VECTOR_POINTS
    axes.plot(
        x, y, "o", color="#3f7fbf" if many else ACCENT, markersize=2.5 if many else 4.2, alpha=0.6,
        markeredgewidth=0, rasterized=many,
    )  # fmt: skip
