"""One synthetic subject: a drawn heart, its surroundings, the stack that covers it, and the frames of its cine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from nnunet_cardiac_ext.phantoms.contrast import Contrast
from nnunet_cardiac_ext.phantoms.fields import smooth_noise
from nnunet_cardiac_ext.phantoms.groups import GROUPS, Group, draw_shape
from nnunet_cardiac_ext.phantoms.heart import Heart, HeartShape
from nnunet_cardiac_ext.phantoms.painting import Details, Plane, draw_details, label_plane, paint_heart
from nnunet_cardiac_ext.phantoms.protocol import ACDC_PROTOCOL, Protocol
from nnunet_cardiac_ext.phantoms.scanner import Scanner, acquire, coil_sensitivity
from nnunet_cardiac_ext.phantoms.thorax import Thorax, draw_thorax, paint_thorax

# Planes over which a slice's thickness is averaged; more change the image by less than its noise.
_PLANES_PER_SLICE = 3


@dataclass(frozen=True)
class Stack:
    """How the slices lie.

    Attributes:
        shape: Rows and columns.
        voxel: In-plane spacing, mm.
        spacing: Distance between slices, mm.
        thickness: Slice thickness, mm.
        depths: Depth of the middle of each slice, base to apex, mm.
        origin: Row and column of the heart's axis.
        shifts: In-plane displacement (x, y) of each slice's breath-hold, mm.
    """

    shape: tuple[int, int]
    voxel: float
    spacing: float
    thickness: float
    depths: tuple[float, ...]
    origin: tuple[float, float]
    shifts: tuple[tuple[float, float], ...]

    def positions(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        """Positions (x, y) in mm of the voxels of a slice about the heart's axis, each (row, column)."""
        rows, columns = np.indices(self.shape, dtype=np.float32)
        x = (columns - self.origin[1]) * self.voxel - self.shifts[index][0]
        y = (rows - self.origin[0]) * self.voxel - self.shifts[index][1]
        return x, y


@dataclass(frozen=True)
class Subject:
    """Everything that was drawn for one subject; the images follow from it and its seed."""

    group: str
    shape: HeartShape
    details: Details
    contrast: Contrast
    scanner: Scanner
    thorax: Thorax
    stack: Stack
    seed: tuple[int, ...]


def draw_subject(
    group: str,
    seed: Sequence[int],
    *,
    protocol: Protocol = ACDC_PROTOCOL,
    groups: Mapping[str, Group] = GROUPS,
) -> Subject:
    """Draw a subject; the same seed gives the same subject.

    Args:
        group: Its diagnosis, a key of `groups`.
        seed: Seed of all that is drawn.
        protocol: How it is imaged.
        groups: What is typical of each diagnosis.
    """  # fmt: skip
    rng = np.random.default_rng([*seed, 0])
    shape = draw_shape(groups[group], rng)
    return Subject(
        group=group, shape=shape, details=draw_details(rng), contrast=protocol.contrast(rng),
        scanner=protocol.scanner(rng), thorax=draw_thorax(shape, rng),
        stack=draw_stack(Heart(shape, 0), protocol, rng), seed=tuple(seed),
    )  # fmt: skip


def draw_stack(heart: Heart, protocol: Protocol, rng: np.random.Generator) -> Stack:
    """Draw a stack that covers the heart as readers plan it: from about the mitral plane to about the apex."""
    spacing = float(rng.choice(protocol.spacings))
    first = rng.uniform(0, 1) * spacing + rng.uniform(0, 3) - spacing * (rng.random() < 0.15)
    last = heart.lowest - rng.uniform(1, 7) + spacing * (rng.random() < 0.15)
    count = int(np.clip((last - first) // spacing + 1, 6, 18))
    voxel = float(rng.choice(protocol.voxels))
    rows, columns = int(rng.choice(protocol.rows)), int(rng.choice(protocol.columns))
    above, below = (int(rng.integers(0, most + 1)) if most else 0 for most in protocol.beyond)
    slices = range(-above, count + below)
    return Stack(
        shape=(rows, columns), voxel=voxel, spacing=spacing, thickness=spacing * rng.uniform(0.6, 1.0),
        depths=tuple(float(first + spacing * index) for index in slices),
        origin=(rows * rng.uniform(*protocol.row_origin), columns * rng.uniform(*protocol.column_origin)),
        shifts=tuple((rng.normal(0, 1.0), rng.normal(0, 1.3)) for _ in slices),
    )  # fmt: skip


def paint_frames(subject: Subject, phases: Sequence[float]) -> np.ndarray:
    """Image the heart at each phase (0 end-diastole, 1 end-systole).

    Returns:
        Grey levels (frame, slice, row, column), int16.
    """
    rng = np.random.default_rng([*subject.seed, 1])
    stack = subject.stack
    x, y = stack.positions(0)
    sensitivity = coil_sensitivity(subject.scanner, x, y, rng).astype(np.float32)
    image = np.empty((len(phases), len(stack.depths), *stack.shape), dtype=np.int16)
    for index in range(len(stack.depths)):
        signal = _paint_slice(subject, index, phases, rng)
        image[:, index] = acquire(subject.scanner, signal, sensitivity, rng)
    return image


def label_frame(subject: Subject, phase: float) -> np.ndarray:
    """Canonical cine labels of the heart at a phase, (slice, row, column), uint8."""
    heart = Heart(subject.shape, phase)
    stack = subject.stack
    return np.stack(
        [
            label_plane(heart, Plane.of(heart, *stack.positions(index), z), z)
            for index, z in enumerate(stack.depths)
        ]
    )  # fmt: skip


def around_heart(shape: HeartShape, x: np.ndarray, y: np.ndarray) -> tuple[slice, slice]:
    """Rows and columns that hold a heart, from the positions of the voxels about its axis, mm, (row, column)."""
    reach = shape.radius + shape.wall * 2 + shape.rv_depth + 25
    columns = np.flatnonzero(np.abs(x[0]) < reach)
    rows = np.flatnonzero(np.abs(y[:, 0]) < reach)
    return slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)


def draw_texture(
    contrast: Contrast, shape: tuple[int, int], voxel: float, rng: np.random.Generator
) -> np.ndarray:
    """Draw the inhomogeneity of LV blood, RV blood and muscle and the pattern of the trabeculae, (4, row, column).

    Args:
        contrast: How strong the inhomogeneities are.
        shape: Rows and columns.
        voxel: In-plane spacing, mm.
        rng: Source of randomness.
    """  # fmt: skip
    texture = smooth_noise((3, *shape), 4, rng) + smooth_noise((3, *shape), 12, rng)
    scale = np.array([contrast.blood_texture, 1.6 * contrast.blood_texture, contrast.tissue_texture]) / np.sqrt(2)
    mesh = smooth_noise((1, *shape), max(1.0, 3 / voxel), rng)
    return np.concatenate([texture * scale[:, None, None], mesh]).astype(np.float32)


def _paint_slice(subject: Subject, index: int, phases: Sequence[float], rng: np.random.Generator) -> np.ndarray:
    stack, contrast = subject.stack, subject.contrast
    x, y = stack.positions(index)
    z = stack.depths[index]
    still = paint_thorax(subject.thorax, contrast, x, y, z, rng)
    box = around_heart(subject.shape, x, y)
    offsets = ((np.arange(_PLANES_PER_SLICE) + 0.5) / _PLANES_PER_SLICE - 0.5) * stack.thickness
    frames = np.repeat(still[None], len(phases), axis=0)
    plane = Plane.of(Heart(subject.shape, 0), x[box], y[box], z)
    texture = draw_texture(contrast, plane.radius.shape, stack.voxel, rng)
    for frame, phase in enumerate(phases):
        heart = Heart(subject.shape, phase)
        frames[frame][box] = paint_heart(heart, subject.details, contrast, still[box], plane, z + offsets, texture)
    return frames
