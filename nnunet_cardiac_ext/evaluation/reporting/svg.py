"""Matplotlib figures as inline SVG: text stays text, and lines take the colours of the page (light, dark, print)."""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

# Okabe and Ito's palette: told apart with any colour vision, on white and on black.
STRUCTURE_COLOURS: Mapping[str, str] = MappingProxyType({
    "LV": "#e8702a", "MYO": "#2fa37c", "RV": "#4a9bd9", "INFARCT": "#cc79a7", "NOREFLOW": "#e0b400",
})  # fmt: skip
OTHER_COLOURS = ("#cc79a7", "#e0b400", "#8c8c8c")
# Colours of lines that stand for no structure (folds of a training).
LINE_COLOURS = ("#3f87c7", "#e08214", "#2fa37c", "#cc79a7", "#b39a00", "#8c8c8c")
# Matplotlib writes fixed colours; these stand for the page's own and are replaced by CSS variables.
INK, MUTED, ACCENT = "#010203", "#040506", "#070809"
_VARIABLES = MappingProxyType({INK: "var(--ink)", MUTED: "var(--line-strong)", ACCENT: "var(--accent)"})
_STYLE = MappingProxyType(
    {
        "svg.fonttype": "none", "svg.hashsalt": "nnunet-cardiac", "font.family": "sans-serif", "font.size": 9,
        "text.color": INK, "axes.labelcolor": INK, "axes.edgecolor": MUTED, "axes.linewidth": 0.7,
        "axes.titlesize": 10, "xtick.color": MUTED, "ytick.color": MUTED,
        "xtick.labelcolor": INK, "ytick.labelcolor": INK, "axes.spines.top": False, "axes.spines.right": False,
        "xtick.major.size": 3, "ytick.major.size": 3, "xtick.major.width": 0.7, "ytick.major.width": 0.7,
        "legend.frameon": False, "legend.fontsize": 8.5, "legend.labelcolor": INK,
    }
)  # fmt: skip


def structure_colour(structure: str, number: int) -> str:
    """Return the colour of a structure; `number` chooses among the others for names that are not known."""
    return STRUCTURE_COLOURS.get(structure, OTHER_COLOURS[number % len(OTHER_COLOURS)])


@contextmanager
def drawn(width: float, height: float) -> Iterator[tuple[Figure, Axes]]:
    """Yield an empty figure in the style of the page, sizes in inches; call `as_svg` inside."""
    with rc_context(dict(_STYLE)):
        figure = Figure(figsize=(width, height), layout="constrained")
        yield figure, figure.add_subplot()


def span(values: np.ndarray) -> tuple[float, float]:
    """Return the limits of an axis that shows all values with some margin."""
    known = values[np.isfinite(values)]
    if not known.size:
        return 0.0, 1.0
    low, high = float(known.min()), float(known.max())
    margin = 0.06 * (high - low) or 1.0
    return low - margin, high + margin


def as_svg(figure: Figure, alt: str) -> str:
    """Return the figure as an `<svg>` that fills its place and says `alt` to those who cannot see it."""
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
    return _with_own_ids(text).replace("<svg ", f'<svg role="img" aria-label="{escape(alt)}" ', 1)


def escape(text: str) -> str:
    """Return text that may stand in an attribute of the page."""
    return text.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;")


def _with_own_ids(text: str) -> str:
    """Keep the ids that the figure refers to, under names that no other figure of the page has; drop the rest."""
    own = hashlib.sha256(text.encode()).hexdigest()[:8]
    used = set(re.findall(r"#([\w.-]+)", text))

    def renamed(match: re.Match[str]) -> str:
        return f' id="{own}-{match[1]}"' if match[1] in used else ""

    text = re.sub(r' id="([^"]*)"', renamed, text)
    return re.sub(r'(url\(#|href="#)', rf"\g<1>{own}-", text)
