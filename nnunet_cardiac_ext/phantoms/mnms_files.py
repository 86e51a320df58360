"""The NIfTI files of M&Ms phantoms: where each vendor's export puts the axes, and the defects of the real headers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np

from nnunet_cardiac_ext.phantoms.subject import Stack
from nnunet_cardiac_ext.phantoms.vendors import Vendor
from nnunet_cardiac_ext.phantoms.writing import save_nifti

# Patient directions (NIfTI's: right, anterior, superior) from base to apex and from front to back of an image.
_APEXWARD = {True: (-0.34, 0.64, -0.69), False: (-0.6, 0.53, -0.59)}
_BACKWARD = {True: (-0.28, -0.77, -0.57), False: (-0.45, -0.82, -0.3)}
# Where the heart is, mm from the isocentre, on average.
_CENTRE = (-25.0, 15.0, 10.0)
# How far a sheared header's slice axis leans, about 1.7 degrees; ITK refuses such a file.
_SHEAR = 0.03


@dataclass(frozen=True)
class Export:
    """How a subject's arrays lie in its files.

    Attributes:
        front_up: Whether the chest wall is at the top instead of at the left.
        turned: Whether the image is upside down beyond that (RAS instead of LPS).
        apex_first: Whether slice 0 is at the apex.
        slices_along: Axis of the file (0, 1, 2) along which the slices lie.
        sheared: Whether the axes are off right angles.
        axes: Patient directions of the drawn column, row and slice axes, as columns.
        centre: Position of the heart in patient coordinates, mm.
    """

    front_up: bool
    turned: bool
    apex_first: bool
    slices_along: int
    sheared: bool
    axes: tuple[tuple[float, ...], ...]
    centre: tuple[float, ...]

    @property
    def orientation(self) -> np.ndarray:
        """Orientation as nibabel has it: output axis and direction of each drawn axis (column, row, slice)."""
        in_plane = [(1, 1), (0, -1)] if self.front_up else [(0, 1), (1, 1)]
        flip = -1 if self.turned else 1
        outputs = [axis for axis in range(3) if axis != self.slices_along]
        turned = [(outputs[axis], flip * way) for axis, way in in_plane]
        return np.array([*turned, (self.slices_along, -1 if self.apex_first else 1)])


def draw_export(vendor: Vendor, rng: np.random.Generator, *, slices_along: int, sheared: bool) -> Export:
    """Draw how a subject of a vendor is exported."""
    apexward = np.array(_APEXWARD[vendor.front_up]) + rng.normal(0, 0.06, 3)
    backward = np.array(_BACKWARD[vendor.front_up]) + rng.normal(0, 0.06, 3)
    apexward /= np.linalg.norm(apexward)
    backward -= apexward * (apexward @ backward)
    backward /= np.linalg.norm(backward)
    axes = np.column_stack([backward, np.cross(backward, apexward), apexward])
    return Export(
        front_up=vendor.front_up, turned=vendor.front_up and rng.random() < 0.2,
        apex_first=rng.random() < vendor.apex_first, slices_along=slices_along, sheared=sheared,
        axes=tuple(map(tuple, axes.tolist())), centre=tuple(rng.normal(_CENTRE, 12).tolist()),
    )  # fmt: skip


def save_series(path: Path, frames: np.ndarray, stack: Stack, export: Export, **fields: Any) -> None:
    """Write (frame, slice, row, column) or a single volume, base first, as the vendor's export lays it out.

    pixdim[4] is 0; `fields` are raw header fields to overwrite last.
    """
    affine = _affine(stack, export)
    turn = export.orientation
    turned = nib.orientations.apply_orientation(frames.T, turn)
    affine = affine @ nib.orientations.inv_ornt_aff(turn, frames.T.shape[:3])
    spacing = np.linalg.norm(affine[:3, :3], axis=0)
    if export.sheared:
        across = (export.slices_along + 1) % 3
        leaning = affine[:3, export.slices_along] / spacing[export.slices_along]
        leaning += _SHEAR * affine[:3, across] / spacing[across]
        affine[:3, export.slices_along] = leaning * spacing[export.slices_along] / np.linalg.norm(leaning)
    save_nifti(path, turned.T, spacing=tuple(spacing[::-1].tolist()), affine=affine, frame_seconds=0.0, **fields)


def _affine(stack: Stack, export: Export) -> np.ndarray:
    """From the drawn voxel (column, row, slice) to patient coordinates."""
    affine = np.eye(4)
    affine[:3, :3] = np.array(export.axes) * (stack.voxel, stack.voxel, stack.spacing)
    start = np.array([-stack.origin[1] * stack.voxel, -stack.origin[0] * stack.voxel, stack.depths[0]])
    affine[:3, 3] = np.array(export.centre) + np.array(export.axes) @ start
    return affine
