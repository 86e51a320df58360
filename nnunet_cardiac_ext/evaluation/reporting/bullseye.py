"""A bull's-eye plot: the 16 segments of the left ventricle as seen from the apex, base outside."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from matplotlib import colormaps

from nnunet_cardiac_ext.evaluation.heart.aha import SEGMENTS, Segment
from nnunet_cardiac_ext.evaluation.reporting.svg import escape
from nnunet_cardiac_ext.evaluation.reporting.words import number
from nnunet_cardiac_ext.regions import Region

# Outer and inner radius of each ring, in units of the drawing; the apical cap in the middle is not measured.
RADII: Mapping[Region, tuple[int, int]] = {Region.BASE: (100, 70), Region.MIDDLE: (70, 40), Region.APEX: (40, 12)}
SEQUENTIAL, DIVERGING = "cividis", "PuOr_r"
WALLS = {"top": "anterior", "left": "septal", "bottom": "inferior", "right": "lateral"}
SIDES = {"top": "top", "left": "left", "bottom": "bottom", "right": "right"}
_PLACES = {"top": (0, -106), "left": (-106, 0), "bottom": (0, 114), "right": (106, 0)}
# Above this brightness of a colour, black text on it is read better than white.
BRIGHT = 0.45


@dataclass(frozen=True)
class Scale:
    """Which colour a value has.

    Attributes:
        low: Value at one end of the colours.
        high: Value at the other end.
        unit: For the legend.
        diverging: Whether the middle of the colours is 0.
    """

    low: float
    high: float
    unit: str
    diverging: bool = False

    def colour(self, value: float) -> tuple[str, bool]:
        """Return the colour as #rrggbb and whether it is bright."""
        share = (value - self.low) / (self.high - self.low) if self.high > self.low else 0.5
        red, green, blue, _ = colormaps[DIVERGING if self.diverging else SEQUENTIAL](share)
        bright = 0.2126 * red**2.2 + 0.7152 * green**2.2 + 0.0722 * blue**2.2 > BRIGHT**2
        return "#" + "".join(f"{round(255 * part):02x}" for part in (red, green, blue)), bright

    @property
    def gradient(self) -> str:
        """The colours from low to high as stops of a CSS gradient."""
        return ", ".join(self.colour(self.low + k / 8 * (self.high - self.low))[0] for k in range(9))


def bullseye(values: Mapping[int, float], scale: Scale, alt: str, *, of_image: bool = False) -> str:
    """Draw the values of the segments.

    Args:
        values: Value by the segment's AHA number; segments without one are left empty.
        scale: Their colours.
        alt: What the figure shows, for those who cannot see it.
        of_image: Whether the segments are sectors of the image, whose walls nobody knows.

    Returns:
        An `<svg>`.
    """
    parts = [_wedge(segment, values.get(segment.number, math.nan), scale, of_image) for segment in SEGMENTS]
    for side, name in (SIDES if of_image else WALLS).items():
        x, y = _PLACES[side]
        turn = f' transform="rotate({-90 if side == "left" else 90} {x} {y})"' if side in ("left", "right") else ""
        parts.append(f'<text x="{x}" y="{y}" class="wall" text-anchor="middle"{turn}>{name}</text>')
    label = f'role="img" aria-label="{escape(alt)}"'
    return f'<svg class="bullseye" viewBox="-118 -118 236 236" {label}>{"".join(parts)}</svg>'


def _wedge(segment: Segment, value: float, scale: Scale, of_image: bool) -> str:
    outer, inner = RADII[segment.ring]
    # Degrees of the heart run from the septum (left) over the anterior wall (top).
    begin, end = segment.start, segment.start + segment.width
    corners = [_point(outer, begin), _point(outer, end), _point(inner, end), _point(inner, begin)]
    path = f"M{corners[0]}A{outer} {outer} 0 0 1 {corners[1]}L{corners[2]}A{inner} {inner} 0 0 0 {corners[3]}Z"
    x, y = _point((outer + inner) / 2, (begin + end) / 2).split()
    name = escape(segment.image_name if of_image else f"{segment.number}, {segment.name}")
    if math.isnan(value):
        return f'<path d="{path}" class="empty"><title>{name}: undefined</title></path>'
    colour, bright = scale.colour(value)
    shade = "#111" if bright else "#fff"
    digits = 0 if scale.unit == "%" else 1
    text = number(value, digits, signed=scale.diverging)
    return (
        f'<path d="{path}" fill="{colour}"><title>{name}: {text} {scale.unit}</title></path>'
        f'<text x="{x}" y="{y}" fill="{shade}" text-anchor="middle" dominant-baseline="central">{text}</text>'
    )


def _point(radius: float, degrees: float) -> str:
    angle = math.radians(degrees)
    return f"{-radius * math.cos(angle):.1f} {-radius * math.sin(angle):.1f}"
