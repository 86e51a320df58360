"""An infarct as continuous geometry: what part of the wall it takes, and the no-reflow core inside it.

An infarct starts at the endocardium, in the middle of the territory of a closed artery, and grows outwards; how far it
got is its transmurality. In its middle the smallest vessels may stay closed although the artery is open again: no
contrast agent flows in (no-reflow, microvascular obstruction). Positions in the wall are its share w: 0 at the
endocardium, 1 at the epicardium. Angles and levels are those of `heart`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np
from scipy.optimize import brentq

from nnunet_cardiac_ext.anatomy import CUBIC_MM_PER_ML
from nnunet_cardiac_ext.phantoms.heart import Heart

# Middle of each artery's territory: angle from the septum in radians, and level from base 0 to apex 1.
TERRITORIES: Mapping[str, tuple[float, float]] = MappingProxyType(
    {"LAD": (0.75, 0.7), "RCA": (-1.35, 0.4), "LCX": (2.7, 0.42)}
)
# A core never reaches the border of its infarct: at most this share of the infarct's depth.
_CORE_DEPTH = 0.8
_CORE_SIZES = (0.02, 0.95)
_SIZES = (0.15, 3.0)
_ANGLES = (np.arange(1440) + 0.5) / 1440 * 2 * np.pi

Wave = tuple[float, int, float, float]
"""Amplitude of a ripple, its order about the axis, radians per length along it, and lag."""


@dataclass(frozen=True)
class Infarct:
    """An infarct and its core.

    Attributes:
        territory: LAD, RCA or LCX.
        angle: Its middle about the axis, radians from the septum.
        level: Its middle along the axis, 0 base to 1 apex.
        width: Half its width in radians at size 1; wider towards the apex, where the arteries meet.
        length: Half its length as a fraction of the heart's, at size 1.
        depth: Its depth in its middle as a share of the wall; above 1 a part of it is transmural.
        waves: Ripples of its border.
        size: Scale of width and length.
        core: Size of the no-reflow core relative to the infarct; 0 for none.
        core_waves: Ripples of the core's border.
        rim: Share of the wall between endocardium and core.
    """

    territory: str
    angle: float
    level: float
    width: float
    length: float
    depth: float
    waves: tuple[Wave, ...]
    size: float = 1.0
    core: float = 0.0
    core_waves: tuple[Wave, ...] = ()
    rim: float = 0.0

    def reach(self, theta: np.ndarray, u: np.ndarray | float) -> np.ndarray:
        """Return the share of the wall that is infarcted, from the endocardium outwards: 0 outside, at most 1.

        Args:
            theta: Angles from the septum, radians.
            u: Level, 0 base to 1 apex; broadcast against `theta`.
        """
        distance = self._distance(theta, u, self.size, self.waves)
        # Tongues of dead muscle reach farther out than what lies between them.
        return np.clip(self.depth * (1 - distance**4) * (1 + _rippled(theta, u, self.waves[1:])), 0, 1)

    def core_reach(self, theta: np.ndarray, u: np.ndarray | float) -> np.ndarray:
        """Return up to which share of the wall the core reaches; it begins at `rim`, and is absent below that."""
        if self.core == 0:
            return np.zeros(np.broadcast_shapes(np.shape(theta), np.shape(u)))
        distance = self._distance(theta, u, self.size * self.core, self.core_waves)
        return _CORE_DEPTH * self.reach(theta, u) * np.clip(1 - distance**2, 0, 1) ** 0.5

    def _distance(self, theta: np.ndarray, u: np.ndarray | float, size: float, waves: Sequence[Wave]) -> np.ndarray:
        """0 in the middle, 1 at the border."""
        turned = (theta - self.angle + np.pi) % (2 * np.pi) - np.pi
        taper = 1 + 1.5 * np.clip((np.asarray(u) - 0.6) / 0.4, 0, 1) ** 2
        distance = np.hypot(turned / (self.width * size * taper), (u - self.level) / (self.length * size))
        return distance * (1 + _rippled(theta, u, waves))


@dataclass(frozen=True)
class InfarctVolumes:
    """What a perfect reader would measure of an infarct, by areas in the middle of each slice times the slice spacing.

    Attributes:
        infarct: Volume of the whole infarct, the core included, ml.
        core: Volume of the no-reflow core, ml.
        transmurality: Infarcted share of the wall's thickness, averaged over the infarcted part of the circumference
            of all slices, %; NaN without an infarct.
    """

    infarct: float
    core: float
    transmurality: float


def sliced_infarct(heart: Heart, infarct: Infarct | None, depths: Sequence[float], spacing: float) -> InfarctVolumes:
    """Measure an infarct in a stack, by quadrature in polar coordinates.

    Args:
        heart: The heart at the moment of imaging.
        infarct: Its infarct; None measures 0.
        depths: Depth of the middle of each slice, mm.
        spacing: Distance between slices, mm.
    """
    if infarct is None:
        return InfarctVolumes(0.0, 0.0, float("nan"))
    z = np.asarray(depths, dtype=float)[:, None]
    inner, outer = heart.endocardium(_ANGLES, z), heart.epicardium(_ANGLES, z)
    level = (z - heart.base) / heart.length
    reach, core = infarct.reach(_ANGLES, level), infarct.core_reach(_ANGLES, level)

    def volume(start: np.ndarray | float, end: np.ndarray) -> float:
        begin, stop = (inner + share * (outer - inner) for share in (start, np.maximum(start, end)))
        return float(np.pi * np.mean(stop**2 - begin**2, axis=1).sum()) * spacing / CUBIC_MM_PER_ML

    struck = (reach > 0) & (outer > inner)
    depth = float(reach[struck].mean() * 100) if struck.any() else float("nan")
    return InfarctVolumes(volume(0.0, reach), volume(infarct.rim, core), depth)


def draw_infarct(share: float, rng: np.random.Generator) -> Infarct:
    """Draw an infarct without a core; large ones are more often transmural.

    Args:
        share: The share of the LV's muscle that it is to take, 0 to 1; `fitted_infarct` sizes it.
        rng: Source of randomness.
    """
    territory = str(rng.choice(list(TERRITORIES), p=(0.5, 0.3, 0.2)))
    angle, level = TERRITORIES[territory]
    return Infarct(
        territory=territory, angle=angle + rng.normal(0, 0.25), level=level + rng.normal(0, 0.08),
        width=rng.uniform(0.65, 1.1), length=rng.uniform(0.24, 0.42),
        depth=float(np.clip(0.55 + 1.8 * share + rng.normal(0, 0.15), 0.4, 1.6)),
        waves=_draw_waves(rng, 0.16), core_waves=_draw_waves(rng, 0.2), rim=rng.uniform(0, 0.12),
    )  # fmt: skip


def fitted_infarct(
    infarct: Infarct, heart: Heart, depths: Sequence[float], spacing: float, *, volume: float, core: float
) -> Infarct:
    """Scale an infarct and its core to volumes, as far as the wall allows.

    Args:
        infarct: The infarct.
        heart: The heart at the moment of imaging.
        depths: Depth of the middle of each slice, mm.
        spacing: Distance between slices, mm.
        volume: Volume wanted of the whole infarct in the stack, ml.
        core: Volume wanted of its core, ml; 0 gives none.
    """

    def sized(size: float) -> Infarct:
        return replace(infarct, size=size, core=0.0)

    infarct = sized(_root(lambda s: sliced_infarct(heart, sized(s), depths, spacing).infarct - volume, _SIZES))
    if core == 0:
        return infarct

    def cored(size: float) -> Infarct:
        return replace(infarct, core=size)

    return cored(_root(lambda s: sliced_infarct(heart, cored(s), depths, spacing).core - core, _CORE_SIZES))


def _rippled(theta: np.ndarray, u: np.ndarray | float, waves: Sequence[Wave]) -> np.ndarray:
    ripple = np.zeros(np.broadcast_shapes(np.shape(theta), np.shape(u)))
    for amplitude, around, along, lag in waves:
        ripple = ripple + amplitude * np.cos(around * theta + along * np.asarray(u) + lag)
    return np.maximum(ripple, -0.9)


def _draw_waves(rng: np.random.Generator, strength: float) -> tuple[Wave, ...]:
    return tuple(
        (rng.normal(0, strength / order**0.4), order, rng.normal(0, 6), rng.uniform(0, 2 * np.pi))
        for order in (1, 2, 4, 7, 11, 16)
    )


def _root(excess: Callable[[float], float], bounds: tuple[float, float]) -> float:
    low, high = bounds
    at_low, at_high = excess(low), excess(high)
    if at_low * at_high >= 0:
        return low if abs(at_low) < abs(at_high) else high
    return float(brentq(excess, low, high, rtol=1e-4))
