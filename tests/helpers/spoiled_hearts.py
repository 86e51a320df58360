"""Label stacks spoiled in known ways: what the quality checks have to find.

Used by the tests of the checks, on drawn hearts, and by benchmarks/quality_detection.py, on real ones.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from helpers.label_edits import (
    disc,
    far_from_heart,
    inner_slices,
    moved,
    resized,
    scar_patch,
    sector_of_wall,
    slices_with,
)
from scipy.ndimage import distance_transform_edt

from nnunet_cardiac_ext.evaluation.quality.stack import LabelStack


@dataclass(frozen=True)
class Defect:
    """A known fault.

    Attributes:
        kind: In words.
        checks: The checks that are meant for it.
        spoil: Takes a stack and a generator of random numbers; returns the spoiled stack, or None where the stack has
            no place for this fault.
        both_phases: The fault is one of the heart, not of one image: `spoil` takes (ED, ES) and returns such a pair.
    """

    kind: str
    checks: tuple[str, ...]
    spoil: Callable[[Any, np.random.Generator], Any]
    both_phases: bool = False


def _edit(change):
    """Make a fault of `change(array, stack, generator)`, which edits the array or returns False."""

    def spoil(stack: LabelStack, generator):
        array = stack.array.copy()
        return None if change(array, stack, generator) is False else replace(stack, array=array)

    return spoil


def _drop_slice(array, stack, generator):
    candidates = inner_slices(array)
    if not len(candidates):
        return False
    array[generator.choice(candidates)] = 0
    return None


def _drop_structure(name):
    def change(array, stack, generator):
        candidates = [k for k in inner_slices(array == stack.labels[name]) if k in stack.middle]
        if not candidates:
            return False
        chosen = generator.choice(candidates)
        array[chosen][array[chosen] == stack.labels[name]] = 0
        return None

    return change


def _drop_apical_right(array, stack, generator):
    """Leave the RV in the most basal third of its slices alone."""
    slices = slices_with(array == stack.labels["RV"])
    if sum(stack.cues) < 0:
        slices = slices[::-1]
    for k in slices[max(1, len(slices) // 3) :]:
        array[k][array[k] == stack.labels["RV"]] = 0


def _drop_ends(share, apical):
    def change(array, stack, generator):
        slices = slices_with(array > 0)
        count = max(1, round(share * len(slices)))
        at_end = (sum(stack.cues) >= 0) == apical
        array[slices[-count:] if at_end else slices[:count]] = 0

    return change


def _island(radius):
    def change(array, stack, generator):
        k = generator.choice(stack.segmented)
        centre = far_from_heart(array[k], stack.spacing[1:], generator)
        if centre is None:
            return False
        present = np.unique(array[k][array[k] > 0])
        array[k][disc(array[k].shape, centre, radius, stack.spacing[1:])] = generator.choice(present)
        return None

    return change


def _spots(name, label, radius, count):
    """Discs of another label inside a structure of a middle slice."""

    def change(array, stack, generator):
        k = generator.choice(stack.middle)
        inside = array[k] == stack.labels[name]
        for _ in range(count):
            room = inside & (array[k] == stack.labels[name])
            room = distance_transform_edt(room, sampling=stack.spacing[1:]) > radius + 3
            centres = np.argwhere(room)
            if not len(centres):
                return False
            array[k][disc(room.shape, centres[generator.integers(len(centres))], radius, stack.spacing[1:])] = (
                stack.labels.get(label, 0)
            )
        return None

    return change


def _cut_ring(degrees):
    def change(array, stack, generator):
        k = generator.choice(stack.middle)
        wall = np.isin(array[k], [value for name, value in stack.labels.items() if name not in ("LV", "RV")])
        if not wall.any() or not (array[k] == stack.labels["LV"]).any():
            return False
        array[k][sector_of_wall(wall, generator.uniform(0, 360), width=degrees)] = 0
        return None

    return change


def _shift(way_in_mm):
    def change(array, stack, generator):
        candidates = inner_slices(array)
        if not len(candidates):
            return False
        k, angle = generator.choice(candidates), generator.uniform(0, 2 * np.pi)
        way = way_in_mm * np.array([np.sin(angle), np.cos(angle)]) / stack.spacing[1:]
        array[k] = moved(array[k], np.rint(way).astype(int))
        return None

    return change


def _pull_right_away(array, stack, generator):
    candidates = [k for k in stack.middle if (array[k] == stack.labels["RV"]).any()]
    if not candidates:
        return False
    k = generator.choice(candidates)
    right = array[k] == stack.labels["RV"]
    left = (array[k] > 0) & ~right
    way = np.argwhere(right).mean(axis=0) - np.argwhere(left).mean(axis=0)
    step = np.rint(8 / np.array(stack.spacing[1:]) * way / np.linalg.norm(way)).astype(int)
    array[k][right] = 0
    array[k][moved(right, step) & (array[k] == 0)] = stack.labels["RV"]
    return None


def _merge_right(single):
    def change(array, stack, generator):
        right = array == stack.labels["RV"]
        if single:
            candidates = [k for k in inner_slices(right) if k in stack.middle]
            if not candidates:
                return False
            keep = np.ones(len(array), dtype=bool)
            keep[generator.choice(candidates)] = False
            right[keep] = False
        array[right] = stack.labels["LV"]
        return None

    return change


def _resize_slice(factor):
    def change(array, stack, generator):
        k = generator.choice(stack.middle)
        array[k] = resized(array[k], factor)

    return change


def _shrink_right(array, stack, generator):
    candidates = [k for k in stack.middle if (array[k] == stack.labels["RV"]).any()]
    if not candidates:
        return False
    right = array[generator.choice(candidates)]
    mask = right == stack.labels["RV"]
    right[mask & ~resized(mask, 0.7)] = 0
    return None


def _shrink_all(array, stack, generator):
    for k in stack.segmented:
        array[k] = resized(array[k], 0.7)


def _cut_off(stack: LabelStack, generator):
    columns = np.flatnonzero(stack.array.any(axis=(0, 1)))
    return replace(stack, array=stack.array[:, :, columns[len(columns) // 4] :])


def _scar(kind):
    def change(array, stack, generator):
        patch = scar_patch(array, stack, kind, generator)
        if patch is None:
            return False
        k, mask = patch
        array[k][mask] = stack.labels["NOREFLOW" if kind == "no-reflow" else "INFARCT"]
        return None

    return change


def _all_scar(array, stack, generator):
    array[array == stack.labels["MYO"]] = stack.labels["INFARCT"]


def _flip(array, stack, generator):
    array[:] = array[::-1].copy()


COMMON_DEFECTS: tuple[Defect, ...] = (
    Defect("all labels lost", ("absent",), _edit(lambda array, *_: array.fill(0))),
    Defect("one slice without labels", ("gap",), _edit(_drop_slice)),
    Defect("apical third lost", ("apex-missing",), _edit(_drop_ends(1 / 3, apical=True))),
    Defect("a slice moved by 5 mm", ("shifted-slice",), _edit(_shift(5))),
    Defect("a slice moved by 10 mm", ("shifted-slice",), _edit(_shift(10))),
    Defect("a slice moved by 15 mm", ("shifted-slice",), _edit(_shift(15))),
    Defect("an island of 2 mm radius beside the heart", ("fragments", "islands"), _edit(_island(2))),
    Defect("an island of 5 mm radius beside the heart", ("fragments", "islands"), _edit(_island(5))),
    Defect("a hole of 2 mm radius in the LV", ("holes",), _edit(_spots("LV", "", 2, 1))),
    Defect("a hole of 4 mm radius in the LV", ("holes",), _edit(_spots("LV", "", 4, 1))),
    Defect("two papillary muscles labelled MYO in the LV", ("holes", "fragments"), _edit(_spots("LV", "MYO", 3, 2))),
    Defect("10 degrees cut out of the ring of one slice", ("open-ring",), _edit(_cut_ring(10))),
    Defect("40 degrees cut out of the ring of one slice", ("open-ring",), _edit(_cut_ring(40))),
    Defect("one slice 1.2 times as wide", ("area-jump",), _edit(_resize_slice(1.2))),
    Defect("one slice 1.4 times as wide", ("area-jump",), _edit(_resize_slice(1.4))),
    Defect("image cut off through the heart", ("border",), _cut_off),
    Defect("spacing 1 x 1 x 1 mm in the header", ("volume-small", "mass-small"),
           lambda stack, _: replace(stack, spacing=(1.0, 1.0, 1.0))),
)  # fmt: skip

CINE_DEFECTS: tuple[Defect, ...] = (
    *COMMON_DEFECTS,
    Defect("RV lost in one middle slice", ("gap",), _edit(_drop_structure("RV"))),
    Defect("MYO lost in one middle slice", ("gap",), _edit(_drop_structure("MYO"))),
    Defect("RV only in its basal third", ("rv-missing",), _edit(_drop_apical_right)),
    Defect("RV 8 mm off the septum in one slice", ("rv-apart",), _edit(_pull_right_away)),
    Defect("RV labelled LV in one slice", ("gap", "open-ring"), _edit(_merge_right(single=True))),
    Defect("RV labelled LV throughout", ("absent",), _edit(_merge_right(single=False))),
    Defect("RV of one slice at half its size", ("rv-area-jump",), _edit(_shrink_right)),
    Defect("one phase upside down", ("wrong-end", "phases-opposed"), _edit(_flip)),
    Defect("ED and ES swapped", ("es-larger",), lambda pair, _: pair[::-1], both_phases=True),
    Defect("labels of one phase 0.7 times as wide", ("mass-change", "es-larger", "ef-high", "ef-low"),
           _edit(_shrink_all)),
    Defect("most basal slice lost", ("slices-differ",), _edit(_drop_ends(0.01, apical=False))),
)  # fmt: skip

LGE_DEFECTS: tuple[Defect, ...] = (
    *COMMON_DEFECTS,
    Defect("infarct beside the heart", ("scar-outside", "fragments"), _edit(_scar("outside"))),
    Defect("infarct inside the cavity", ("scar-outside", "holes"), _edit(_spots("LV", "INFARCT", 4, 1))),
    Defect("no-reflow in healthy myocardium", ("no-reflow-outside", "no-reflow-bare"), _edit(_scar("no-reflow"))),
    Defect("all myocardium labelled infarct", ("scar-share",), _edit(_all_scar)),
)
