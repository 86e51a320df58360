"""Paper 003: CroCNet over whole stacks, with its first stage's answer and its crops on request.

Khan et al., Crop and Couple: Cardiac Image Segmentation Using Interlinked Specialist Networks. Both stages are one
network, so that the labels are those of nnUNetv2_predict; slices and mirrored copies go through it in batches.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from inference_pipelines.cine_input import Stack, write_cine_labels
from inference_pipelines.crop_boxes import TABLES, BoxRow, join_boxes, stack_boxes, write_boxes
from inference_pipelines.ensemble import ensemble_logits
from inference_pipelines.folder_options import FolderOptions
from inference_pipelines.folder_run import file_ending, run_folder
from inference_pipelines.model_folder import Model
from inference_pipelines.nifti import read_file_order
from inference_pipelines.preparation import PreparedCase, without_image
from inference_pipelines.slice_mapping import file_slices
from inference_pipelines.slice_predictor import SlicePredictor
from nnunet_cardiac_ext.architectures.crocnet import CroCNet
from nnunet_cardiac_ext.errors import UsageError

# Folder of stage 1's labels.
STAGE1 = "stage1"


@dataclass(frozen=True)
class PreparedStack:
    """A stack on its way to the network: which it is, its preprocessed image and its geometry."""

    stack: Stack
    case: PreparedCase


@dataclass(frozen=True)
class Prediction:
    """What the network says of a stack.

    Attributes:
        stack: Which it is.
        case: Its geometry.
        logits: Logits (class, slice, row, column) of the result.
        stage1: Those of stage 1, where they are wanted.
        boxes: Lines of the table of boxes, where it is wanted.
    """

    stack: Stack
    case: PreparedCase
    logits: Tensor
    stage1: Tensor | None
    boxes: list[BoxRow]


class CroCNetPipeline:
    """A CroCNet in memory that predicts stacks.

    Args:
        predictor: The model.
        refine: Whether stage 2 redraws what stage 1 found; else stage 1's answer is the result.
        save_stage1: Whether to write stage 1's labels too.
        save_boxes: Whether to write where the heart was found.

    Raises:
        UsageError: The model is none of CroCNet, or stage 1's labels are wanted twice.
    """

    def __init__(
        self, predictor: SlicePredictor, *, refine: bool = True, save_stage1: bool = False, save_boxes: bool = False
    ) -> None:
        for network in predictor.model.networks:
            if not isinstance(network, CroCNet):
                folder, got = predictor.model.folder, type(network).__name__
                raise UsageError(f"{folder}: expected a model of CroCNet, got {got}; predict slices takes it")
        if save_stage1 and not refine:
            raise UsageError("--save_stage1: the result is stage 1's own with --no-refine")
        self.predictor = predictor
        self.refine, self.save_stage1, self.save_boxes = refine, save_stage1, save_boxes

    def predict_folder(self, input_folder: Path, output_folder: Path, **options: Any) -> list[Path]:
        """Predict every case of a folder; cases that are already there are left alone.

        Args:
            input_folder: Images `CASE_0000.nii.gz`, one per channel, 3-D or 4-D (frame by frame).
            output_folder: Gets `CASE.nii.gz`, nnU-Net's record, and on request `stage1/CASE.nii.gz`, `boxes/CASE.csv`
                and `boxes.csv` over all cases.
            options: Fields of `FolderOptions`.

        Returns:
            The label files written now, in the order of the cases.

        Raises:
            UsageError: The folder holds no images, the part is out of range, or the output was made in another way.
            WorkError: Some cases failed; the line names them. All others have been predicted.
        """
        result = run_folder(self, input_folder, output_folder, FolderOptions(**options))
        if self.save_boxes:
            join_boxes(output_folder)
        return result.checked()

    def predict_logits(self, images: Sequence[Tensor]) -> list[tuple[Tensor, Tensor | None]]:
        """Predict preprocessed stacks in common batches.

        Args:
            images: Preprocessed images (channel, slice, row, column) of any sizes.

        Returns:
            For each image logits (class, slice, row, column) of the result, and those of stage 1 where they are needed.

        Raises:
            WorkError: The stacks do not fit into the device's memory, or the logits are not finite.
        """
        heads, networks, window = self.predictor.heads, self.model.networks, self.predictor.window
        if not self.refine:
            stage1 = ensemble_logits([_stage1(network) for network in networks], images, window, classes=heads)
            return [(logits, logits) for logits in stage1]
        if not (self.save_stage1 or self.save_boxes):
            return [(logits, None) for logits in ensemble_logits(networks, images, window, classes=heads)]
        stages = ensemble_logits([_BothStages(network) for network in networks], images, window, classes=2 * heads)
        return [(both[:heads], both[heads:]) for both in stages]

    # The steps of a run over a folder (`stack_pipeline.StackPipeline`, `TakesStacksTogether`).

    @property
    def model(self) -> Model:
        """The model."""
        return self.predictor.model

    @property
    def facts(self) -> dict[str, Any]:
        """What is recorded of this pipeline beside its predictions."""
        return {**self.predictor.facts, "pipeline": "crocnet", "stages": "both" if self.refine else "first"}

    def prepare(self, stack: Stack, files: Sequence[Path]) -> PreparedStack:
        """Read and preprocess a stack."""
        return PreparedStack(stack, self.predictor.preprocess(files))

    def compute(self, prepared: PreparedStack) -> Prediction:
        """Predict a stack."""
        return self.compute_together([prepared])[0]

    @property
    def inputs_at_once(self) -> int:
        """Number of slices that make full use of the device."""
        return self.predictor.inputs_at_once

    def inputs_of(self, stack: Stack) -> int | None:
        """Return the number of slices of a stack by its header."""
        return self.predictor.inputs_of(stack)

    def compute_together(self, prepared: Sequence[PreparedStack]) -> list[Prediction]:
        """Predict several stacks in common batches."""
        answers = self.predict_logits([each.case.image for each in prepared])
        return [self._prediction(each, *answer) for each, answer in zip(prepared, answers, strict=True)]

    def write(self, result: Prediction, target: Path, *, save_probabilities: bool) -> Prediction:
        """Write a prediction as nnU-Net does, stage 1's beside it; returns what is not written yet."""
        self.predictor.write((result.logits, result.case), target, save_probabilities=save_probabilities)
        if result.stage1 is not None:
            beside = target.parent / STAGE1 / target.name
            beside.parent.mkdir(exist_ok=True)
            self.predictor.write((result.stage1, result.case), beside, save_probabilities=save_probabilities)
        nothing = torch.empty(0)
        return Prediction(result.stack, result.case, nothing, None, result.boxes)

    def write_beside(self, folder: Path, case: str, parts: Sequence[Prediction]) -> None:
        """Write the table of boxes of a case, and join stage 1's labels of all frames."""
        if self.save_boxes:
            write_boxes(folder / TABLES / f"{case}.csv", [row for part in parts for row in part.boxes])
        if self.save_stage1 and parts[0].stack.frame is not None:
            ending = file_ending(self.model)
            files = [folder / STAGE1 / f"{part.stack.name}{ending}" for part in parts]
            source = parts[0].stack.case.files[0]
            write_cine_labels(folder / STAGE1 / f"{case}{ending}", [read_file_order(file) for file in files], source)
            for file in files:
                file.unlink()

    def files_beside(self, case: str) -> tuple[str, ...]:
        """Return the paths of what is written beside the labels."""
        stage1 = (f"{STAGE1}/{case}{file_ending(self.model)}",) if self.save_stage1 else ()
        return (*stage1, f"{TABLES}/{case}.csv") if self.save_boxes else stage1

    def _prediction(self, prepared: PreparedStack, logits: Tensor, stage1: Tensor | None) -> Prediction:
        stack, case = prepared.stack, prepared.case
        boxes = self._boxes(stack, case, stage1) if self.save_boxes and stage1 is not None else []
        return Prediction(stack, without_image(case), logits, stage1 if self.save_stage1 else None, boxes)

    def _boxes(self, stack: Stack, case: PreparedCase, stage1: Tensor) -> list[BoxRow]:
        """Return the lines of the table of boxes, by the mean of stage 1's logits over tiles, copies and folds."""
        network = self.model.networks[0]
        assert isinstance(network, CroCNet)
        heart = 1 - stage1.float().softmax(dim=0)[network.background]
        slices = file_slices(case.properties, self.model.plans)
        found = stack_boxes(heart, network.margin, slices, case.properties)
        return [BoxRow(stack.case.name, stack.frame, number, box) for number, box in found]


class _BothStages(nn.Module):
    """The logits of the result and those of stage 1, one after the other along the classes, of a single pass."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, image: Tensor) -> Tensor:
        stages = self.network.forward_stages(image)
        return torch.cat([stages.fused, stages.stage1.to(stages.fused.dtype)], dim=1)


def _stage1(network: nn.Module) -> nn.Module:
    assert isinstance(network, CroCNet)
    return network.stage1
