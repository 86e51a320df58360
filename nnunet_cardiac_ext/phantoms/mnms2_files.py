"""The files of one M&Ms-2 phantom: ten NIfTI files of two views that share one patient's coordinates."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from nnunet_cardiac_ext.phantoms.cycle import cycle, end_systole
from nnunet_cardiac_ext.phantoms.heart import Heart
from nnunet_cardiac_ext.phantoms.long_axis import LongAxis, label_long_axis
from nnunet_cardiac_ext.phantoms.long_axis_subject import LongAxisView, paint_view
from nnunet_cardiac_ext.phantoms.mnms_files import Export, draw_export, save_series
from nnunet_cardiac_ext.phantoms.subject import Subject, label_frame, paint_frames
from nnunet_cardiac_ext.phantoms.vendors import Vendor
from nnunet_cardiac_ext.phantoms.writing import save_nifti

# Canonical background, RV, MYO, LV as M&Ms-2 numbers them; float64 as in its files.
_VALUES = np.array([0, 3, 2, 1], dtype=np.float64)
# What the headers of single slices say, whatever the slice's thickness.
_THICKNESS = 1.0
# Spacing of 1 mm along all axes: what the headers of some series say, while their affine is right.
_WRONG_SPACING = np.array([1, 1, 1, 1, 0, 0, 0, 0], dtype=np.float32)
# Share of the long-axis images with the front of the chest at the left instead of at the top.
_FRONT_LEFT = 0.4


@dataclass(frozen=True)
class SubjectFiles:
    """How a subject is written.

    Attributes:
        subject: The subject.
        long_axis: Its long-axis view.
        vendor: The vendor of its scanner.
        frames: Frames of its series.
        wrong_series: Whether the headers of its series have a wrong spacing.
    """

    subject: Subject
    long_axis: LongAxisView
    vendor: Vendor
    frames: int
    wrong_series: bool

    def write(self, folder: Path, name: str, view: str) -> None:
        """Write the files of a view ("sa", "la") or of "both", named after the subject."""
        rng = np.random.default_rng([*self.subject.seed, 8])
        export = draw_export(self.vendor, rng, slices_along=2, sheared=False)
        front_left = bool(rng.random() < _FRONT_LEFT)
        if view != "la":
            self._write_short_axis(folder, name, export)
        if view != "sa":
            self._write_long_axis(folder, name, export, front_left=front_left)

    def _write_short_axis(self, folder: Path, name: str, export: Export) -> None:
        image = paint_frames(self.subject, cycle(self.frames).tolist())
        image = self.vendor.finish(image, self.subject.scanner.level, np.random.default_rng([*self.subject.seed, 2]))

        def save(kind: str, array: np.ndarray, **fields: Any) -> None:
            save_series(folder / f"{name}_SA_{kind}.nii.gz", array, self.subject.stack, export, **fields)

        save("CINE", image, **self._series_fields())
        for phase, index in (("ED", 0), ("ES", end_systole(self.frames))):
            save(phase, image[index])
            save(f"{phase}_gt", _VALUES[label_frame(self.subject, float(phase == "ES"))])

    def _write_long_axis(self, folder: Path, name: str, export: Export, *, front_left: bool) -> None:
        image = paint_view(self.subject, self.long_axis, cycle(self.frames).tolist())
        image = self.vendor.finish(image, self.subject.scanner.level, np.random.default_rng([*self.subject.seed, 9]))
        affine = long_axis_affine(self.long_axis.plane, Heart(self.subject.shape, 0), export)

        def save(kind: str, array: np.ndarray, **fields: Any) -> None:
            save_long_axis(folder / f"{name}_LA_{kind}.nii.gz", array, affine, front_left=front_left, **fields)

        save("CINE", image, **self._series_fields())
        for phase, index in (("ED", 0), ("ES", end_systole(self.frames))):
            labels = label_long_axis(Heart(self.subject.shape, float(phase == "ES")), self.long_axis.plane)
            save(phase, image[index])
            save(f"{phase}_gt", _VALUES[labels][None])

    def _series_fields(self) -> dict[str, Any]:
        return {"pixdim": _WRONG_SPACING} if self.wrong_series else {}


def long_axis_affine(plane: LongAxis, heart: Heart, export: Export) -> np.ndarray:
    """Return the affine from the long-axis voxel (column, row, slice) to the patient coordinates of the short axis."""
    directions = np.array(export.axes) @ plane.directions(heart)
    affine = np.eye(4)
    affine[:3, :3] = directions * (plane.voxel, plane.voxel, _THICKNESS)
    axis_point = np.array([*heart.centre(plane.depth), plane.depth])
    start = np.array([-plane.origin[1] * plane.voxel, -plane.origin[0] * plane.voxel, 0.0])
    affine[:3, 3] = np.array(export.centre) + np.array(export.axes) @ axis_point + directions @ start
    return affine


def save_long_axis(path: Path, array: np.ndarray, affine: np.ndarray, *, front_left: bool, **fields: Any) -> None:
    """Write a slice (1, row, column) or a series of it, with the front of the chest at the top or at the left."""
    if front_left:
        array, affine = array.swapaxes(-1, -2), affine[:, [1, 0, 2, 3]]
    spacing = np.linalg.norm(affine[:3, :3], axis=0)[::-1]
    save_nifti(path, array, spacing=tuple(spacing.tolist()), affine=affine, frame_seconds=0.0, **fields)
