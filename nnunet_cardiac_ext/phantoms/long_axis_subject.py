"""The long-axis image of a synthetic subject: the plane, the surroundings, the frames of its cine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from nnunet_cardiac_ext.phantoms.fields import smooth_noise
from nnunet_cardiac_ext.phantoms.heart import Heart
from nnunet_cardiac_ext.phantoms.long_axis import LongAxis
from nnunet_cardiac_ext.phantoms.long_axis_atria import Atria, draw_atria
from nnunet_cardiac_ext.phantoms.long_axis_distractors import Distractor, draw_distractors
from nnunet_cardiac_ext.phantoms.long_axis_painting import Canvas, chambers_of, paint_long_axis
from nnunet_cardiac_ext.phantoms.long_axis_thorax import (
    Extent,
    Surroundings,
    chest_distance,
    draw_surroundings,
    paint_surroundings,
)
from nnunet_cardiac_ext.phantoms.scanner import acquire, coil_sensitivity
from nnunet_cardiac_ext.phantoms.subject import Subject, draw_texture

# Painted on points twice as dense as the voxels and averaged: enough for soft borders, since the scanner blurs further.
_OVERSAMPLING = 2
_VOXELS = (1.2, 1.25, 1.25, 1.3281, 1.3281, 1.4063, 1.4063, 1.5625, 1.7188, 1.875)
_ROWS = (224, 256, 256, 256)
_COLUMNS = (208, 256, 256, 256)
# Distractors lie at least this far inside the image, mm.
_MARGIN = 4.0
# The coil's position is drawn for short-axis images, where the chest wall is at the left; here it is at the top.
_COIL_TURN = np.pi / 2


@dataclass(frozen=True)
class LongAxisView:
    """Everything that was drawn for the long-axis image of a subject beyond the subject itself.

    Attributes:
        plane: How the slice lies.
        atria: The atria.
        around: The surroundings.
        distractors: Bright structures outside the heart that look like a ventricle.
    """

    plane: LongAxis
    atria: Atria
    around: Surroundings
    distractors: tuple[Distractor, ...]


def draw_view(subject: Subject, *, distractors: int = 0, enlarged: float = 1.0) -> LongAxisView:
    """Draw the long-axis view of a subject; the same subject gives the same view.

    Args:
        subject: The subject.
        distractors: How many distractors at most; the number is drawn from 0 to this.
        enlarged: Size of the right atrium relative to the usual one.
    """
    rng = np.random.default_rng([*subject.seed, 6])
    diastole = Heart(subject.shape, 0)
    plane = _draw_plane(subject, rng)
    atria = draw_atria(diastole, plane, rng, enlarged=enlarged)
    canvas, u, v = _canvas(plane, oversampling=1)
    hull = chambers_of(diastole, subject.details, atria, canvas)
    inside = hull.hull > 0
    extent = Extent(*(float(f(w[inside])) for w, f in ((v, np.min), (v, np.max), (u, np.min), (u, np.max))))
    root = hull.left_atrium > 0
    around = draw_surroundings(extent, (float(u[root].mean()), float(v[root].mean())), rng)
    room = chest_distance(around, u, v) > -0.5 * around.wall
    edge = max(1, int(_MARGIN / plane.voxel))
    room[:edge], room[-edge:], room[:, :edge], room[:, -edge:] = False, False, False, False
    count = int(rng.integers(0, distractors + 1))
    return LongAxisView(plane, atria, around, tuple(draw_distractors(count, u, v, hull.hull, room, rng)))


def paint_view(subject: Subject, view: LongAxisView, phases: Sequence[float]) -> np.ndarray:
    """Image the heart at each phase (0 end-diastole, 1 end-systole).

    Returns:
        Grey levels (frame, 1, row, column), int16.
    """
    rng = np.random.default_rng([*subject.seed, 7])
    plane, contrast = view.plane, subject.contrast
    canvas, u, v = _canvas(plane, oversampling=_OVERSAMPLING)
    under = paint_surroundings(view.around, contrast, u, v, canvas.step, rng)
    for distractor in view.distractors:
        under = distractor.paint(under, u, v, contrast, canvas.step)
    texture = draw_texture(contrast, u.shape, canvas.step, rng)
    # Slow swirls beside the short-lived ones: long-axis images see more of the flow.
    texture[:2] += 0.7 * contrast.blood_texture * smooth_noise((2, *u.shape), 22 / canvas.step, rng)
    sensitivity = _sensitivity(subject, view, rng)
    signal = np.empty((len(phases), 1, *plane.shape), dtype=np.float32)
    for frame, phase in enumerate(phases):
        heart = Heart(subject.shape, phase)
        chambers = chambers_of(heart, subject.details, view.atria, canvas)
        fine = paint_long_axis(heart, subject.details, view.atria, contrast, canvas, chambers, under, texture)
        signal[frame, 0] = _averaged(fine)
    return acquire(subject.scanner, signal, sensitivity, rng)


def _draw_plane(subject: Subject, rng: np.random.Generator) -> LongAxis:
    rows, columns = int(rng.choice(_ROWS)), int(rng.choice(_COLUMNS))
    body_turn = rng.normal(0, 0.22)
    return LongAxis(
        angle=rng.normal(-0.2, 0.15), depth=0.4 * subject.shape.length, shape=(rows, columns),
        voxel=float(rng.choice(_VOXELS)), origin=(rows * rng.uniform(0.38, 0.54), columns * rng.uniform(0.42, 0.58)),
        turn=float(np.clip(rng.normal(0.85, 0.16), 0.5, 1.25)) + body_turn, body_turn=body_turn,
    )  # fmt: skip


def _canvas(plane: LongAxis, *, oversampling: int) -> tuple[Canvas, np.ndarray, np.ndarray]:
    """The canvas and its points in the body's directions: u right, v back."""
    x, y = plane.positions(oversampling)
    c, s = np.cos(plane.body_turn), np.sin(plane.body_turn)
    return Canvas(plane, *plane.in_plane(x, y), plane.voxel / oversampling), c * x - s * y, s * x + c * y


def _sensitivity(subject: Subject, view: LongAxisView, rng: np.random.Generator) -> np.ndarray:
    x, y = view.plane.positions()
    turn = _COIL_TURN - view.plane.body_turn
    (right, down), c, s = subject.scanner.coil, np.cos(turn), np.sin(turn)
    turned = replace(subject.scanner, coil=(c * right - s * down, s * right + c * down))
    return coil_sensitivity(turned, x, y, rng)


def _averaged(fine: np.ndarray) -> np.ndarray:
    rows, columns = (size // _OVERSAMPLING for size in fine.shape)
    return fine.reshape(rows, _OVERSAMPLING, columns, _OVERSAMPLING).mean((1, 3))
