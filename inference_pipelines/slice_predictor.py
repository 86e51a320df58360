"""One 2D model over whole stacks, in batches of slices and mirrored copies; the same result as nnUNetv2_predict.

In this process and without workers: while the network computes a case, one background thread writes the case before
and reads the case after it.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from nnunetv2.inference.export_prediction import (
    convert_predicted_logits_to_segmentation_with_correct_shape,
    export_prediction_from_logits,
)

from inference_pipelines.case_output import CaseOutput
from inference_pipelines.cine_input import Stack
from inference_pipelines.ensemble import ensemble_logits
from inference_pipelines.folder_options import FolderOptions
from inference_pipelines.folder_run import file_ending, run_folder
from inference_pipelines.input_cases import InputCase
from inference_pipelines.model_folder import Fold, Model, load_model
from inference_pipelines.preparation import PreparedCase, prepare_case, without_image
from inference_pipelines.tiling import Window, default_batch_size, inputs_at_once
from nnunet_cardiac_ext.errors import UsageError


class SlicePredictor:
    """A 2D model in memory that predicts stacks.

    Attributes:
        model: The loaded model.
        window: The tiling.
    """

    def __init__(self, model: Model, window: Window) -> None:
        self.model = model
        self.window = window

    @classmethod
    def from_model_folder(
        cls,
        folder: Path,
        *,
        folds: Sequence[Fold] | None = None,
        checkpoint: str = "checkpoint_final.pth",
        device: str | torch.device = "cpu",
        mirroring: bool = True,
        tile_step_size: float = 0.5,
        batch_size: int | None = None,
    ) -> SlicePredictor:
        """Load a trained model folder.

        Args:
            folder: nnU-Net's `TRAINER__PLANS__CONFIGURATION`.
            folds: Folds whose logits are averaged; None takes all that are trained.
            checkpoint: File name of the weights in each fold.
            device: cpu, cuda or mps.
            mirroring: Average over the mirrored copies that the training allows.
            tile_step_size: Distance of neighbouring tiles as a fraction of a tile.
            batch_size: Network inputs (tiles times mirrored copies) at once; None bounds memory by itself.

        Raises:
            UsageError: The folder is no trained 2D model, the device is not there, or a number is out of range.
        """
        check_numbers(tile_step_size, batch_size)
        model = load_model(folder, folds=folds, checkpoint=checkpoint, device=available(torch.device(device)))
        return cls(
            model,
            Window(
                patch_size=model.patch_size,
                step_size=tile_step_size,
                mirror_axes=model.mirror_axes if mirroring else (),
                batch_size=batch_size or default_batch_size(model.patch_size, model.device),
            ),
        )

    def preprocess(self, files: Sequence[Path]) -> PreparedCase:
        """Read the channels of a case and apply nnU-Net's preprocessing.

        Raises:
            WorkError: A file cannot be read, or the channels do not fit each other or the plans.
        """
        return prepare_case(self.model, files)

    def predict_logits(self, image: torch.Tensor, slices: Sequence[int] | None = None) -> torch.Tensor:
        """Predict a preprocessed stack: the mean of the folds' logits.

        Args:
            image: Preprocessed image (channel, slice, row, column).
            slices: Indices of the slices to predict, in the order wanted; None takes all.

        Returns:
            Logits (class, slice, row, column) on the CPU in half precision, as nnU-Net has them, one slice per index.

        Raises:
            WorkError: The stack does not fit into the device's memory, or the logits are not finite.
        """
        stack = image if slices is None else image[:, list(slices)]
        return ensemble_logits(self.model.networks, [stack], self.window, classes=self.heads)[0]

    @property
    def heads(self) -> int:
        """Number of logits per pixel."""
        return int(self.model.labels.num_segmentation_heads)

    def to_labels(self, logits: torch.Tensor, case: PreparedCase, *, probabilities: bool = False) -> Any:
        """Lead logits back to the original image.

        Args:
            logits: Logits (class, slice, row, column) of the preprocessed stack.
            case: The case they belong to.
            probabilities: Whether to return these too.

        Returns:
            Labels (slice, row, column) of the original image; with `probabilities` a pair of them and the
            probabilities (class, slice, row, column).
        """
        return convert_predicted_logits_to_segmentation_with_correct_shape(
            logits.numpy(), self.model.plans, self.model.configuration, self.model.labels, case.properties,
            return_probabilities=probabilities, num_threads_torch=1,
        )  # fmt: skip

    def export(
        self, logits: torch.Tensor, case: PreparedCase, output: Path, *, save_probabilities: bool = False
    ) -> None:
        """Write a prediction as nnU-Net does; its files appear together when all are complete.

        Args:
            logits: Logits (class, slice, row, column) of the preprocessed stack.
            case: The case they belong to.
            output: The file without its ending; `.nii.gz` (the model's ending), `.npz` and `.pkl` are appended.
            save_probabilities: Whether to write the probabilities.

        Raises:
            WorkError: The files cannot be written.
        """
        files = CaseOutput(output.parent, output.name, file_ending(self.model))
        try:
            files.add(
                Stack(InputCase(output.name, ())),
                lambda target: self.write((logits, case), target, save_probabilities=save_probabilities),
            )
            files.publish()
        finally:
            files.discard()

    def predict_folder(self, input_folder: Path, output_folder: Path, **options: Any) -> list[Path]:
        """Predict every case of a folder; cases that are already there are left alone.

        Args:
            input_folder: Images `CASE_0000.nii.gz`, one per channel, 3-D or 4-D (frame by frame).
            output_folder: Gets `CASE.nii.gz`, and `dataset.json`, `plans.json`, `predict_from_raw_data_args.json`.
            options: Fields of `FolderOptions`.

        Returns:
            The label files written now, in the order of the cases.

        Raises:
            UsageError: The folder holds no images, or the part is out of range.
            WorkError: Some cases failed; the line names them. All others have been predicted.
        """
        return run_folder(self, input_folder, output_folder, FolderOptions(**options)).checked()

    @property
    def facts(self) -> dict[str, Any]:
        """What is recorded of this predictor beside its predictions."""
        return {
            "pipeline": "slices",
            "model_folder": str(self.model.folder),
            "folds": list(self.model.folds),
            "mirror_axes": list(self.window.mirror_axes),
            "tile_step_size": self.window.step_size,
        }

    # The steps of a run over a folder (`stack_pipeline.StackPipeline`, `TakesStacksTogether`).

    def prepare(self, stack: Stack, files: Sequence[Path]) -> PreparedCase:
        """Read and preprocess a stack."""
        return self.preprocess(files)

    def compute(self, prepared: PreparedCase) -> tuple[torch.Tensor, PreparedCase]:
        """Predict a stack: its logits and its geometry."""
        return self.compute_together([prepared])[0]

    @property
    def inputs_at_once(self) -> int:
        """Number of slices that make full use of the device."""
        return inputs_at_once(self.window, self.model.device)

    def inputs_of(self, stack: Stack) -> int | None:
        """Return the number of slices of a stack by its header."""
        return stack.slices

    def compute_together(self, prepared: Sequence[PreparedCase]) -> list[tuple[torch.Tensor, PreparedCase]]:
        """Predict several stacks in common batches."""
        images = [case.image for case in prepared]
        logits = ensemble_logits(self.model.networks, images, self.window, classes=self.heads)
        return [(answer, without_image(case)) for answer, case in zip(logits, prepared, strict=True)]

    def write(self, result: tuple[torch.Tensor, PreparedCase], target: Path, *, save_probabilities: bool) -> None:
        """Write a prediction as nnU-Net does."""
        logits, case = result
        export_prediction_from_logits(
            logits.numpy(), case.properties, self.model.configuration, self.model.plans,
            self.model.dataset_json, str(target), save_probabilities, 1,
        )  # fmt: skip

    def write_beside(self, folder: Path, case: str, parts: Sequence[None]) -> None:
        """Write nothing further."""

    def files_beside(self, case: str) -> tuple[str, ...]:
        """Return nothing: there are no further files."""
        return ()


def check_numbers(tile_step_size: float, batch_size: int | None) -> None:
    """Check the numbers that say how slices are tiled.

    Raises:
        UsageError: One is out of range.
    """
    if not 0 < tile_step_size <= 1:
        raise UsageError(f"step size: expected above 0 and at most 1, got {tile_step_size:g}")
    if batch_size is not None and batch_size < 1:
        raise UsageError(f"batch: expected at least 1, got {batch_size}")


def available(device: torch.device) -> torch.device:
    """Return the device.

    Raises:
        UsageError: This machine has none of that kind.
    """
    kinds = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if not kinds.get(device.type):
        usable = ", ".join(name for name, there in kinds.items() if there)
        raise UsageError(f"-device: expected one of {usable} on this machine, got {device.type}")
    return device
