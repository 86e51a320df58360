"""A case on its way to a network: nnU-Net's preprocessing of its files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from inference_pipelines.model_folder import Model
from inference_pipelines.nifti import frame_count
from nnunet_cardiac_ext.errors import WorkError, last_line
from nnunet_cardiac_ext.evaluation.inputs import itk_warnings_off


@dataclass(frozen=True)
class PreparedCase:
    """A case after nnU-Net's preprocessing.

    Attributes:
        image: Cropped, normalised and resampled image, float32 (channel, slice, row, column).
        properties: What nnU-Net needs to lead a prediction back to the original image.
    """

    image: torch.Tensor
    properties: dict[str, Any]


def prepare_case(model: Model, files: Sequence[Path]) -> PreparedCase:
    """Read the channels of a case and apply the preprocessing that a model's plans name.

    Args:
        model: The model.
        files: One 3-D file per channel.

    Raises:
        WorkError: A file cannot be read, or the channels do not fit each other or the plans.
    """
    if len(files) != model.channels:
        raise WorkError(f"{files[0]}: expected {model.channels} channels, got {len(files)} files")
    for path in files:
        if (frames := frame_count(path) or 1) > 1:
            raise WorkError(f"{path}: expected a 3-D file, got a 4-D one of {frames} frames")
    configuration = _ImageOnly(model.configuration)
    preprocessor = configuration.preprocessor_class(verbose=False)
    try:
        with itk_warnings_off():
            image, _, properties = preprocessor.run_case(
                [str(path) for path in files], None, model.plans, configuration, model.dataset_json
            )
    except Exception as error:
        # Readers raise whatever they like; one broken file must not end the work on the others.
        reason = last_line(error, "the channels differ in shape or spacing")
        raise WorkError(f"{files[0]}: cannot be read or preprocessed ({reason})") from error
    return PreparedCase(torch.from_numpy(image).float(), properties)


def without_image(case: PreparedCase) -> PreparedCase:
    """Return a case that has served: only its geometry waits for the export."""
    return replace(case, image=torch.empty(0))


class _ImageOnly:
    """nnU-Net's configuration with one exception: the empty segmentation of an unlabelled case is not resampled.

    nnU-Net resamples it and throws it away.
    """

    def __init__(self, configuration: Any) -> None:
        self._configuration = configuration

    def __getattr__(self, name: str) -> Any:
        return getattr(self._configuration, name)

    def resampling_fn_seg(self, segmentation: np.ndarray, *_: Any) -> np.ndarray:
        return segmentation
