"""The five models of the region cascade: where they lie, all in memory at once, and whether they go together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import numpy as np
import torch

from inference_pipelines.compatibility import check_same_preprocessing
from inference_pipelines.model_folder import Fold, Model, existing_folds, find_model_folder, load_model
from inference_pipelines.region_modes import SEGMENTING
from inference_pipelines.slice_predictor import SlicePredictor
from nnunet_cardiac_ext import region_order
from nnunet_cardiac_ext.architectures.slice_classifier import SliceClassifier, classify_slices
from nnunet_cardiac_ext.errors import UsageError, WorkError
from nnunet_cardiac_ext.region_order import RegionOrder
from nnunet_cardiac_ext.regions import Region
from nnunet_cardiac_ext.registry import PRESET_GROUPS, PRESETS

BASELINE, CLASSIFIER = "baseline", "classifier"
# The preset of the same name prepares their configurations, PREFIX_baseline and so on.
GROUP = PRESET_GROUPS["region-cascade"]
TRAINERS: Mapping[str, str] = MappingProxyType(
    {name: PRESETS[preset].trainer for name, preset in GROUP.members.items()}
)
# Slices that the classifier sees at once on a CPU, where more only cost memory.
SLICES_ON_CPU = 8
SLICES_ON_GPU = 64


@dataclass(frozen=True)
class CascadeModels:
    """Five models in memory.

    Attributes:
        segmenting: The model that segments slices of each region; non-cardiac ones are the baseline's.
        classifier: The region classifier, one network per fold.
        mirroring: Whether mirrored copies are averaged.
        order: What the classifier's training stacks tell of the order of regions; None where a fold has no such file.
        remarks: What the user should know of how the models go together, one line each.
    """

    segmenting: Mapping[Region, SlicePredictor]
    classifier: Model
    mirroring: bool
    order: RegionOrder | None
    remarks: tuple[str, ...]

    @property
    def baseline(self) -> SlicePredictor:
        """The model of non-cardiac slices, whose plans are those of the predictions."""
        return self.segmenting[Region.NON_CARDIAC]

    @property
    def by_name(self) -> dict[str, Model]:
        """Each model by its name."""
        segmenting = {name: self.segmenting[region].model for name, region in SEGMENTING.items()}
        return {name: segmenting.get(name, self.classifier) for name in TRAINERS}

    def classify(self, image: torch.Tensor) -> np.ndarray:
        """Return the probabilities of the regions of each slice, the mean over folds and mirrored copies.

        Args:
            image: Preprocessed image (channel, slice, row, column).

        Returns:
            Shape (slice, 4), float32, in the order of `Region`.

        Raises:
            WorkError: A batch does not fit into the device's memory.
        """
        model = self.classifier
        options = {
            "mirror_axes": model.mirror_axes if self.mirroring else (),
            "batch_size": SLICES_ON_CPU if model.device.type == "cpu" else SLICES_ON_GPU,
        }
        try:
            of_folds = [classify_slices(network, image, model.patch_size, **options) for network in model.networks]
        except torch.OutOfMemoryError as error:
            raise WorkError("the slices do not fit into the device's memory; use -device cpu") from error
        return torch.stack(of_folds).mean(dim=0).numpy()


def find_models(
    dataset: str | None, *, prefix: str = GROUP.configuration, plans: str = "nnUNetPlans", given: Mapping[str, Path]
) -> dict[str, Path]:
    """Return the folder of each model.

    Args:
        dataset: Number or name of the data set; may be None where all models are given.
        prefix: What the names of their configurations begin with.
        plans: Name of the plans.
        given: Folders of models by name, which are taken as they are.

    Raises:
        UsageError: A name is unknown, or a model is not there; the line names it.
    """
    unknown = [name for name in given if name not in TRAINERS]
    if unknown:
        raise UsageError(f"-m: expected NAME=DIR with a name of {', '.join(TRAINERS)}, got {unknown[0]!r}")
    return {name: given.get(name) or _default_folder(name, dataset, prefix, plans) for name in TRAINERS}


def load_models(
    folders: Mapping[str, Path],
    *,
    folds: Sequence[Fold] | None = None,
    checkpoint: str = "checkpoint_final.pth",
    device: str | torch.device = "cpu",
    mirroring: bool = True,
    tile_step_size: float = 0.5,
    batch_size: int | None = None,
) -> CascadeModels:
    """Load all models; options as in `SlicePredictor.from_model_folder`.

    Args:
        folders: Model folder by name (`TRAINERS`).
        folds: Folds of every model; None takes all that are trained.
        checkpoint: File name of the weights in each fold.
        device: cpu, cuda or mps.
        mirroring: Average over the mirrored copies that the training allows.
        tile_step_size: Distance of neighbouring tiles as a fraction of a tile.
        batch_size: Network inputs of a segmenting model at once; None bounds memory by itself.

    Raises:
        UsageError: A model is missing or of the wrong kind, or expects other preprocessing than the baseline; the line
            names it.
    """
    for name in TRAINERS:
        # Before the first is loaded, which takes its time.
        with _naming(name):
            existing_folds(folders[name], folds, checkpoint)
    segmenting: dict[Region, SlicePredictor] = {}
    models: dict[str, Model] = {}
    for name, region in SEGMENTING.items():
        with _naming(name):
            segmenting[region] = SlicePredictor.from_model_folder(
                folders[name], folds=folds, checkpoint=checkpoint, device=device, mirroring=mirroring,
                tile_step_size=tile_step_size, batch_size=batch_size,
            )  # fmt: skip
        models[name] = segmenting[region].model
    with _naming(CLASSIFIER):
        there = models[BASELINE].device
        models[CLASSIFIER] = load_model(folders[CLASSIFIER], folds=folds, checkpoint=checkpoint, device=there)
    for name, model in models.items():
        _check_kind(name, model)
    check_same_preprocessing(models)
    return CascadeModels(segmenting, models[CLASSIFIER], mirroring, _order(models[CLASSIFIER]), _remarks(models))


def _default_folder(name: str, dataset: str | None, prefix: str, plans: str) -> Path:
    if dataset is None:
        raise UsageError(f"region-cascade: expected -d, or -m {name}=DIR for the model {name}")
    with _naming(name):
        return find_model_folder(dataset, f"{prefix}_{name}", TRAINERS[name], plans)


@contextmanager
def _naming(name: str) -> Iterator[None]:
    try:
        yield
    except UsageError as error:
        raise UsageError(f"model {name}: {error}") from error


def _check_kind(name: str, model: Model) -> None:
    classifies = isinstance(model.networks[0], SliceClassifier)
    if classifies != (name == CLASSIFIER):
        wanted = "a model of RegionClassifierTrainer" if name == CLASSIFIER else "a model that segments"
        got = "a classifier" if classifies else "one that segments"
        raise UsageError(f"model {name}: expected {wanted}, got {got}: {model.folder}")


def _order(classifier: Model) -> RegionOrder | None:
    files = [classifier.folder / f"fold_{fold}" / region_order.FILE_NAME for fold in classifier.folds]
    if not all(path.is_file() for path in files):
        return None
    try:
        return RegionOrder.merged(RegionOrder.read(path) for path in files)
    except ValueError as error:
        raise UsageError(f"model {CLASSIFIER}: {classifier.folder}: {error}") from error


def _remarks(models: Mapping[str, Model]) -> tuple[str, ...]:
    folds = {name: (str(model.plans.dataset_name), model.folds) for name, model in models.items()}
    if len(set(folds.values())) == 1:
        return ()
    several_sets = len({dataset for dataset, _ in folds.values()}) > 1
    listed = ", ".join(
        f"{name} {f'{dataset} ' if several_sets else ''}{' '.join(map(str, numbers))}"
        for name, (dataset, numbers) in folds.items()
    )
    return (
        f"the models were trained on different folds ({listed}): one may have learned from patients that are unseen "
        "by another, so scores of validation patients are not those of unseen patients",
    )
