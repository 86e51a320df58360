"""The outline of the right ventricle in a short-axis plane: a bent superellipse."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class RvOutline:
    """The RV's outline in a plane, in coordinates along the septal direction (p) and towards anterior (q), mm.

    Attributes:
        middle: p of its middle.
        half_depth: Half its size along p.
        half_height: Half its size along q.
        bend: Curvature that wraps it around the septum, 1/mm.
        power: Exponent of the superellipse.
        skew: Relative extra height on the anterior side.
    """

    middle: float
    half_depth: float
    half_height: float
    bend: float
    power: float
    skew: float

    def distance(self, p: np.ndarray, q: np.ndarray) -> np.ndarray:
        """Approximate signed distance to the outline in mm, positive inside, exact in sign."""
        height = self.half_height * (1 + np.where(q > 0, self.skew, 0))
        along = np.abs((p + self.bend * q**2 - self.middle) / self.half_depth)
        across = np.abs(q / height)
        level = (along**self.power + across**self.power) ** (1 / self.power)
        slope = np.sqrt(
            (along ** (self.power - 1) / self.half_depth) ** 2 + (across ** (self.power - 1) / height) ** 2
        ) / np.maximum(level, 1e-6) ** (self.power - 1)
        return (1 - level) / np.maximum(slope, 1e-3)

    def points(self, count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return `count` x `count` points (p, q) inside the outline and the area in mm2 that each stands for."""
        angle = (np.arange(count) + 0.5) / count * np.pi - np.pi / 2
        q_unit = np.sin(angle)
        width = (1 - np.abs(q_unit) ** self.power) ** (1 / self.power)
        t = ((np.arange(count) + 0.5) / count * 2 - 1)[:, None]
        height = self.half_height * (1 + np.where(q_unit > 0, self.skew, 0))
        q = np.broadcast_to(q_unit * height, (count, count))
        p = self.middle + self.half_depth * width * t - self.bend * q**2
        area = self.half_depth * width * height * np.cos(angle) * (2 / count) * (np.pi / count)
        return p, q, np.broadcast_to(area, (count, count))
