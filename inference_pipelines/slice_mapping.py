"""From the slices of a preprocessed stack to the slices of the image file."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk  # noqa: N813


@dataclass(frozen=True)
class FileSlices:
    """The slices of an image file, in the order in which nnU-Net's reader gives them.

    Attributes:
        numbers: The number of each in the file, from 0, shape (slice,).
        first: The one that is the first of the preprocessed stack: nnU-Net cuts off the empty rim of an image.
    """

    numbers: np.ndarray
    first: int


def file_slices(properties: Mapping[str, Any], plans: Any) -> FileSlices:
    """Return how a preprocessed 2D case lies in its file.

    nnU-Net transposes, so that slices come first, and crops; 2D configurations do not resample between slices. Readers
    that reorient an image may turn the order of its slices over.

    Args:
        properties: nnU-Net's properties of the case.
        plans: nnU-Net's PlansManager.
    """
    numbers = np.arange(int(properties["shape_before_cropping"][0]))
    if plans.image_reader_writer_class.__name__.endswith("Reorient") and _turned_over(properties, plans):
        numbers = numbers[::-1]
    return FileSlices(numbers, int(properties["bbox_used_for_cropping"][0][0]))


def _turned_over(properties: Mapping[str, Any], plans: Any) -> bool:
    """Ask the reader itself: labels whose first slice alone is marked go through its writer."""
    mark = np.zeros([int(size) for size in properties["shape_before_cropping"]], dtype=np.uint8)
    mark[0] = 1
    with tempfile.TemporaryDirectory(prefix="nnunet-cardiac-") as scratch:
        path = str(Path(scratch) / "mark.nii")
        plans.image_reader_writer_class().write_seg(mark.transpose(plans.transpose_backward), path, dict(properties))
        written = sitk.GetArrayFromImage(sitk.ReadImage(path))
    profiles = [written.any(axis=tuple({0, 1, 2} - {axis})) for axis in range(3)]
    return any(not profile[0] for profile in profiles)
