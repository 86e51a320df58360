"""Measurements on slices against their neighbours, and on the stack from base to apex."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from nnunet_cardiac_ext.evaluation.quality.check import Measurement
from nnunet_cardiac_ext.evaluation.quality.stack import LabelStack


def left_area_jumps(stack: LabelStack) -> Iterator[Measurement]:
    """Difference of the left ventricle's area (cavity and wall) to the mean of both neighbours, in percent.

    100 |a - m| / max(a, m) for the area a of a middle slice and the mean m of the slices beside it, where all three
    are known: 0 for an even taper, near 100 where one of the two is tiny.
    """
    yield from _area_jumps(stack, "left ventricle", stack.left_ventricle)


def right_area_jumps(stack: LabelStack) -> Iterator[Measurement]:
    """The same of the RV, whose contour changes more from slice to slice."""
    yield from _area_jumps(stack, "RV", stack.body("RV"))


def slice_shifts(stack: LabelStack) -> Iterator[Measurement]:
    """Way from the left ventricle's centre to the middle between the centres in both neighbours.

    In percent of the ventricle's diameter (of a circle of its median area over the slices), so that hearts of mice are
    measured alike; the reason holds the way in mm.
    """
    areas = stack.areas(stack.left_ventricle)
    centres = np.array([stack.centre(mask) for mask in stack.left_ventricle]).reshape(-1, 2)
    for k in range(1, len(centres) - 1):
        way = float(np.linalg.norm(centres[k] - (centres[k - 1] + centres[k + 1]) / 2))
        if np.isfinite(way):
            diameter = 2 * np.sqrt(np.median(areas[areas > 0]) / np.pi)
            what = f"left ventricle {way:.1f} mm off the line between its neighbours"
            yield Measurement(float(100 * way / diameter), what, k)


def end_areas(stack: LabelStack) -> Iterator[Measurement]:
    """Area of the left ventricle at that end of the stack where it is smaller, in percent of its largest area.

    An apex is small. A stack whose ends are both wide stops before it: slices are missing, or were not acquired.
    """
    areas = stack.areas(stack.left_ventricle)
    known = areas[areas > 0]
    if len(known) > 1:
        smaller = float(100 * min(known[0], known[-1]) / known.max())
        yield Measurement(smaller, "area of the left ventricle at its smaller end")


def tapering(stack: LabelStack) -> Iterator[Measurement]:
    """How clearly one end is the base: the size of the summed cues of `regions.base_end_cues`."""
    if stack.cues:
        yield Measurement(abs(sum(stack.cues)), "signs that tell the base from the apex")


def wrong_ends(stack: LabelStack) -> Iterator[Measurement]:
    """By how much the labels contradict the case table on which end is the base: the summed cues, wrong way round."""
    if stack.cues and stack.base_first is not None:
        total = sum(stack.cues)
        end = "first" if stack.base_first else "last"
        what = f"the case table has the base {end}, the labels the other way round"
        yield Measurement(-total if stack.base_first else total, what)


def _area_jumps(stack: LabelStack, name: str, mask: np.ndarray) -> Iterator[Measurement]:
    areas = stack.areas(mask)
    for k in stack.middle:
        if 0 < k < len(areas) - 1 and areas[k - 1 : k + 2].all():
            beside = (areas[k - 1] + areas[k + 1]) / 2
            change = abs(areas[k] - beside) / max(areas[k], beside)
            yield Measurement(float(100 * change), f"change of the {name}'s area against its neighbours", int(k))
