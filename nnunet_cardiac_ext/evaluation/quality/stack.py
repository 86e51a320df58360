"""A labelled short-axis stack as the quality checks see it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from nnunet_cardiac_ext.anatomy import CUBIC_MM_PER_ML, INFARCT, MYOCARDIUM, LabelMap
from nnunet_cardiac_ext.regions import BaseEndCues, Region, assign_regions, base_end_cues

# Parts of the myocardium that a heart may lack, and may have in several pieces.
SCAR = INFARCT
# Empty pixels kept around the heart: every mask so has an outside, and neighbours two pixels away exist.
MARGIN = 2


@dataclass(frozen=True)
class LabelStack:
    """Labels of one image.

    Attributes:
        array: Integer labels (slice, row, column).
        spacing: Spacing in mm as (slice, row, column).
        labels: Label value by structure name, without the background.
        base_first: Whether slice 0 is at the base, where the case table knows it.
    """

    array: np.ndarray
    spacing: tuple[float, float, float]
    labels: Mapping[str, int]
    base_first: bool | None = None

    @property
    def voxel_ml(self) -> float:
        """Volume of a voxel in ml."""
        return float(np.prod(self.spacing)) / CUBIC_MM_PER_ML

    @property
    def pixel_mm2(self) -> float:
        """Area of a pixel in mm²."""
        return self.spacing[1] * self.spacing[2]

    @cached_property
    def window(self) -> np.ndarray:
        """The labels cut to the heart in the plane, with an empty margin; all slices, in their order."""
        _, rows, columns = np.nonzero(self.array)
        if not len(rows):
            return np.zeros((len(self.array), 2 * MARGIN, 2 * MARGIN), dtype=self.array.dtype)
        inner = self.array[:, rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
        return np.pad(inner, ((0, 0), (MARGIN, MARGIN), (MARGIN, MARGIN)))

    @cached_property
    def bodies(self) -> Mapping[str, np.ndarray]:
        """Masks in the window of what is one piece in a heart: each structure, the myocardium with its scar as MYO."""
        masks = {name: self.window == value for name, value in self.labels.items() if name not in MYOCARDIUM}
        wall = [value for name, value in self.labels.items() if name in MYOCARDIUM]
        return masks | {"MYO": np.isin(self.window, wall)} if wall else masks

    @cached_property
    def left_ventricle(self) -> np.ndarray:
        """Mask of cavity and wall of the left ventricle in the window."""
        return self.body("LV") | self.body("MYO")

    @cached_property
    def segmented(self) -> np.ndarray:
        """Numbers of the slices that hold a label."""
        return np.flatnonzero(self.window.any(axis=(1, 2)))

    @cached_property
    def middle(self) -> np.ndarray:
        """Numbers of the slices of the middle region: where contours have no excuse (no outflow tract, no tip)."""
        # Which end is the base does not matter to the middle.
        return np.flatnonzero(assign_regions(self.window, base_first=True) == Region.MIDDLE)

    @cached_property
    def cues(self) -> BaseEndCues | None:
        """What tells the base end; None for fewer than two slices or without a left ventricle."""
        if len(self.segmented) < 2 or not self.left_ventricle.any():
            return None
        label_map = LabelMap("checked", {"background": 0} | dict(self.labels), {}, "")
        return base_end_cues(self.window, label_map=label_map)

    def body(self, name: str) -> np.ndarray:
        """Return a mask of `bodies`, empty where the labels have no such structure."""
        return self.bodies.get(name, np.zeros(self.window.shape, dtype=bool))

    def scar(self) -> np.ndarray:
        """Return the mask of infarct and no-reflow in the window."""
        return np.isin(self.window, [value for name, value in self.labels.items() if name in SCAR])

    def areas(self, mask: np.ndarray) -> np.ndarray:
        """Return the area of a mask of the window in each slice, mm², shape (slice,)."""
        return mask.sum(axis=(1, 2)) * self.pixel_mm2

    def centre(self, mask: np.ndarray) -> np.ndarray:
        """Return the centroid (row, column) of a mask of one slice in mm; NaN for an empty mask."""
        points = np.argwhere(mask)
        return points.mean(axis=0) * self.spacing[1:] if len(points) else np.full(2, np.nan)
