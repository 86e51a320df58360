"""Paper 002, approach 2: each slice through the region classifier and then through the model of its region.

Mariscal-Harana et al., Improved AI-based Segmentation of Apical and Basal Slices from Clinical Cine CMR. Non-cardiac
slices go through the baseline model. One preprocessing per image, all five models in memory, the slices of one region
of a stack through their model together.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import torch

from inference_pipelines.cascade_models import CascadeModels
from inference_pipelines.case_tables import join_tables
from inference_pipelines.cine_input import Stack
from inference_pipelines.folder_options import FolderOptions
from inference_pipelines.folder_run import run_folder
from inference_pipelines.mixture import ProbabilityMixture
from inference_pipelines.model_folder import Model
from inference_pipelines.preparation import PreparedCase, without_image
from inference_pipelines.reference_labels import ReferenceLabels
from inference_pipelines.region_choice import StackRegions
from inference_pipelines.region_modes import EXTENT, MODES, ORDERED, PREDICTED, REFERENCE
from inference_pipelines.slice_mapping import FileSlices, file_slices
from nnunet_cardiac_ext import region_order, region_table
from nnunet_cardiac_ext.errors import UsageError
from nnunet_cardiac_ext.region_table import RegionRow, read_region_table, write_region_table

# Folder of the region tables of single cases.
TABLES = "regions"


@dataclass(frozen=True)
class CascadeStack:
    """A stack on its way to the models.

    Attributes:
        stack: Which it is.
        case: Preprocessed image and geometry.
        slices: Where its slices lie in the file.
        reference: Regions of the file's slices by the reference labels, or None.
    """

    stack: Stack
    case: PreparedCase
    slices: FileSlices
    reference: np.ndarray | None


class RegionCascade:
    """Five models in memory that predict stacks.

    Args:
        models: The models.
        regions: How the region of a slice is chosen: "predicted" (the classifier's most probable one, the paper's way),
            "ordered" and "extent" (its answers decoded for the stack as a whole), "reference" (that of reference
            labels, the paper's upper bound) or "blended" (all models, weighted by the classifier's probabilities).
        reference: Folder of reference labels; with other ways than "reference" their regions only go into the table.

    Raises:
        UsageError: `regions` is unknown, or what it needs is missing.
    """

    def __init__(self, models: CascadeModels, *, regions: str = PREDICTED, reference: Path | None = None) -> None:
        if regions not in MODES:
            raise UsageError(f"--regions: expected one of {', '.join(MODES)}, got {regions!r}")
        if regions == REFERENCE and reference is None:
            raise UsageError("--regions reference: expected the folder of reference labels, -ref LABELS")
        if regions in (ORDERED, EXTENT) and models.order is None:
            raise UsageError(
                f"--regions {regions}: expected {region_order.FILE_NAME} in each fold of {models.classifier.folder}, "
                "which its training writes; --regions predicted needs none"
            )
        self.models = models
        self.regions = regions
        self._reference_folder = reference
        self._reference = (
            ReferenceLabels(reference, models.baseline.model, required=regions == REFERENCE) if reference else None
        )

    def predict_folder(
        self, input_folder: Path, output_folder: Path, *, only: Collection[str] | None = None, **options: Any
    ) -> list[Path]:
        """Predict every case of a folder; cases that are already there are left alone.

        Args:
            input_folder: Images `CASE_0000.nii.gz`, one per channel, 3-D or 4-D (frame by frame).
            output_folder: Gets `CASE.nii.gz`, `regions/CASE.csv`, `regions.csv` over all cases, and nnU-Net's record.
            only: Names of the cases that are wanted; None for all.
            options: Fields of `FolderOptions`.

        Returns:
            The label files written now, in the order of the cases.

        Raises:
            UsageError: The folder holds no images, the part is out of range, or the output was made in another way.
            WorkError: Some cases failed; the line names them. All others have been predicted.
        """
        result = run_folder(self, input_folder, output_folder, FolderOptions(**options), only=only)
        join_region_tables(output_folder)
        return result.checked()

    def segment(self, image: torch.Tensor, weights: np.ndarray) -> torch.Tensor:
        """Predict a preprocessed stack, each slice by the models that have a weight in it.

        Args:
            image: Preprocessed image (channel, slice, row, column).
            weights: Weight of each region's model per slice, shape (slice, 4), rows sum to 1.

        Returns:
            Logits (class, slice, row, column): a model's own in half precision where each slice has one model,
            else those of the mean of the models' probabilities in float32.
        """
        heads, sigmoid = int(self.model.labels.num_segmentation_heads), self.model.labels.has_regions
        answers = (
            (slices, region, predictor.predict_logits(image, slices))
            for region, predictor in self.models.segmenting.items()
            if (slices := np.flatnonzero(weights[:, region]).tolist())
        )
        if np.isin(weights, (0, 1)).all():
            logits = torch.zeros((heads, *image.shape[1:]), dtype=torch.half)
            for slices, _, answer in answers:
                logits[:, slices] = answer
            return logits
        mixture = ProbabilityMixture((heads, *image.shape[1:]), sigmoid=sigmoid)
        for slices, region, answer in answers:
            mixture.add(slices, answer, torch.from_numpy(weights[slices, region]))
        return mixture.logits

    # The steps of a run over a folder (`stack_pipeline.StackPipeline`).

    @property
    def model(self) -> Model:
        """The baseline."""
        return self.models.baseline.model

    @property
    def facts(self) -> dict[str, Any]:
        """What is recorded of this cascade beside its predictions."""
        return {
            "pipeline": "region-cascade",
            "regions": self.regions,
            "reference": str(self._reference_folder) if self._reference_folder else None,
            "model_folders": {name: str(model.folder) for name, model in self.models.by_name.items()},
            "folds": {name: list(model.folds) for name, model in self.models.by_name.items()},
            "mirror_axes": list(self.models.baseline.window.mirror_axes),
            "tile_step_size": self.models.baseline.window.step_size,
        }

    def prepare(self, stack: Stack, files: Sequence[Path]) -> CascadeStack:
        """Read and preprocess a stack, and the regions of its reference."""
        case = self.models.baseline.preprocess(files)
        slices = file_slices(case.properties, self.model.plans)
        reference = self._reference.regions(stack, len(slices.numbers)) if self._reference else None
        return CascadeStack(stack, case, slices, reference)

    def compute(self, prepared: CascadeStack) -> tuple[torch.Tensor, PreparedCase, list[RegionRow]]:
        """Classify and segment a stack: its logits, its geometry, its lines of the region table."""
        image = prepared.case.image
        known = StackRegions.of_stack(
            self.models.classify(image), prepared.slices.first, len(prepared.slices.numbers),
            order=self.models.order, reference=prepared.reference,
        )  # fmt: skip
        logits = self.segment(image, known.weights(self.regions))
        stack = prepared.stack
        rows = known.rows(stack.case.name, stack.frame, prepared.slices.numbers, self.regions)
        return logits, without_image(prepared.case), rows

    def write(
        self, result: tuple[torch.Tensor, PreparedCase, list[RegionRow]], target: Path, *, save_probabilities: bool
    ) -> list[RegionRow]:
        """Write a prediction as nnU-Net does; returns its lines of the region table."""
        logits, case, rows = result
        self.models.baseline.write((logits, case), target, save_probabilities=save_probabilities)
        return rows

    def write_beside(self, folder: Path, case: str, parts: Sequence[list[RegionRow]]) -> None:
        """Write the region table of a case."""
        write_region_table(folder / TABLES / f"{case}.csv", chain.from_iterable(parts))

    def files_beside(self, case: str) -> tuple[str, ...]:
        """Return the path of that table."""
        return (f"{TABLES}/{case}.csv",)


def join_region_tables(folder: Path) -> None:
    """Write `regions.csv` of all cases in `regions/`; several processes may do so at once."""
    join_tables(
        folder / TABLES,
        lambda found: write_region_table(
            folder / region_table.FILE_NAME, chain.from_iterable(map(read_region_table, found))
        ),
    )
