"""Measurements on infarct and no-reflow: scar lies in the myocardium, no-reflow in the infarct."""

from __future__ import annotations

from collections.abc import Iterator

import cc3d
import numpy as np
from scipy.ndimage import binary_dilation

from nnunet_cardiac_ext.evaluation.quality.check import Measurement
from nnunet_cardiac_ext.evaluation.quality.shape import CORNERS_2D
from nnunet_cardiac_ext.evaluation.quality.stack import SCAR, LabelStack

CORNERS = np.ones((3, 3), dtype=bool)


def scar_outside(stack: LabelStack) -> Iterator[Measurement]:
    """Area of scar in a slice whose piece touches no healthy myocardium although the slice has some, in mm²."""
    if not set(SCAR) & set(stack.labels) or "MYO" not in stack.labels:
        return
    scar, healthy = stack.scar(), stack.window == stack.labels["MYO"]
    for k in np.flatnonzero(scar.any(axis=(1, 2)) & healthy.any(axis=(1, 2))):
        pieces = cc3d.connected_components(scar[k], connectivity=CORNERS_2D)
        touching = np.unique(pieces[binary_dilation(healthy[k], CORNERS)])
        lost = int((scar[k] & ~np.isin(pieces, touching)).sum())
        if lost:
            yield Measurement(lost * stack.pixel_mm2, "scar that touches no healthy myocardium", int(k))


def no_reflow_outside(stack: LabelStack) -> Iterator[Measurement]:
    """Area of no-reflow in a slice whose piece touches no infarct, in mm²."""
    if not set(SCAR) <= set(stack.labels):
        return
    infarct, no_reflow = (stack.window == stack.labels[name] for name in SCAR)
    for k in np.flatnonzero(no_reflow.any(axis=(1, 2))):
        pieces = cc3d.connected_components(no_reflow[k], connectivity=CORNERS_2D)
        touching = np.unique(pieces[binary_dilation(infarct[k], CORNERS)])
        lost = int((no_reflow[k] & ~np.isin(pieces, touching)).sum())
        if lost:
            yield Measurement(lost * stack.pixel_mm2, "no-reflow that touches no infarct", int(k))


def no_reflow_uncovered(stack: LabelStack) -> Iterator[Measurement]:
    """Share of the no-reflow outline in a slice that faces healthy myocardium or the outside of the heart, in percent.

    No-reflow lies in the core of an infarct and may reach the cavity, but neither healthy muscle nor the epicardium.
    """
    if not set(SCAR) <= set(stack.labels):
        return
    infarct, no_reflow = (stack.window == stack.labels[name] for name in SCAR)
    allowed = infarct | no_reflow | stack.body("LV")
    for k in np.flatnonzero(no_reflow.any(axis=(1, 2))):
        outline = binary_dilation(no_reflow[k]) & ~no_reflow[k]
        bare = float(100 * (outline & ~allowed[k]).sum() / outline.sum())
        yield Measurement(bare, "no-reflow that faces neither infarct nor cavity", int(k))


def scar_shares(stack: LabelStack) -> Iterator[Measurement]:
    """Scar (infarct and no-reflow) as a share of the whole myocardium, in percent of the volume."""
    scar, wall = stack.scar().sum(), stack.body("MYO").sum()
    if scar and wall:
        yield Measurement(float(100 * scar / wall), "scar in the myocardium")
