"""Measurements on what lies beside what: the ring of the myocardium around the cavity, the RV at the septum."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy.ndimage import binary_fill_holes, distance_transform_edt

from nnunet_cardiac_ext.evaluation.quality.check import Measurement
from nnunet_cardiac_ext.evaluation.quality.stack import LabelStack

FACES = ((1, 0), (-1, 0), (1, 1), (-1, 1))  # step and axis of the four neighbours of a pixel


def open_rings(stack: LabelStack) -> Iterator[Measurement]:
    """Share of the cavity's outline in a middle slice that faces no myocardium, in percent.

    Where the labels have no cavity (mouse) the myocardium of a slice has to enclose one: 0 if it does, else 100.
    """
    for k in stack.middle:
        wall, cavity = stack.body("MYO")[k], stack.body("LV")[k]
        if "LV" not in stack.labels and wall.any():
            encloses = bool((binary_fill_holes(wall) & ~wall).any())
            yield Measurement(0.0 if encloses else 100.0, "cavity that no myocardium encloses", int(k))
        elif cavity.any():
            yield Measurement(_uncovered(cavity, wall), "LV without myocardium around it", int(k))


def bare_cavities(stack: LabelStack) -> Iterator[Measurement]:
    """Share of the cavity's outline in an outer slice that faces no myocardium, in percent."""
    for k in np.setdiff1d(stack.segmented, stack.middle):
        wall, cavity = stack.body("MYO")[k], stack.body("LV")[k]
        if cavity.any() and "MYO" in stack.bodies:
            yield Measurement(_uncovered(cavity, wall), "LV without myocardium around it", int(k))


def right_distances(stack: LabelStack) -> Iterator[Measurement]:
    """Shortest way from the RV to the myocardium in a slice, in pixels of the coarser side: 1 where they touch."""
    for k in stack.segmented:
        right, wall = stack.body("RV")[k], stack.body("MYO")[k]
        if right.any() and wall.any():
            distance = distance_transform_edt(~wall, sampling=stack.spacing[1:])
            way = float(distance[right].min()) / max(stack.spacing[1:])
            yield Measurement(way, "way from the RV to the septum", int(k))


def missing_right(stack: LabelStack) -> Iterator[Measurement]:
    """Share of the middle slices with a left ventricle that have no RV, in percent."""
    if "RV" not in stack.labels or not stack.body("RV").any():
        return
    left = stack.left_ventricle[stack.middle].any(axis=(1, 2))
    right = stack.body("RV")[stack.middle].any(axis=(1, 2))
    if left.any():
        share = float(100 * (left & ~right).sum() / left.sum())
        yield Measurement(share, "middle slices of the left ventricle without RV")


def _uncovered(cavity: np.ndarray, wall: np.ndarray) -> float:
    """Share in percent of the pixel faces between the cavity and its surroundings behind which there is no wall."""
    neighbours = [np.roll(array, step, axis) for array in (cavity, wall) for step, axis in FACES]
    outside = [cavity & ~beside for beside in neighbours[:4]]
    bare = [faces & ~beside for faces, beside in zip(outside, neighbours[4:], strict=True)]
    return float(100 * np.sum(bare) / np.sum(outside))
