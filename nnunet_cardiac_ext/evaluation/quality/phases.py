"""Measurements on the two phases of one heart: volumes, ejection fraction, mass, place and order."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from nnunet_cardiac_ext.anatomy import MYOCARDIAL_DENSITY
from nnunet_cardiac_ext.evaluation.clinical import clinical_numbers
from nnunet_cardiac_ext.evaluation.quality.check import Measurement
from nnunet_cardiac_ext.evaluation.quality.stack import LabelStack

VENTRICLES = ("LV", "RV")


class StackFacts(NamedTuple):
    """What a comparison of phases needs to know of one stack; small enough to keep for every case.

    Attributes:
        volumes: Volume in ml by structure, the myocardium with its scar as MYO; structures without a voxel left out.
        base_end: Sum of the signs of the base end, positive where slice 0 is at the base; NaN where undefined.
        slices: Number of slices with a left ventricle.
    """

    volumes: dict[str, float]
    base_end: float
    slices: int


class PhasePair(NamedTuple):
    """The stacks of one heart at end-diastole and end-systole."""

    end_diastole: StackFacts
    end_systole: StackFacts


def stack_facts(stack: LabelStack) -> StackFacts:
    """Return what `PhasePair` needs of a stack."""
    volumes = {name: float(mask.sum() * stack.voxel_ml) for name, mask in stack.bodies.items() if mask.any()}
    return StackFacts(
        volumes,
        float(sum(stack.cues)) if stack.cues else float("nan"),
        int(stack.left_ventricle.any(axis=(1, 2)).sum()),
    )


def volumes(stack: LabelStack) -> Iterator[Measurement]:
    """Volume of each cavity, in ml."""
    for name in VENTRICLES:
        if stack.body(name).any():
            yield Measurement(float(stack.body(name).sum() * stack.voxel_ml), f"volume of the {name}")


def masses(stack: LabelStack) -> Iterator[Measurement]:
    """Mass of the left ventricle's myocardium, in g; only of labels with a cavity, so not of mice."""
    if "LV" in stack.labels and stack.body("MYO").any():
        volume = float(stack.body("MYO").sum() * stack.voxel_ml)
        yield Measurement(volume * MYOCARDIAL_DENSITY, "mass of the myocardium")


def systolic_excess(pair: PhasePair) -> Iterator[Measurement]:
    """By how much a cavity is larger at ES than at ED, in percent of its volume at ED."""
    for name in VENTRICLES:
        fraction = _numbers(pair)[f"{name.lower()}_ef"]
        yield Measurement(-fraction, f"{name} larger at ES than at ED")


def ejection_fractions(pair: PhasePair) -> Iterator[Measurement]:
    """Ejection fraction of both cavities, in percent; negative ones are left to `systolic_excess`."""
    for name in VENTRICLES:
        fraction = _numbers(pair)[f"{name.lower()}_ef"]
        if fraction >= 0:
            yield Measurement(fraction, f"{name} ejection fraction")


def mass_changes(pair: PhasePair) -> Iterator[Measurement]:
    """Difference of the myocardial volume between the phases, in percent of their mean: muscle keeps its volume."""
    first, second = (facts.volumes.get("MYO", np.nan) for facts in pair)
    change = float(200 * abs(first - second) / (first + second))
    yield Measurement(change, "change of the myocardial mass from ED to ES")


def stroke_mismatch(pair: PhasePair) -> Iterator[Measurement]:
    """Difference of the stroke volumes of LV and RV, in percent of the larger end-diastolic volume."""
    numbers = _numbers(pair)
    difference = abs(numbers["lv_sv"] - numbers["rv_sv"])
    largest = max(numbers["lv_edv"], numbers["rv_edv"])
    yield Measurement(float(100 * difference / largest), "difference of the stroke volumes of LV and RV")


def order_changes(pair: PhasePair) -> Iterator[Measurement]:
    """Whether the phases differ on which end is the base: the weaker of two opposite sums of cues, else 0."""
    first, second = (facts.base_end for facts in pair)
    opposite = first * second < 0
    yield Measurement(min(abs(first), abs(second)) if opposite else 0.0, "ED and ES run in opposite directions")


def slice_changes(pair: PhasePair) -> Iterator[Measurement]:
    """Difference of the numbers of slices with a left ventricle between the phases."""
    yield Measurement(abs(pair.end_diastole.slices - pair.end_systole.slices), "slices of the LV, ED against ES")


def _numbers(pair: PhasePair) -> dict[str, float]:
    return clinical_numbers(pair.end_diastole.volumes, pair.end_systole.volumes)
