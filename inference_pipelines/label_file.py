"""A label image, 3-D or 4-D, that can be written again with other labels and the very same header."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import SimpleITK as sitk  # noqa: N813

from inference_pipelines.nifti import NIFTI_ENDINGS, save_like
from nnunet_cardiac_ext.errors import WorkError
from nnunet_cardiac_ext.evaluation.inputs import format_numbers, itk_warnings_off

# Headers are rounded; positions that differ by more than this part of a millimetre are others.
TOLERANCE = 1e-3


@dataclass(frozen=True)
class LabelFile:
    """A label image.

    Attributes:
        path: The file.
        frames: Labels (frame, slice, row, column); one frame for a 3-D file.
        placement: Numbers that say where voxels lie: voxel size, and origin and axes.
        image: The image as its library has it: its header serves to write another.
    """

    path: Path
    frames: np.ndarray
    placement: tuple[tuple[float, ...], tuple[float, ...]]
    image: Any

    @classmethod
    def read(cls, path: Path) -> LabelFile:
        """Read a label image: NIfTI with nibabel, which keeps the header as it is, other formats with SimpleITK.

        Raises:
            WorkError: The file cannot be read, or is neither 3-D nor 4-D.
        """
        try:
            array, placement, image = _read_nifti(path) if path.name.endswith(NIFTI_ENDINGS) else _read_other(path)
        except Exception as error:  # nibabel, gzip and zlib raise a dozen types for damaged files
            raise WorkError(f"{path}: cannot be read as an image") from error
        if array.ndim not in (3, 4):
            raise WorkError(f"{path}: expected a 3-D or 4-D image, got {array.ndim}-D")
        return cls(path, array if array.ndim == 4 else array[None], placement, image)

    def require_geometry_of(self, other: LabelFile) -> None:
        """Check that the voxels lie where the other's lie.

        Raises:
            WorkError: Number of voxels, voxel size, position or axes differ; the line says which.
        """
        if self.frames.shape != other.frames.shape:
            expected, got = (format_numbers(file.frames.shape) for file in (other, self))
            raise WorkError(f"{self.path}: expected {expected} voxels as in {other.path}, got {got}")
        for name, own, wanted in zip(("voxel size", "position"), self.placement, other.placement, strict=True):
            if not np.allclose(own, wanted, rtol=0, atol=TOLERANCE):
                expected, got = (format_numbers(values) for values in (wanted, own))
                raise WorkError(f"{self.path}: expected the {name} of {other.path}, {expected}, got {got}")

    def write_as(self, path: Path, frames: np.ndarray) -> None:
        """Write other labels of the same shape with the header of this file."""
        array = frames if self._is_series else frames[0]
        if isinstance(self.image, nib.Nifti1Image):
            save_like(path, array.T, self.image)
            return
        image = sitk.GetImageFromArray(array)
        image.CopyInformation(self.image)
        sitk.WriteImage(image, str(path), True)

    @property
    def _is_series(self) -> bool:
        """Whether the file is 4-D, also where it has one frame."""
        return (self.image.ndim if isinstance(self.image, nib.Nifti1Image) else self.image.GetDimension()) == 4


def _read_nifti(path: Path) -> tuple[np.ndarray, tuple, Any]:
    image = nib.load(path)
    placement = (tuple(map(float, image.header.get_zooms()[:3])), tuple(map(float, image.affine[:3].ravel())))
    return np.asanyarray(image.dataobj).T, placement, image


def _read_other(path: Path) -> tuple[np.ndarray, tuple, Any]:
    with itk_warnings_off():
        image = sitk.ReadImage(str(path))
    placement = (image.GetSpacing()[:3], (*image.GetOrigin(), *image.GetDirection()))
    return sitk.GetArrayFromImage(image), placement, image
