"""One scan of one mouse: the heart at a time point, its surroundings, the stack, and the frames of the cine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from nnunet_cardiac_ext.anatomy import CINE
from nnunet_cardiac_ext.phantoms.contrast import Contrast
from nnunet_cardiac_ext.phantoms.cycle import cycle, end_systole
from nnunet_cardiac_ext.phantoms.heart import Heart, HeartShape
from nnunet_cardiac_ext.phantoms.mouse_animals import GROUPS, MAGNIFICATION, Animal, draw_animal, shape_at
from nnunet_cardiac_ext.phantoms.mouse_imaging import (
    Flow,
    SignalLoss,
    draw_flash,
    draw_flow,
    draw_mouse_scanner,
    draw_signal_loss,
    ghosted,
)
from nnunet_cardiac_ext.phantoms.mouse_thorax import MouseThorax, draw_mouse_thorax, paint_mouse_thorax
from nnunet_cardiac_ext.phantoms.painting import Details, Plane, draw_details, label_plane, paint_heart
from nnunet_cardiac_ext.phantoms.scanner import Scanner, acquire, coil_sensitivity
from nnunet_cardiac_ext.phantoms.subject import Stack, around_heart, draw_texture

# Voxels of paper 000: 0.1307 x 0.1307 mm, slices of 0.8 mm without gaps. In mm, (slice, row, column).
SPACING = (0.8, 0.1307, 0.1307)
_PLANES_PER_SLICE = 3


@dataclass(frozen=True)
class Scan:
    """Everything that was drawn for one scan; the images follow from it and its seed.

    Attributes:
        animal: The mouse.
        time_point: Its time point.
        shape: The heart at that time.
        details: What is seen of the heart and not labelled.
        contrast: Signals.
        thorax: Surroundings.
        scanner: Coil, noise and point spread.
        flow: Signal of the blood over the cycle.
        loss: Signal loss at the lung.
        ghosts: Strength of the ghosts and their distance in rows.
        stack: How the slices lie, base first, in drawn mm.
        apex_first: Whether the files hold the apex first.
        frames: Frames of the cycle.
        seed: Seed of the images.
    """

    animal: Animal
    time_point: str
    shape: HeartShape
    details: Details
    contrast: Contrast
    thorax: MouseThorax
    scanner: Scanner
    flow: Flow
    loss: SignalLoss
    ghosts: tuple[float, int]
    stack: Stack
    apex_first: bool
    frames: int
    seed: tuple[int, ...]

    def heart(self, frame: int) -> Heart:
        """The heart in a frame (from 0)."""
        return Heart(self.shape, float(cycle(self.frames)[frame]))

    @property
    def systole(self) -> int:
        """Index (from 0) of the end-systolic frame; end-diastole is frame 0."""
        return end_systole(self.frames)

    @property
    def order(self) -> range:
        """Indices of the slices of the stack in the order of the files."""
        count = len(self.stack.depths)
        return range(count - 1, -1, -1) if self.apex_first else range(count)


def draw_scan(seed: int, number: int, time_point: str, *, frames: int, matrix: int, slices: int = 0) -> Scan:
    """Draw a scan; the animal is the same at all its time points.

    Args:
        seed: Seed of the study.
        number: Number of the animal, from 1; odd ones are controls, even ones have an infarct after `pre`.
        time_point: One of `mouse_animals.STAGES`.
        frames: Frames of the cycle, at least 3.
        matrix: Rows and columns.
        slices: Slices of the stack; 0 takes 8 to 11, as the heart needs.
    """
    rng = np.random.default_rng([seed, number, 0])
    animal = draw_animal(GROUPS[(number - 1) % len(GROUPS)], rng)
    details, contrast, apex_first = _mouse_details(rng), draw_flash(rng), bool(rng.random() < 0.25)
    key = (seed, number, *time_point.encode())
    rng = np.random.default_rng([*key, 1])
    shape = shape_at(animal, time_point, rng)
    thorax = draw_mouse_thorax(shape, rng)
    return Scan(
        animal=animal, time_point=time_point, shape=shape, details=details, contrast=contrast, thorax=thorax,
        scanner=draw_mouse_scanner(thorax.front, rng), flow=draw_flow(rng), loss=draw_signal_loss(rng),
        ghosts=(rng.uniform(0, 0.07), int(matrix * rng.uniform(0.12, 0.3))),
        stack=_draw_stack(Heart(shape, 0), matrix, slices, rng), apex_first=apex_first, frames=frames, seed=key,
    )  # fmt: skip


def paint_scan(scan: Scan, frames: Sequence[int]) -> np.ndarray:
    """Image frames of the cycle.

    Args:
        scan: The scan.
        frames: Indices from 0. A frame's image is the same whatever others are asked for.

    Returns:
        Grey levels (frame, slice, row, column), int16, slices in the order of the files.
    """
    rng = np.random.default_rng([*scan.seed, 2])
    x, y = scan.stack.positions(0)
    sensitivity = coil_sensitivity(scan.scanner, x, y, rng).astype(np.float32)
    strength, shift = scan.ghosts
    slices = []
    for index in scan.order:
        own = np.random.default_rng([*scan.seed, 3, index])
        signals = ghosted(_paint_slice(scan, index, frames, own), strength, shift)
        noises = [np.random.default_rng([*scan.seed, 4, index, frame]) for frame in frames]
        pairs = zip(signals, noises, strict=True)
        slices.append(np.stack([acquire(scan.scanner, signal, sensitivity, noise) for signal, noise in pairs]))
    return np.stack(slices, axis=1)


def label_scan(scan: Scan, frame: int) -> np.ndarray:
    """Label a frame: canonical cine labels without the RV, (slice, row, column), uint8, in the order of the files."""
    heart, stack = scan.heart(frame), scan.stack
    planes = []
    for index in scan.order:
        z = stack.depths[index]
        labels = label_plane(heart, Plane.of(heart, *stack.positions(index), z), z)
        planes.append(np.where(labels == CINE.values["RV"], 0, labels))
    return np.stack(planes).astype(np.uint8)


def _mouse_details(rng: np.random.Generator) -> Details:
    """Details of a human heart, with a mouse's great vessels and hardly any fat."""
    details = draw_details(rng)
    return replace(
        details, fat=0.2 * details.fat, groove=rng.uniform(-1, 2), rv_wall=rng.uniform(2.0, 4.0),
        lv_mesh=0.6 * details.lv_mesh, aorta=rng.uniform(7, 9), outflow=rng.uniform(10, 14),
        right_atrium=rng.uniform(14, 20), atrium=rng.uniform(0.65, 0.85),
    )  # fmt: skip


def _draw_stack(heart: Heart, matrix: int, slices: int, rng: np.random.Generator) -> Stack:
    spacing, voxel = SPACING[0] * MAGNIFICATION, SPACING[1] * MAGNIFICATION
    first = rng.uniform(-7, 4)
    count = slices or int(np.clip(round((heart.lowest - first + rng.uniform(-5, 6)) / spacing), 8, 11))
    if slices:
        first = (heart.lowest - slices * spacing) / 2 + rng.uniform(0, spacing)
    # Slices are measured one after the other: each in another breath, some far off.
    slips = rng.normal(0, 1.0, (count, 2)) * np.where(rng.random((count, 1)) < 0.1, 3.0, 1.0)
    off_centre = matrix * rng.uniform(-0.06, 0.06, 2)
    return Stack(
        shape=(matrix, matrix), voxel=voxel, spacing=spacing, thickness=spacing,
        depths=tuple(float(first + spacing * index + rng.normal(0, 0.6)) for index in range(count)),
        origin=(matrix / 2 + off_centre[0], matrix / 2 + off_centre[1]),
        shifts=tuple((float(dx), float(dy)) for dx, dy in slips),
    )  # fmt: skip


def _paint_slice(scan: Scan, index: int, frames: Sequence[int], rng: np.random.Generator) -> np.ndarray:
    stack, contrast = scan.stack, scan.contrast
    x, y = stack.positions(index)
    z = stack.depths[index]
    still = paint_mouse_thorax(scan.thorax, contrast, x, y, z, rng)
    box = around_heart(scan.shape, x, y)
    plane = Plane.of(scan.heart(0), x[box], y[box], z)
    texture = draw_texture(contrast, plane.radius.shape, stack.voxel, rng)
    depths = z + ((np.arange(_PLANES_PER_SLICE) + 0.5) / _PLANES_PER_SLICE - 0.5) * stack.thickness
    painted = np.repeat(still[None], len(frames), axis=0)
    for position, frame in enumerate(frames):
        heart, moment = scan.heart(frame), frame / scan.frames
        flow = texture.copy()
        flow[0] = (1 + texture[0]) * scan.flow.left(heart, plane, z, moment) - 1
        flow[1] = (1 + texture[1]) * scan.flow.gains(moment)[1] - 1
        image = paint_heart(heart, scan.details, contrast, still[box], plane, depths, flow)
        painted[position][box] = image * scan.loss.kept(heart, plane, z)
    return painted
