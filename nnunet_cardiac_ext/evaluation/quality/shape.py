"""Measurements on the shape of single structures: absent, interrupted, in pieces, with holes, cut off."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import cc3d
import numpy as np
from scipy.ndimage import binary_fill_holes

from nnunet_cardiac_ext.evaluation.quality.check import Measurement
from nnunet_cardiac_ext.evaluation.quality.stack import SCAR, LabelStack

# Pieces that touch at a corner are one piece: contours are thin and slices thick.
CORNERS_3D, CORNERS_2D = 26, 8


def voxel_counts(stack: LabelStack) -> Iterator[Measurement]:
    """Voxels of each structure that every heart has (scar may be absent)."""
    for name, value in stack.labels.items():
        if name not in SCAR:
            yield Measurement(int((stack.window == value).sum()), f"voxels of {name}")


def slice_counts(stack: LabelStack) -> Iterator[Measurement]:
    """Slices that hold any label; an empty image yields nothing, `voxel_counts` tells of it."""
    if len(stack.segmented):
        yield Measurement(len(stack.segmented), "slices with a label")


def gaps(stack: LabelStack) -> Iterator[Measurement]:
    """Empty slices between the first and the last slice of a structure, one measurement per run of them."""
    for name, mask in stack.bodies.items():
        present = np.flatnonzero(mask.any(axis=(1, 2)))
        for before, after in pairwise(present):
            if after - before > 1:
                what = f"{name} missing between slices {before} and {after}, first"
                yield Measurement(int(after - before - 1), what, int(before + 1))


def islands(stack: LabelStack) -> Iterator[Measurement]:
    """Share of a structure's volume outside its largest piece (3-D, corners connect), in percent.

    The left ventricle counts as a whole and filled: at the apex the wall is a cap that lies inside the ring before it.
    """
    solid = np.array([mask | _enclosed(mask) for mask in stack.left_ventricle])
    for name, whole in {"left ventricle": solid, "LV": stack.body("LV"), "RV": stack.body("RV")}.items():
        # Slices that lack the structure are left out: `gaps` tells of them.
        present = np.flatnonzero(whole.any(axis=(1, 2)))
        mask = whole[present]
        pieces = cc3d.connected_components(mask, connectivity=CORNERS_3D)
        stray = mask & (pieces != _largest(pieces))
        if stray.any():
            first = int(present[stray.any(axis=(1, 2))][0])
            yield Measurement(float(100 * stray.sum() / mask.sum()), f"{name} outside its largest piece, first", first)


def fragments(stack: LabelStack) -> Iterator[Measurement]:
    """Share of a structure's area in a slice outside its largest piece there, in percent."""
    for name, mask in stack.bodies.items():
        for k in np.flatnonzero(mask.any(axis=(1, 2))):
            pieces = cc3d.connected_components(mask[k], connectivity=CORNERS_2D)
            if pieces.max() > 1:
                stray = mask[k].sum() - (pieces == _largest(pieces)).sum()
                yield Measurement(float(100 * stray / mask[k].sum()), f"{name} outside its largest piece", int(k))


def holes(stack: LabelStack) -> Iterator[Measurement]:
    """Area that a cavity, or the left ventricle as a whole, encloses without holding it, in percent of the whole."""
    for k in stack.segmented:
        masks = {"LV": stack.body("LV")[k], "RV": stack.body("RV")[k]}
        if masks["LV"].any():
            # What lies inside the cavity is a hole of the cavity, not of the wall.
            masks["LV and its wall"] = stack.left_ventricle[k] | _enclosed(masks["LV"])
        for name, mask in masks.items():
            hole = _enclosed(mask).sum()
            if hole:
                yield Measurement(float(100 * hole / (hole + mask.sum())), f"hole in {name}", int(k))


def border_contacts(stack: LabelStack) -> Iterator[Measurement]:
    """Labelled pixels on the edge of the image, where the heart may have been cut off."""
    edge = np.ones(stack.array.shape[1:], dtype=bool)
    edge[1:-1, 1:-1] = False
    for k in stack.segmented:
        count = int(((stack.array[k] > 0) & edge).sum())
        if count:
            yield Measurement(count, "labelled pixels on the edge of the image", int(k))


def _largest(pieces: np.ndarray) -> int:
    """Number of the largest piece; -1 where there is none."""
    sizes = np.bincount(pieces.ravel())[1:]
    return int(sizes.argmax()) + 1 if len(sizes) else -1


def _enclosed(mask: np.ndarray) -> np.ndarray:
    """What a 2-D mask encloses without holding it; a way out through a corner is none."""
    return binary_fill_holes(mask, structure=np.ones((3, 3))) & ~mask if mask.any() else mask
