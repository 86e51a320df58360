"""Bright structures outside the heart that look like a ventricle: what a first network takes for one.

A bowel loop or a stomach filled with fluid has a bright inside and a wall as grey as myocardium; a large vein beside an
organ looks like a right ventricle.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nnunet_cardiac_ext.phantoms.contrast import Contrast
from nnunet_cardiac_ext.phantoms.fields import over, soft

# Clear of the heart by at least this, mm, so that none is taken for a part of it.
_CLEARANCE = 9.0
_TRIES = 60


@dataclass(frozen=True)
class Distractor:
    """One such structure.

    Attributes:
        u: Position of its middle to the right of the plane's origin, mm.
        v: Position to the back, mm.
        long: Its longer half axis, wall included, mm.
        short: Its shorter half axis, wall included, mm.
        angle: Direction of the longer axis, radians.
        wall: Thickness of its wall, mm.
        blood: Signal inside, relative to LV blood.
        crescent: How much of its inside a neighbour of wall signal takes away, 0 to 1.
    """

    u: float
    v: float
    long: float
    short: float
    angle: float
    wall: float
    blood: float
    crescent: float

    def distance(self, u: np.ndarray, v: np.ndarray) -> np.ndarray:
        """Approximate signed distance to its outer border, mm, positive inside."""
        along, across = self._own(u, v)
        return (1 - np.hypot(along / self.long, across / self.short)) * self.short

    def paint(self, image: np.ndarray, u: np.ndarray, v: np.ndarray, contrast: Contrast, step: float) -> np.ndarray:
        """Paint it over an image (row, column) at positions (u, v) that lie `step` mm apart."""
        edge = self.distance(u, v)
        image = over(image, 0.6 * contrast.fat, soft(edge + 2, step))
        image = over(image, contrast.muscle, soft(edge, step))
        along, across = self._own(u, v)
        neighbour = self.short * 1.4 - np.hypot(along, across - self.short * (2.4 - 1.6 * self.crescent))
        return over(image, self.blood, soft(np.minimum(edge - self.wall, -neighbour), step))

    def _own(self, u: np.ndarray, v: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        c, s = np.cos(self.angle), np.sin(self.angle)
        u, v = u - self.u, v - self.v
        return c * u + s * v, c * v - s * u


def draw_distractors(
    count: int, u: np.ndarray, v: np.ndarray, heart: np.ndarray, room: np.ndarray, rng: np.random.Generator
) -> list[Distractor]:
    """Draw up to `count` structures that keep clear of the heart and of each other, as far as there is room.

    Args:
        count: How many at most.
        u: Positions of the points of the image, mm, (row, column).
        v: Likewise, to the back.
        heart: Signed distance to the heart at its largest, mm, positive inside.
        room: Where there may be one: inside the body and the image, bool.
        rng: Source of randomness.
    """
    taken, found = heart.copy(), []
    for _ in range(_TRIES if count else 0):
        candidate = _draw(u, v, room, rng)
        edge = candidate.distance(u, v)
        body = edge > 0
        if not room[body].all() or (taken[body] > -_CLEARANCE).any():
            continue
        found.append(candidate)
        taken = np.maximum(taken, edge)
        if len(found) == count:
            break
    return found


def _draw(u: np.ndarray, v: np.ndarray, room: np.ndarray, rng: np.random.Generator) -> Distractor:
    index = rng.choice(np.flatnonzero(room))
    long = rng.uniform(14, 34)
    return Distractor(
        u=float(u.flat[index]), v=float(v.flat[index]), long=long, short=long * rng.uniform(0.5, 0.95),
        angle=rng.uniform(0, np.pi), wall=rng.uniform(2.5, 8), blood=rng.uniform(0.75, 1.1),
        crescent=float(rng.choice([0.0, rng.uniform(0.3, 0.9)])),
    )  # fmt: skip
