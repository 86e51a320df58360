"""The atria behind the ventricles of a long-axis phantom, and the valves between: seen, never labelled."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nnunet_cardiac_ext.phantoms.heart import Heart
from nnunet_cardiac_ext.phantoms.long_axis import LongAxis, Section

# How far behind a valve plane the chord of its ventricle is measured, mm.
_CHORD_DEPTH = 3.0
# An atrium shrinks to this width at end-diastole, when it has emptied itself.
_EMPTIED = 0.9


@dataclass(frozen=True)
class Atrium:
    """An atrium: a superellipse cut off by its valve, whose far wall stays while the valve descends.

    Attributes:
        middle: Position of its middle along a, mm.
        width: Half width at end-systole, mm.
        back: Depth of its far wall, mm.
        length: From the valve to the far wall at end-systole, mm.
        lean: Drift of its middle line along a per mm behind the valve.
        power: Exponent of the superellipse.
        tent: How far the closed valve bulges into the ventricle, mm.
        leaflet: Thickness of the leaflets, mm.
        seen: How dark they are, 0 to 1.
    """

    middle: float
    width: float
    back: float
    length: float
    lean: float
    power: float
    tent: float
    leaflet: float
    seen: float

    def inside(self, a: np.ndarray, z: np.ndarray, valve: float, phase: float) -> np.ndarray:
        """Tell which points belong to it, given the depth of its valve and the phase of the heart."""
        half = 0.58 * self.length
        across = (a - self.middle - self.lean * (valve - z)) / (self.width * (_EMPTIED + (1 - _EMPTIED) * phase))
        along = (z - self.back - half) / half
        return (np.abs(across) ** self.power + np.abs(along) ** self.power < 1) & (z < valve)

    def leaflets(self, a: np.ndarray, z: np.ndarray, valve: float, chord: tuple[float, float]) -> np.ndarray:
        """Signed distance to the closed leaflets, mm, positive inside; they span the ventricle's chord."""
        middle, half = (chord[0] + chord[1]) / 2, max((chord[1] - chord[0]) / 2, 1.0)
        across = (a - middle) / half
        bulge = valve + self.tent * (1 - np.abs(across) ** 1.5)
        return np.where(np.abs(across) < 1, self.leaflet / 2 - np.abs(z - bulge), -half)


@dataclass(frozen=True)
class Atria:
    """Both atria.

    Attributes:
        left: The left one.
        right: The right one.
        septum: Thickness of the wall between them, mm.
        wall: Thickness of their outer wall, mm.
    """

    left: Atrium
    right: Atrium
    septum: float
    wall: float


def draw_atria(heart: Heart, plane: LongAxis, rng: np.random.Generator, *, enlarged: float = 1.0) -> Atria:
    """Draw the atria that fit a heart at end-diastole; `enlarged` scales the right one."""
    shape = heart.shape
    grid = np.meshgrid(np.arange(-90, 91, 1.0), np.arange(-plane.depth - 10, 30, 1.0))
    section = Section.of(heart, plane, *grid)
    mitral, tricuspid = valve_chords(section, grid[0], heart)
    left_length, right_length = rng.uniform(40, 56), rng.uniform(40, 54) * enlarged**0.5
    left = Atrium(
        middle=sum(mitral) / 2 + rng.normal(0, 2),
        width=float(np.clip(0.5 * np.ptp(mitral) + rng.normal(1, 3), 17, 32)),
        back=shape.shortening - left_length, length=left_length, lean=rng.normal(0.05, 0.12),
        power=rng.uniform(2.0, 2.8), tent=rng.uniform(3, 9), leaflet=rng.uniform(1.2, 2.5), seen=rng.uniform(0.1, 0.8),
    )  # fmt: skip
    # It reaches from the left atrium to the free wall of the RV or beyond.
    start, end = left.middle + 0.85 * left.width, tricuspid[1] + rng.uniform(-3, 8)
    right = Atrium(
        middle=(start + end) / 2, width=enlarged * float(np.clip((end - start) / 2 + rng.uniform(1, 5), 18, 36)),
        back=shape.rv_base + shape.rv_shortening - right_length, length=right_length, lean=rng.normal(0.0, 0.12),
        power=rng.uniform(2.0, 2.8), tent=rng.uniform(2, 7), leaflet=rng.uniform(1.0, 2.0), seen=rng.uniform(0.1, 0.8),
    )  # fmt: skip
    return Atria(left, right, septum=rng.uniform(2, 4.5), wall=rng.uniform(1.0, 2.2))


def valve_chords(section: Section, a: np.ndarray, heart: Heart) -> tuple[tuple[float, float], tuple[float, float]]:
    """Return from where to where along a the cavities reach just below the mitral and the tricuspid plane, mm."""
    left = (section.radius < section.inner) & (section.z < heart.base + _CHORD_DEPTH)
    right = (section.right > 0) & (section.z < heart.rv_base + _CHORD_DEPTH)
    mitral = (float(a[left].min()), float(a[left].max()))
    if not right.any():  # a plane that passes beside the RV's base
        return mitral, (mitral[1] + 10, mitral[1] + 40)
    return mitral, (float(a[right].min()), float(a[right].max()))
