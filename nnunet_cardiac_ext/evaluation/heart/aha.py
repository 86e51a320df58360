"""The segments of the left ventricle: 16 of the American Heart Association's 17 (Cerqueira et al., Circulation 2002).

Basal and middle ring have six segments of 60 degrees, the apical ring four of 90. The 17th, the apical cap, has no
cavity and is not seen in short-axis slices.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from nnunet_cardiac_ext.regions import Region

RINGS: Mapping[Region, str] = MappingProxyType({Region.BASE: "basal", Region.MIDDLE: "mid", Region.APEX: "apical"})
# Walls by number within a ring, and in this order from the middle of the septum over the anterior wall.
_SIX = ("anterior", "anteroseptal", "inferoseptal", "inferior", "inferolateral", "anterolateral")
_SIX_IN_ORDER = ("anteroseptal", "anterior", "anterolateral", "inferolateral", "inferior", "inferoseptal")
_FOUR = ("anterior", "septal", "inferior", "lateral")
_FOUR_IN_ORDER = ("septal", "anterior", "lateral", "inferior")


@dataclass(frozen=True)
class Segment:
    """One segment of a ring.

    Attributes:
        number: 1 to 16.
        ring: The ring's region.
        wall: Its wall.
        start: Where it begins, degrees of the heart: 0 is the middle of the septum, 90 the anterior wall.
        width: How far it goes, degrees.
    """

    number: int
    ring: Region
    wall: str
    start: float
    width: float

    @property
    def name(self) -> str:
        """Ring and wall, as the AHA calls it."""
        return f"{RINGS[self.ring]} {self.wall}"

    @property
    def image_name(self) -> str:
        """Ring and angles in the image, where nothing tells the walls."""
        return f"{RINGS[self.ring]}, image {self.start % 360:g} to {(self.start + self.width - 1e-9) % 360:.0f} degrees"

    def contains(self, angles: np.ndarray) -> np.ndarray:
        """Tell which angles, in radians, lie in the segment; its start does, its end does not."""
        return np.mod(np.rad2deg(angles) - self.start, 360) < self.width


def _segments() -> tuple[Segment, ...]:
    found = []
    for ring, offset in ((Region.BASE, 1), (Region.MIDDLE, 7)):
        found += [Segment(_SIX.index(w) + offset, ring, w, 60.0 * k, 60.0) for k, w in enumerate(_SIX_IN_ORDER)]
    found += [Segment(_FOUR.index(w) + 13, Region.APEX, w, 90.0 * k - 45, 90.0) for k, w in enumerate(_FOUR_IN_ORDER)]
    return tuple(sorted(found, key=lambda segment: segment.number))


SEGMENTS = _segments()
