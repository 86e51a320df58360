"""One synthetic subject of an LGE study: heart, infarct, stack, images and labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np

from nnunet_cardiac_ext.anatomy import CINE, LGE
from nnunet_cardiac_ext.phantoms.fields import over, soft
from nnunet_cardiac_ext.phantoms.groups import Group, draw_shape
from nnunet_cardiac_ext.phantoms.heart import Heart, HeartShape
from nnunet_cardiac_ext.phantoms.infarct import Infarct, draw_infarct, fitted_infarct
from nnunet_cardiac_ext.phantoms.integrals import sliced_volumes
from nnunet_cardiac_ext.phantoms.lge import (
    LgeContrast,
    LgeScanner,
    acquire_lge,
    draw_lge_contrast,
    draw_lge_scanner,
)
from nnunet_cardiac_ext.phantoms.painting import ANGLES, Details, Plane, draw_details, label_plane, paint_heart
from nnunet_cardiac_ext.phantoms.subject import Stack, around_heart, draw_texture
from nnunet_cardiac_ext.phantoms.thorax import Thorax, draw_thorax, paint_thorax

# N is normal, P pathological, as EMIDEC names its cases; volumes at mid-diastole, when LGE is acquired.
GROUPS: Mapping[str, Group] = MappingProxyType(
    {
        "N": Group((100, 28), (60, 6), (120, 30), (58, 7), (1.3, 0.2), (11, 2)),
        "P": Group((136, 46), (45, 10), (125, 32), (52, 9), (0.93, 0.17), (8, 2)),
    }
)
# Of the real pathological cases: how many have no-reflow, the infarct's share of the myocardium and the core's share of
# the infarct, the last two as median, deviation of the logarithm, least and most.
_NO_REFLOW_CASES = 0.68
# How much less fat lies around the heart than in cine phantoms, on the scale of `Thorax.mediastinum`.
_LESS_FAT = 0.6
_INFARCT_SHARE = (0.17, 0.7, 0.035, 0.52)
_CORE_SHARE = (0.12, 0.9, 0.015, 0.4)
_THICKNESS = 8.0
_PLANES_PER_SLICE = 5


@dataclass(frozen=True)
class LgeSubject:
    """Everything that was drawn for one subject; the images follow from it and its seed.

    Attributes:
        group: N or P.
        shape: The heart.
        infarct: Its infarct, or None.
        details: What is seen of the heart and not labelled.
        contrast: Signals.
        scanner: Imaging.
        thorax: Surroundings.
        stack: How the slices lie, base first.
        view: Of each slice the rows and columns that were imaged, (top, bottom, left, right); the rest of the matrix is
            padding, because the slices were shifted until the hearts lay over each other.
        apex_first: Whether the files hold the apex first.
        seed: Seed of the images.
    """

    group: str
    shape: HeartShape
    infarct: Infarct | None
    details: Details
    contrast: LgeContrast
    scanner: LgeScanner
    thorax: Thorax
    stack: Stack
    view: tuple[tuple[int, int, int, int], ...]
    apex_first: bool
    seed: tuple[int, ...]

    @property
    def heart(self) -> Heart:
        """The heart at the moment of imaging."""
        return Heart(self.shape, 0)


def draw_lge_subject(group: str, seed: Sequence[int]) -> LgeSubject:
    """Draw a subject of group N or P; the same seed gives the same subject."""
    rng = np.random.default_rng([*seed, 0])
    shape = draw_shape(GROUPS[group], rng)
    stack = _draw_stack(Heart(shape, 0), rng)
    return LgeSubject(
        group=group, shape=shape, infarct=_draw_infarct(Heart(shape, 0), stack, rng) if group == "P" else None,
        details=draw_details(rng), contrast=draw_lge_contrast(rng), scanner=draw_lge_scanner(rng),
        thorax=_draw_thorax(shape, rng), stack=stack, view=_draw_view(stack, rng),
        apex_first=bool(rng.random() < 0.95), seed=tuple(seed),
    )  # fmt: skip


def paint_lge(subject: LgeSubject) -> np.ndarray:
    """Image a subject: grey levels (slice, row, column), float64, 0 where nothing was imaged, in the files' order."""
    slices = []
    for index in range(len(subject.stack.depths)):
        rng = np.random.default_rng([*subject.seed, 1, index])
        image = acquire_lge(subject.scanner, _paint_slice(subject, index, rng), *subject.stack.positions(index), rng)
        top, bottom, left, right = subject.view[index]
        seen = np.zeros_like(image)
        seen[top:bottom, left:right] = image[top:bottom, left:right]
        slices.append(seen)
    return np.stack(slices[::-1] if subject.apex_first else slices)


def label_lge(subject: LgeSubject) -> np.ndarray:
    """Label a subject by where the voxels' centres lie: canonical LGE labels (slice, row, column), uint8."""
    slices = []
    for index, z in enumerate(subject.stack.depths):
        plane = Plane.of(subject.heart, *subject.stack.positions(index), z)
        cine = label_plane(subject.heart, plane, z)
        labels = np.where(cine == CINE.values["LV"], LGE.values["LV"], 0)
        wall = cine == CINE.values["MYO"]
        labels[wall] = LGE.values["MYO"]
        if subject.infarct is not None:
            depth = _WallDepth(subject.heart, subject.infarct, plane, z)
            labels[wall & (depth.share < depth.reach)] = LGE.values["INFARCT"]
            core = (depth.share > subject.infarct.rim) & (depth.share < depth.core)
            labels[wall & core] = LGE.values["NOREFLOW"]
        slices.append(labels.astype(np.uint8))
    return np.stack(slices[::-1] if subject.apex_first else slices)


class _WallDepth:
    """Where the voxels of a plane lie in the wall, and how far infarct and core reach there; each (row, column)."""

    def __init__(self, heart: Heart, infarct: Infarct, plane: Plane, z: float) -> None:
        level = (z - heart.base) / heart.length
        inner = plane.around(heart.endocardium(ANGLES, z))
        self.thickness = np.maximum(plane.around(heart.epicardium(ANGLES, z)) - inner, 1e-3)
        self.share = (plane.radius - inner) / self.thickness
        self.reach = plane.around(infarct.reach(ANGLES, level))
        self.core = plane.around(infarct.core_reach(ANGLES, level))


def _draw_thorax(shape: HeartShape, rng: np.random.Generator) -> Thorax:
    thorax = draw_thorax(shape, rng)
    return replace(thorax, mediastinum=thorax.mediastinum - _LESS_FAT)


def _draw_infarct(heart: Heart, stack: Stack, rng: np.random.Generator) -> Infarct:
    share = _log_normal(rng, _INFARCT_SHARE)
    volume = share * sliced_volumes(heart, stack.depths, stack.spacing).myocardium
    core = _log_normal(rng, _CORE_SHARE) * volume if rng.random() < _NO_REFLOW_CASES else 0.0
    infarct = draw_infarct(share, rng)
    return fitted_infarct(infarct, heart, stack.depths, stack.spacing, volume=volume, core=core)


def _log_normal(rng: np.random.Generator, law: tuple[float, float, float, float]) -> float:
    median, deviation, least, most = law
    return float(np.clip(median * np.exp(rng.normal(0, deviation)), least, most))


def _draw_stack(heart: Heart, rng: np.random.Generator) -> Stack:
    """Slices from below the mitral plane to above the tip of the cavity: all of them show cavity and wall."""
    spacing = float(rng.choice([10, 10, 10, 10, 13]))
    first = rng.uniform(2, 2 + 0.6 * spacing)
    last = heart.base + heart.length - rng.uniform(2, 5)
    count = int(np.clip((last - first) // spacing + 1, 4, 10))
    voxel = float(rng.choice([1.3672, 1.4063, 1.4063, 1.4583, 1.5625, 1.6406, 1.7188, 1.875]))
    rows, columns = int(rng.integers(200, 264)), int(rng.integers(180, 256))
    return Stack(
        shape=(rows, columns), voxel=voxel, spacing=spacing, thickness=_THICKNESS,
        depths=tuple(float(first + spacing * index) for index in range(count)),
        origin=(rows * rng.uniform(0.42, 0.58), columns * rng.uniform(0.38, 0.56)),
        shifts=tuple((rng.normal(0, 1.0), rng.normal(0, 1.2)) for _ in range(count)),
    )  # fmt: skip


def _draw_view(stack: Stack, rng: np.random.Generator) -> tuple[tuple[int, int, int, int], ...]:
    """The imaged part drifts from slice to slice, as the planned stack was oblique, and jumps a little by breathing."""
    count = len(stack.depths)
    rows, columns = stack.shape
    position = np.linspace(0, 1, count)[:, None] * rng.normal(0, 0.05, 2) + rng.normal(0, 0.006, (count, 2))
    position = position + rng.choice([0, 0, 0.08, -0.08], 2) + rng.normal(0, 0.03, 2)
    low, high = np.maximum(position, 0), np.maximum(-position, 0)
    return tuple(
        (int(top * rows), rows - int(bottom * rows), int(left * columns), columns - int(right * columns))
        for (top, left), (bottom, right) in zip(low, high, strict=True)
    )


def _paint_slice(subject: LgeSubject, index: int, rng: np.random.Generator) -> np.ndarray:
    stack, contrast, heart = subject.stack, subject.contrast.tissues, subject.heart
    x, y = stack.positions(index)
    z = stack.depths[index]
    image = paint_thorax(subject.thorax, contrast, x, y, z, rng)
    box = around_heart(subject.shape, x, y)
    plane = Plane.of(heart, x[box], y[box], z)
    texture = draw_texture(contrast, plane.radius.shape, stack.voxel, rng)
    offsets = ((np.arange(_PLANES_PER_SLICE) + 0.5) / _PLANES_PER_SLICE - 0.5) * stack.thickness

    def wall(depth: float) -> np.ndarray:
        return _wall_signal(subject, plane, depth, texture)

    image[box] = paint_heart(heart, subject.details, contrast, image[box], plane, z + offsets, texture, wall=wall)
    return image


def _wall_signal(subject: LgeSubject, plane: Plane, z: float, texture: np.ndarray) -> np.ndarray:
    contrast = subject.contrast
    healthy = contrast.tissues.muscle + 0.5 * texture[2]
    infarct = subject.infarct
    if infarct is None:
        return healthy
    depth = _WallDepth(subject.heart, infarct, plane, z)
    inside = np.where(depth.reach > 0, (depth.reach - depth.share) * depth.thickness, -contrast.border)
    fade = inside + contrast.patches * texture[3] * np.exp(-((inside / 4) ** 2))
    signal = over(healthy, contrast.infarct * (1 + texture[2]), np.clip(fade / contrast.border + 0.5, 0, 1))
    core = np.minimum(depth.share - infarct.rim, depth.core - depth.share) * depth.thickness
    return over(signal, contrast.no_reflow + 0.5 * texture[2], np.where(depth.core > 0, soft(core, plane.voxel), 0))
