"""Figures of the report as inline SVG: text stays text, and lines take the colour of the page (light, dark, print)."""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from nnunet_cardiac_ext.evaluation.agreement import Agreement

# Okabe and Ito's palette: told apart with any colour vision, on white and on black.
STRUCTURE_COLOURS: Mapping[str, str] = MappingProxyType({"LV": "#e8702a", "MYO": "#2fa37c", "RV": "#4a9bd9"})
OTHER_COLOURS = ("#cc79a7", "#e0b400", "#8c8c8c")
# Matplotlib writes fixed colours; these two stand for the page's own and are replaced by CSS variables.
_INK, _MUTED, _ACCENT = "#010203", "#040506", "#070809"
_VARIABLES = MappingProxyType({_INK: "var(--ink)", _MUTED: "var(--line-strong)", _ACCENT: "var(--accent)"})
# Above this number points become one picture inside the SVG: the page stays small with thousands of hearts.
MOST_VECTOR_POINTS = 400
_STYLE = MappingProxyType(
    {
        "svg.fonttype": "none", "svg.hashsalt": "nnunet-cardiac", "font.family": "sans-serif", "font.size": 9,
        "text.color": _INK, "axes.labelcolor": _INK, "axes.edgecolor": _MUTED, "axes.linewidth": 0.7,
        "axes.titlesize": 10, "xtick.color": _MUTED, "ytick.color": _MUTED,
        "xtick.labelcolor": _INK, "ytick.labelcolor": _INK, "axes.spines.top": False, "axes.spines.right": False,
        "xtick.major.size": 3, "ytick.major.size": 3, "xtick.major.width": 0.7, "ytick.major.width": 0.7,
    }
)  # fmt: skip


def structure_colour(structure: str, number: int) -> str:
    """Return the colour of a structure; `number` chooses among the others for names beyond LV, MYO and RV."""
    return STRUCTURE_COLOURS.get(structure, OTHER_COLOURS[number % len(OTHER_COLOURS)])


def profile_figure(profiles: np.ndarray, colour: str, alt: str) -> str:
    """Draw Dice from base to apex: mean as a line, the middle half of the cases as a band.

    Args:
        profiles: One profile per case, shape (case, 101), NaN where undefined.
        colour: Colour of line and band.
        alt: What the figure shows, for those who cannot see it.
    """
    with rc_context(dict(_STYLE)):
        figure, axes = _axes(3.3, 2.5)
        known = np.isfinite(profiles).any(axis=0)
        position = np.linspace(0, 100, profiles.shape[1])[known]
        q1, q3 = np.nanpercentile(profiles[:, known], (25, 75), axis=0)
        axes.fill_between(position, q1, q3, color=colour, alpha=0.22, linewidth=0)
        axes.plot(position, np.nanmean(profiles[:, known], axis=0), color=colour, linewidth=1.8)
        axes.set(xlim=(0, 100), ylim=(0, 1.0), ylabel="Dice")
        axes.set_xticks([0, 20, 50, 80, 100], ["base", "20 %", "50 %", "80 %", "apex"])
        for boundary in (20, 80):
            axes.axvline(boundary, color=_MUTED, linewidth=0.6, linestyle=(0, (2, 3)))
        axes.grid(axis="y", color=_MUTED, linewidth=0.4, alpha=0.5)
        return _svg(figure, alt)


def identity_figure(reference: np.ndarray, prediction: np.ndarray, unit: str, alt: str) -> str:
    """Draw prediction against reference with the line of identity; pairs with NaN are left out."""
    with rc_context(dict(_STYLE)):
        figure, axes = _axes(2.9, 2.6)
        known = np.isfinite(reference) & np.isfinite(prediction)
        a, b = reference[known], prediction[known]
        low, high = _range(np.concatenate([a, b]))
        axes.plot([low, high], [low, high], color=_MUTED, linewidth=0.8)
        _points(axes, a, b)
        axes.set(xlim=(low, high), ylim=(low, high), xlabel=f"reference, {unit}", ylabel=f"prediction, {unit}")
        axes.set_aspect("equal", adjustable="box")
        return _svg(figure, alt)


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
    with rc_context(dict(_STYLE)):
        figure, axes = _axes(2.9, 2.6)
        known = np.isfinite(reference) & np.isfinite(prediction)
        a, b = reference[known], prediction[known]
        axes.axhline(0, color=_MUTED, linewidth=0.6)
        for value, style in ((result.bias, "-"), (result.lower, (0, (4, 3))), (result.upper, (0, (4, 3)))):
            if np.isfinite(value):
                axes.axhline(value, color=_INK, linewidth=0.9, linestyle=style)
        _points(axes, (a + b) / 2, b - a)
        limits = [value for value in (result.lower, result.upper) if np.isfinite(value)]
        axes.set(xlim=_range((a + b) / 2), ylim=_range(np.concatenate([b - a, limits, [0]])))
        axes.set(xlabel=f"mean of both, {unit}", ylabel=f"difference, {difference_unit}")
        return _svg(figure, alt)


def _axes(width: float, height: float) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.add_subplot()


def _points(axes: Axes, x: np.ndarray, y: np.ndarray) -> None:
    many = len(x) > MOST_VECTOR_POINTS
    axes.plot(
        x, y, "o", color="#3f7fbf" if many else _ACCENT, markersize=2.5 if many else 4.2, alpha=0.6,
        markeredgewidth=0, rasterized=many,
    )  # fmt: skip


def _range(values: np.ndarray) -> tuple[float, float]:
    if not values.size:
        return 0.0, 1.0
    low, high = float(values.min()), float(values.max())
    margin = 0.06 * (high - low) or 1.0
    return low - margin, high + margin


def _svg(figure: Figure, alt: str) -> str:
    stream = io.StringIO()
    figure.savefig(stream, format="svg", transparent=True, dpi=150, metadata={"Date": None, "Creator": None})
    text = stream.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = re.sub(r'(<svg\b[^>]*?) width="[^"]*"', r"\1", text, count=1)
    text = re.sub(r'(<svg\b[^>]*?) height="[^"]*"', r"\1", text, count=1)
    text = re.sub(r"font: ([\d.]+)px [^;\"]*", r"font-size: \1px", text)
    for colour, variable in _VARIABLES.items():
        text = text.replace(colour, variable)
    text = _with_own_ids(text)
    return text.replace("<svg ", f'<svg role="img" aria-label="{_escape(alt)}" ', 1)


def _with_own_ids(text: str) -> str:
    """Keep the ids that the figure refers to, under names that no other figure of the page has; drop the rest."""
    own = hashlib.sha256(text.encode()).hexdigest()[:8]
    used = set(re.findall(r"#([\w.-]+)", text))

    def renamed(match: re.Match[str]) -> str:
        return f' id="{own}-{match[1]}"' if match[1] in used else ""

    text = re.sub(r' id="([^"]*)"', renamed, text)
    return re.sub(r'(url\(#|href="#)', rf"\g<1>{own}-", text)


def _escape(text: str) -> str:
    return text.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;")
