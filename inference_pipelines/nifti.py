"""NIfTI files of which the header is kept as it is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np

NIFTI_ENDINGS = (".nii.gz", ".nii")


def header_shape(path: Path) -> tuple[int, ...]:
    """Return the shape of a NIfTI file by its header, (column, row, slice[, frame]).

    Empty for anything else, also for what cannot be read: the reader of stacks says what is wrong with it.
    """
    if not path.name.endswith(NIFTI_ENDINGS):
        return ()
    try:
        return tuple(int(size) for size in nib.load(path).shape)
    except Exception:  # nibabel, gzip and zlib raise a dozen types for damaged files
        return ()


def frame_count(path: Path) -> int | None:
    """Return how many frames a 4-D NIfTI file has by its header; None for anything else."""
    shape = header_shape(path)
    return shape[3] if len(shape) == 4 and shape[3] else None


def read_file_order(path: Path) -> np.ndarray:
    """Return the voxels of a NIfTI file as they are stored, (column, row, slice[, frame])."""
    return np.asanyarray(nib.load(path).dataobj)


def save_like(path: Path, array: np.ndarray, source: nib.Nifti1Image) -> None:
    """Write voxels with another file's header: its voxel size and both its forms, even where they disagree.

    Args:
        path: The file.
        array: Voxels (column, row, slice[, frame]); they are stored in their own type, unscaled.
        source: The other image; it may have another number of frames.
    """
    header: Any = source.header.copy()
    header.set_data_dtype(array.dtype)
    header.set_slope_inter(1, 0)
    header["cal_min"] = header["cal_max"] = 0
    # nibabel harmonises the header with an affine other than its own.
    nib.save(type(source)(array, header.get_best_affine(), header), path)
