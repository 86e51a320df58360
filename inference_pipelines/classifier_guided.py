"""Paper 004: whole stacks of any number of slices through the classifier-guided network.

Chen et al., Enhancing Cardiac MRI Segmentation via Classifier-Guided Two-Stage Network and All-Slice Information
Fusion Transformer. Logits and the probabilities of presence are averaged over folds and mirrored copies first; then,
per slice, a structure of probability 1/2 or less (or what is chosen instead) is taken away.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import torch

from inference_pipelines.case_tables import join_tables
from inference_pipelines.cine_input import Stack
from inference_pipelines.folder_options import FolderOptions
from inference_pipelines.folder_run import run_folder
from inference_pipelines.model_folder import Fold, Model, load_model
from inference_pipelines.preparation import PreparedCase, without_image
from inference_pipelines.presence_table import (
    FILE_NAME,
    PresenceRow,
    join_presence_tables,
    presence_rows,
    write_presence_table,
)
from inference_pipelines.slice_mapping import file_slices
from inference_pipelines.slice_predictor import SlicePredictor, available, check_numbers
from inference_pipelines.stack_windows import examine_stacks
from inference_pipelines.tiling import Window
from nnunet_cardiac_ext.architectures.classifier_guided import PRESENT, ClassifierGuidedNet, without_absent
from nnunet_cardiac_ext.errors import UsageError

# Logits, geometry, and lines of the table of a stack.
StackResult: TypeAlias = tuple[torch.Tensor, PreparedCase, list[PresenceRow]]

# Folder of the tables of single cases.
TABLES = "presence"
# Stacks (mirrored copies) that go through the network at once: more only cost memory on a CPU.
STACKS_ON_CPU = 1
STACKS_ON_GPU = 4


@dataclass(frozen=True)
class StackOfCase:
    """A stack on its way through the network.

    Attributes:
        stack: Which it is.
        case: Preprocessed image and geometry.
    """

    stack: Stack
    case: PreparedCase


class ClassifierGuidedPredictor:
    """A classifier-guided model in memory that predicts stacks.

    Attributes:
        model: The loaded model.
        window: Tiles and mirrored copies of the plane, and stacks at once.
        threshold: A structure is there if its probability is above this.
        structures: Names of the structures, in the order of the classifier's answers.
    """

    def __init__(self, model: Model, window: Window, *, threshold: float = PRESENT) -> None:
        self.model = model
        self.window = window
        self.threshold = threshold
        self._slices = SlicePredictor(model, window)
        names = {value: name for name, value in model.dataset_json["labels"].items() if name != "ignore"}
        self.structures = tuple(names[value] for value in sorted(names) if value)

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
        presence_threshold: float = PRESENT,
    ) -> ClassifierGuidedPredictor:
        """Load a trained model folder.

        Args:
            folder: nnU-Net's `TRAINER__PLANS__CONFIGURATION`.
            folds: Folds whose answers are averaged; None takes all that are trained.
            checkpoint: File name of the weights in each fold.
            device: cpu, cuda or mps.
            mirroring: Average over the mirrored copies that the training allows.
            tile_step_size: Distance of neighbouring tiles of the plane as a fraction of a tile.
            batch_size: Stacks (mirrored copies) at once; None chooses by the device.
            presence_threshold: A structure of this probability or less is taken away from a slice, 0 to below 1; the
                paper's is 1/2, 0 leaves all structures where the segmentation has them.

        Raises:
            UsageError: The folder is no trained model of whole stacks with a classifier, the device is not there, or a
                number is out of range.
        """
        check_numbers(tile_step_size, batch_size)
        if not 0 <= presence_threshold < 1:
            raise UsageError(f"presence threshold: expected at least 0 and below 1, got {presence_threshold:g}")
        there = available(torch.device(device))
        model = load_model(folder, folds=folds, checkpoint=checkpoint, device=there, stacks=True)
        network = model.networks[0]
        if not isinstance(network, ClassifierGuidedNet) or network.classifier is None:
            raise UsageError(
                f"{folder}: expected a model of ClassifierGuidedTrainer with its classifier (presence true), got one "
                "without; use nnUNetv2_predict for it"
            )
        return cls(
            model,
            Window(
                patch_size=model.patch_size,
                step_size=tile_step_size,
                mirror_axes=tuple(axis - 1 for axis in model.mirror_axes if axis) if mirroring else (),
                batch_size=batch_size or (STACKS_ON_CPU if there.type == "cpu" else STACKS_ON_GPU),
            ),
            threshold=presence_threshold,
        )

    def predict(self, images: torch.Tensor) -> list[tuple[torch.Tensor, np.ndarray]]:
        """Predict preprocessed stacks of one size together.

        Args:
            images: Preprocessed images (stack, channel, slice, row, column).

        Returns:
            For each stack the logits (class, slice, row, column), structures that are not there below all others, and
            the probability of each structure's presence (slice, structure), both float32 on the CPU.

        Raises:
            WorkError: A stack does not fit into the device's memory.
        """
        answers = [examine_stacks(network, images, self.window) for network in self.model.networks]
        logits, presence = (torch.stack(parts).mean(dim=0) for parts in zip(*answers, strict=True))
        results = []
        for of_stack, there in zip(logits, presence, strict=True):
            final = without_absent(of_stack.transpose(0, 1), there > self.threshold).transpose(0, 1)
            results.append((final.cpu(), there.cpu().numpy()))
        return results

    def predict_folder(
        self, input_folder: Path, output_folder: Path, *, only: Collection[str] | None = None, **options: Any
    ) -> list[Path]:
        """Predict every case of a folder; cases that are already there are left alone.

        Args:
            input_folder: Images `CASE_0000.nii.gz`, one per channel, 3-D or 4-D (frame by frame).
            output_folder: Gets `CASE.nii.gz`, `presence/CASE.csv`, `presence.csv` over all cases, and nnU-Net's record.
            only: Names of the cases that are wanted; None for all.
            options: Fields of `FolderOptions`.

        Returns:
            The label files written now, in the order of the cases.

        Raises:
            UsageError: The folder holds no images, the part is out of range, or the output is another pipeline's.
            WorkError: Some cases failed; the line names them. All others have been predicted.
        """
        result = run_folder(self, input_folder, output_folder, FolderOptions(**options), only=only)
        join_tables(output_folder / TABLES, lambda found: join_presence_tables(output_folder / FILE_NAME, found))
        return result.checked()

    @property
    def facts(self) -> dict[str, Any]:
        """What is recorded of this predictor beside its predictions."""
        return {**self._slices.facts, "pipeline": "classifier-guided", "presence_threshold": self.threshold}

    # The steps of a run over a folder (`stack_pipeline.StackPipeline`, `TakesStacksTogether`).

    def prepare(self, stack: Stack, files: Sequence[Path]) -> StackOfCase:
        """Read and preprocess a stack."""
        return StackOfCase(stack, self._slices.preprocess(files))

    def compute(self, prepared: StackOfCase) -> StackResult:
        """Predict a stack: its logits, its geometry, its lines of the table."""
        return self.compute_together([prepared])[0]

    @property
    def inputs_at_once(self) -> int:
        """Number of stacks whose mirrored copies fill a batch."""
        return self.window.inputs_in_a_pass

    def inputs_of(self, stack: Stack) -> int:
        """Return 1: the network takes whole stacks."""
        return 1

    def compute_together(self, prepared: Sequence[StackOfCase]) -> list[StackResult]:
        """Predict several stacks, together where nnU-Net has cut all of them to one size."""
        images = [each.case.image for each in prepared]
        if len({image.shape for image in images}) == 1:
            answers = self.predict(torch.stack(images))
        else:
            answers = [answer for image in images for answer in self.predict(image[None])]
        return [self._result(each, *answer) for each, answer in zip(prepared, answers, strict=True)]

    def write(self, result: StackResult, target: Path, *, save_probabilities: bool) -> list[PresenceRow]:
        """Write a prediction as nnU-Net does; returns its lines of the table."""
        logits, case, rows = result
        self._slices.write((logits, case), target, save_probabilities=save_probabilities)
        return rows

    def write_beside(self, folder: Path, case: str, parts: Sequence[list[PresenceRow]]) -> None:
        """Write the table of a case."""
        write_presence_table(folder / TABLES / f"{case}.csv", chain.from_iterable(parts))

    def files_beside(self, case: str) -> tuple[str, ...]:
        """Return the path of that table."""
        return (f"{TABLES}/{case}.csv",)

    def _result(self, prepared: StackOfCase, logits: torch.Tensor, presence: np.ndarray) -> StackResult:
        slices = file_slices(prepared.case.properties, self.model.plans)
        # Slices that nnU-Net has cut off are empty.
        everywhere = np.zeros((len(slices.numbers), len(self.structures)))
        everywhere[slices.first : slices.first + len(presence)] = presence
        stack = prepared.stack
        rows = presence_rows(
            stack.case.name, stack.frame, slices.numbers, self.structures, everywhere, threshold=self.threshold
        )
        return logits, without_image(prepared.case), rows
