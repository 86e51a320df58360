"""Regions by a folder of reference labels, stack by stack."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from inference_pipelines.cine_input import CineReader, Stack
from inference_pipelines.model_folder import Model
from inference_pipelines.nifti import frame_count
from nnunet_cardiac_ext.data.stack_regions import label_map_of
from nnunet_cardiac_ext.errors import UsageError, WorkError, last_line
from nnunet_cardiac_ext.trainers.region_validation import reference_regions


class ReferenceLabels:
    """A folder of reference labels, `CASE.nii.gz`, 3-D or 4-D as the images.

    Frames of a 4-D file that nobody has labelled are empty: their slices count as non-cardiac.

    Args:
        folder: The folder.
        model: The model whose plans and labels are those of the reference.
        required: Whether a case without reference is a failure.

    Raises:
        UsageError: The folder is absent, or the labels are no heart's.
    """

    def __init__(self, folder: Path, model: Model, *, required: bool) -> None:
        if not folder.is_dir():
            raise UsageError(f"-ref {folder}: no such folder of labels")
        self._folder = folder
        self._model = model
        self._required = required
        self._label_map = label_map_of(model.dataset_json)
        self._reader: CineReader | None = None

    def regions(self, stack: Stack, slices: int) -> np.ndarray | None:
        """Return the region of each slice by the 20/60/20 rule.

        Args:
            stack: The stack; frames of a case in their order.
            slices: Number of slices of the image file.

        Returns:
            Values of `Region` or `UNKNOWN`, shape (slice,), in the order of nnU-Net's reader; None where a case has no
            reference and needs none.

        Raises:
            WorkError: A reference that is needed is not there, or one cannot be read or has other slices.
        """
        file = self._folder / f"{stack.case.name}{self._model.dataset_json['file_ending']}"
        if not file.is_file():
            if self._required:
                raise WorkError(f"{file}: expected the reference labels of this case, found none")
            return None
        if stack.frame is None and frame_count(file) is not None:
            raise WorkError(f"{file}: expected 3-D labels as the image is, got a 4-D file")
        regions = self._read(file) if stack.frame is None else self._read_frame(file, stack)
        if len(regions) != slices:
            raise WorkError(f"{file}: expected {slices} slices as in its image, got {len(regions)}")
        return regions

    def _read_frame(self, file: Path, stack: Stack) -> np.ndarray:
        assert stack.frame is not None
        if self._reader is None or stack.frame == 0:
            self._reader = CineReader([file])
        if self._reader.frames != stack.frames:
            raise WorkError(f"{file}: expected {stack.frames} frames as in its image, got {self._reader.frames}")
        with self._reader.frame(stack.frame) as files:
            return self._read(files[0])

    def _read(self, file: Path) -> np.ndarray:
        try:
            return reference_regions(
                file, self._model.plans, self._label_map, ignore_label=self._model.labels.ignore_label
            )
        except Exception as error:
            # Readers raise whatever they like; one broken file must not end the work on the others.
            reason = last_line(error, "it has another number of axes")
            raise WorkError(f"{file}: cannot be read as labels ({reason})") from error
