"""A beating heart as continuous geometry: what every phantom is drawn from, whatever its contrast or layout.

Lengths are mm. Depth z runs along the long axis from the mitral plane at end-diastole (z = 0) towards the apex. In a
short-axis plane x points right and y down, measured from the axis of the left ventricle; angles about that axis start
at the middle of the septum and reach the anterior wall at +pi/2.

The left ventricle is a truncated prolate spheroid. In terms of the fraction u of its length, each ray of the wall keeps
its muscle volume while it contracts: r_epi^2 - r_endo^2 grows as the length shrinks, so walls thicken where the
endocardium moves in, stay thin where it does not, and the muscle mass is the same in every frame.
The right ventricle is a bent superellipse that overlaps the left one; what lies outside the epicardium is its cavity.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from nnunet_cardiac_ext.phantoms.rv_outline import RvOutline

# Where the right ventricle's outline starts inside the left one, as a fraction of the septal radius: deep enough that
# the septum always bounds the cavity.
_RV_OVERLAP = 0.55


@dataclass(frozen=True)
class Scar:
    """A region whose wall is thin and hardly moves.

    Attributes:
        angle: Its middle about the long axis, radians from the septum.
        width: Its half width, radians.
        level: Its middle along the axis, 0 base to 1 apex.
        extent: Its half length along the axis, as a fraction of the length.
        thinning: Share of the wall lost in its middle, 0 to 1.
        akinesia: Share of the motion lost in its middle, 0 to 1.
    """

    angle: float
    width: float
    level: float
    extent: float
    thinning: float
    akinesia: float

    def strength(self, theta: np.ndarray, u: np.ndarray) -> np.ndarray:
        """1 in the middle of the scar, smoothly 0 outside; shape of `theta` and `u` broadcast."""
        across = _wrapped(theta - self.angle) / self.width
        along = (u - self.level) / self.extent
        return np.exp(-((across**2 + along**2) ** 2))


@dataclass(frozen=True)
class HeartShape:
    """Shape at end-diastole and how it contracts.

    Attributes:
        length: Mitral plane to the endocardial apex, mm.
        radius: Largest endocardial radius, mm.
        equator: Level of the largest radius, 0 base to 1 apex.
        wall: Mean wall thickness at the equator, mm.
        apex_wall: Wall thickness at the apex, mm.
        ripple: Amplitude and phase of the angular harmonics 2, 3, 4 of the endocardium.
        septal_bulge: Relative thickening of the septum (hypertrophy).
        outflow: Share of the wall missing at the outflow tract in the mitral plane.
        scar: Infarct, or None.
        tilt: In-plane drift of the axis per mm of depth (x, y).
        septum: Direction of the septum's middle in the image, radians.
        shortening: Descent of the mitral plane at end-systole, mm.
        contraction: Relative shortening of the endocardial radius at end-systole.
        compaction: Relative growth of the apparent muscle volume at end-systole (trabeculae merge with the wall).
        rv_depth: Free wall to septum at the RV's base, mm.
        rv_height: Half height of the RV at its base relative to the epicardial radius.
        rv_length: Length of the RV from its base, mm.
        rv_base: Depth of the RV's base at end-diastole, mm.
        rv_bend: How far the RV wraps around the septum.
        rv_power: Exponent of the superellipse (2 ellipse, larger boxier).
        rv_skew: Extra height towards the outflow tract at the base.
        rv_shortening: Descent of the RV's base at end-systole, mm.
        rv_contraction: Relative shortening of the RV's depth at end-systole.
        waves: Shears that make outlines irregular: direction (radians), wavelength (mm), amplitude (mm), lag.
    """

    length: float
    radius: float
    equator: float
    wall: float
    apex_wall: float
    ripple: tuple[tuple[float, float], ...]
    septal_bulge: float
    outflow: float
    scar: Scar | None
    tilt: tuple[float, float]
    septum: float
    shortening: float
    contraction: float
    compaction: float
    rv_depth: float
    rv_height: float
    rv_length: float
    rv_base: float
    rv_bend: float
    rv_power: float
    rv_skew: float
    rv_shortening: float
    rv_contraction: float
    waves: tuple[tuple[float, float, float, float], ...]


@dataclass(frozen=True)
class Heart:
    """A shape at one moment of the cycle.

    Attributes:
        shape: The shape.
        phase: 0 at end-diastole, 1 at end-systole.
    """

    shape: HeartShape
    phase: float

    @property
    def base(self) -> float:
        """Depth of the mitral plane, mm."""
        return self.phase * self.shape.shortening

    @property
    def length(self) -> float:
        """Mitral plane to endocardial apex, mm."""
        return self.shape.length - self.base

    @property
    def lowest(self) -> float:
        """Depth of the epicardial apex, mm."""
        return self.base + self._end * self.length

    @property
    def rv_base(self) -> float:
        """Depth of the RV's base, mm."""
        return self.shape.rv_base + self.phase * self.shape.rv_shortening

    @property
    def rv_lowest(self) -> float:
        """Depth of the RV's apex, mm; it hardly moves."""
        return self.shape.rv_base + self.shape.rv_length

    def centre(self, z: Any) -> tuple[Any, Any]:
        """Position (x, y) of the axis at depth z (a number or an array), mm."""
        return self.shape.tilt[0] * z, self.shape.tilt[1] * z

    def anatomical(self, x: np.ndarray, y: np.ndarray, z: np.ndarray | float) -> tuple[np.ndarray, np.ndarray]:
        """Turn image positions into coordinates along the septal direction (p) and towards anterior (q), mm.

        The shears between the two make real outlines of smooth ones. A shear keeps areas, so every area computed from
        the smooth outlines is exact for the irregular ones.

        Args:
            x: Position right of the axis at the mitral plane, mm.
            y: Position below it, mm.
            z: Depth, mm; an array for planes that are not short-axis ones.
        """
        x0, y0 = self.centre(z)
        x, y = x - x0, y - y0
        for wave in self.shape.waves:
            x, y = _sheared(x, y, z, wave, 1)
        c, s = np.cos(self.shape.septum), np.sin(self.shape.septum)
        return c * x + s * y, c * y - s * x

    def pictured(self, p: np.ndarray, q: np.ndarray, z: float) -> tuple[np.ndarray, np.ndarray]:
        """Turn coordinates of the heart back into image positions, the inverse of `anatomical`.

        Args:
            p: Distance from the axis towards the septum, mm.
            q: Distance towards anterior, mm.
            z: Depth, mm.

        Returns:
            Positions (x, y) about the axis at the mitral plane, mm.
        """
        c, s = np.cos(self.shape.septum), np.sin(self.shape.septum)
        x, y = c * p - s * q, s * p + c * q
        # A shear leaves the coordinate alone that its displacement depends on, so it is undone with the opposite sign.
        for wave in reversed(self.shape.waves):
            x, y = _sheared(x, y, z, wave, -1)
        x0, y0 = self.centre(z)
        return x + x0, y + y0

    def endocardium(self, theta: np.ndarray, z: np.ndarray | float) -> np.ndarray:
        """Endocardial radius in mm at angles and depths (broadcast); 0 above the mitral plane and below the apex."""
        u = self._level(z)
        return self._contracted(self._rest_endocardium(u, self._ripple(theta)), theta, u)

    def epicardium(self, theta: np.ndarray, z: np.ndarray | float) -> np.ndarray:
        """Epicardial radius in mm at angles and depths (broadcast); 0 above the mitral plane and below the apex."""
        u = self._level(z)
        ripple = self._ripple(theta)
        inner = self._rest_endocardium(u, ripple)
        outer = self._rest_epicardium(theta, u, ripple)
        stretch = self.shape.length / self.length * (1 + self.phase * self.shape.compaction)
        squared = self._contracted(inner, theta, u) ** 2 + np.maximum(outer**2 - inner**2, 0) * stretch
        return np.where((u >= 0) & (u <= self._end), np.sqrt(squared), 0.0)

    def rv_outline(self, z: float) -> RvOutline | None:
        """The RV's outline at depth z; None above its base and below its apex."""
        shape = self.shape
        v = (z - self.rv_base) / (self.rv_lowest - self.rv_base)
        septal = float(self.epicardium(np.zeros(1), z)[0]) if z >= self.base else self._septal_radius_above()
        if not 0 <= v < 1 or septal <= 0:
            return None
        depth = shape.rv_depth * (1 - self.phase * shape.rv_contraction) * (1 - v**2) ** 0.7
        half = (depth + _RV_OVERLAP * septal) / 2
        return RvOutline(
            middle=septal + depth - half,
            half_depth=half,
            half_height=shape.rv_height * septal * (1 - 0.45 * v**2) * (1 - 0.1 * self.phase),
            bend=shape.rv_bend / septal,
            power=shape.rv_power,
            skew=shape.rv_skew * (1 - v) ** 2,
        )

    @property
    def _end(self) -> float:
        return 1 + self.shape.apex_wall / self.shape.length

    def _level(self, z: np.ndarray | float) -> np.ndarray:
        return (np.asarray(z, dtype=float) - self.base) / self.length

    def _septal_radius_above(self) -> float:
        return float(self.epicardium(np.zeros(1), self.base)[0])

    def _rest_endocardium(self, u: np.ndarray, ripple: np.ndarray) -> np.ndarray:
        return self.shape.radius * _spheroid(u, self.shape.equator, 1.0) * ripple

    def _contracted(self, rest: np.ndarray, theta: np.ndarray, u: np.ndarray) -> np.ndarray:
        """Return the endocardium in this phase from that at rest."""
        motion = self.phase * self.shape.contraction * (1 - self._scar(theta, u, "akinesia"))
        return np.where((u >= 0) & (u <= 1), rest * (1 - motion), 0.0)

    def _rest_epicardium(self, theta: np.ndarray, u: np.ndarray, ripple: np.ndarray) -> np.ndarray:
        shape = self.shape
        wall = shape.wall * (1 + shape.septal_bulge * np.exp(-((_wrapped(theta) / 0.9) ** 2)))
        gap = np.exp(-((_wrapped(theta - 0.9) / 0.55) ** 2)) * np.clip(1 - u / 0.16, 0, 1)
        wall = wall * (1 - 0.2 * np.clip(u, 0, 1)) * (1 - self._scar(theta, u, "thinning")) * (1 - shape.outflow * gap)
        return (shape.radius * ripple + wall) * _spheroid(u, shape.equator, self._end)

    def _ripple(self, theta: np.ndarray) -> np.ndarray:
        waves = [size * np.cos(order * theta + lag) for order, (size, lag) in enumerate(self.shape.ripple, start=2)]
        return 1 + sum(waves, np.zeros_like(theta))

    def _scar(self, theta: np.ndarray, u: np.ndarray, effect: str) -> np.ndarray | float:
        scar = self.shape.scar
        return 0.0 if scar is None else getattr(scar, effect) * scar.strength(theta, u)


def _sheared(
    x: np.ndarray, y: np.ndarray, z: np.ndarray | float, wave: tuple[float, float, float, float], sign: int
) -> tuple[np.ndarray, np.ndarray]:
    direction, wavelength, amplitude, lag = wave
    across, along = np.cos(direction), np.sin(direction)
    shift = sign * amplitude * np.sin(2 * np.pi / wavelength * (across * x + along * y + 0.4 * z) + lag)
    return x - along * shift, y + across * shift


def _spheroid(u: np.ndarray, equator: float, end: float) -> np.ndarray:
    span = end - equator
    return np.sqrt(np.clip(1 - ((u - equator) / span) ** 2, 0, None))


def _wrapped(angle: np.ndarray) -> np.ndarray:
    return (angle + np.pi) % (2 * np.pi) - np.pi
