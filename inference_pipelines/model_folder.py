"""A trained nnU-Net model folder, of slices or of whole stacks, in memory: networks, plans, data set description."""

from __future__ import annotations

import contextlib
import copy
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from nnunetv2.inference.predict_from_raw_data import nnUNetPredictor
from torch import nn

from nnunet_cardiac_ext import discovery
from nnunet_cardiac_ext.errors import UsageError, first_line

Fold = int | str


@dataclass(frozen=True)
class Model:
    """What prediction needs of a model folder.

    Attributes:
        folder: Where it was read from.
        folds: The folds, one per network.
        networks: Networks in evaluation mode on the device; each gives logits (batch, class, [slice,] row, column).
        plans: nnU-Net's PlansManager.
        configuration: nnU-Net's ConfigurationManager of the trained configuration.
        configuration_name: Its name in the plans.
        labels: nnU-Net's LabelManager.
        dataset_json: Content of `dataset.json`.
        mirror_axes: Axes of the patch that the training mirrored; of slices 0 rows, 1 columns.
        device: Where the networks are.
    """

    folder: Path
    folds: tuple[Fold, ...]
    networks: tuple[nn.Module, ...]
    plans: Any
    configuration: Any
    configuration_name: str
    labels: Any
    dataset_json: dict[str, Any]
    mirror_axes: tuple[int, ...]
    device: torch.device

    @property
    def channels(self) -> int:
        """Number of image channels of a case."""
        return len(self.dataset_json.get("channel_names") or self.dataset_json["modality"])

    @property
    def patch_size(self) -> tuple[int, int]:
        """Rows and columns of a tile."""
        rows, columns = self.configuration.patch_size[-2:]
        return int(rows), int(columns)


def find_model_folder(dataset: str, configuration: str, trainer: str, plans: str) -> Path:
    """Return nnU-Net's results folder of a trained configuration.

    Args:
        dataset: Number or name of the data set (`27`, `027`, `Dataset027_ACDC`).
        configuration: Name of the configuration.
        trainer: Class name of the trainer.
        plans: Name of the plans.

    Raises:
        UsageError: `nnUNet_results` is unset, or the data set or the folder is not there.
    """
    number = dataset.removeprefix("Dataset").split("_")[0]
    if not number.isdigit():
        raise UsageError(f"-d: expected a number or a name like Dataset027_ACDC, got {dataset!r}")
    folder = discovery.dataset_folder(discovery.results_folder(), int(number))
    found = folder / f"{trainer}__{plans}__{configuration}"
    if not found.is_dir():
        names = sorted(path.name for path in folder.glob("*__*__*") if path.is_dir())
        raise UsageError(f"{found}: no such model; trained are: {', '.join(names) or 'none'}")
    return found


def existing_folds(folder: Path, folds: Sequence[Fold] | None, checkpoint: str) -> tuple[Fold, ...]:
    """Return the folds of a model folder that are wanted.

    Args:
        folder: The model folder.
        folds: Folds; None takes all that hold the checkpoint, except `all`.
        checkpoint: File name of the weights.

    Raises:
        UsageError: The folder is no model folder, or a fold is not trained.
    """
    for name in ("dataset.json", "plans.json"):
        if not (folder / name).is_file():
            raise UsageError(f"{folder}: expected a trained model folder with {name}")
    trained = {path.parent.name.removeprefix("fold_") for path in folder.glob(f"fold_*/{checkpoint}")}
    numbered = sorted(int(name) for name in trained if name.isdigit())
    chosen = tuple(numbered if folds is None else folds)
    missing = [str(fold) for fold in chosen if str(fold) not in trained]
    if missing or not chosen:
        wanted = f"fold_{missing[0]}/{checkpoint}" if missing else f"fold_0/{checkpoint} or another fold"
        raise UsageError(f"{folder}: expected {wanted}, found {', '.join(sorted(trained)) or 'no fold'} with it")
    return chosen


def load_model(
    folder: Path, *, folds: Sequence[Fold] | None, checkpoint: str, device: torch.device, stacks: bool = False
) -> Model:
    """Load every fold of a model folder into memory.

    Args:
        folder: nnU-Net's `TRAINER__PLANS__CONFIGURATION`, with `fold_X` below it.
        folds: Folds to ensemble; None takes all that hold the checkpoint, except `all`.
        checkpoint: File name of the weights.
        device: Where the networks go.
        stacks: Whether a configuration of stacks is wanted, which keeps slices as they are, or a 2D one.

    Raises:
        UsageError: A file is missing or unreadable, the trainer is not found, or the configuration is of another kind.
    """
    chosen = existing_folds(folder, folds, checkpoint)
    predictor = _initialised_predictor(folder, chosen, checkpoint, device)
    name = _configuration_name(predictor)
    axes, resampled = len(predictor.configuration_manager.patch_size), len(predictor.configuration_manager.spacing)
    if stacks and (axes, resampled) != (3, 2):
        raise UsageError(
            f"{folder}: expected a configuration of whole stacks (nnunet-cardiac plan --preset all-slice), got {name}; "
            "use nnUNetv2_predict for it"
        )
    if not stacks and axes != 2:
        raise UsageError(f"{folder}: expected a 2D configuration, got {name}, which is 3D; use nnUNetv2_predict for it")
    return Model(
        folder=folder,
        folds=chosen,
        networks=_networks(predictor, device),
        plans=predictor.plans_manager,
        configuration=predictor.configuration_manager,
        configuration_name=name,
        labels=predictor.label_manager,
        dataset_json=predictor.dataset_json,
        mirror_axes=tuple(predictor.allowed_mirroring_axes or ()),
        device=device,
    )


def _initialised_predictor(folder: Path, folds: Sequence[Fold], checkpoint: str, device: torch.device) -> Any:
    discovery.enable_trainers()
    # nnU-Net prints while it searches trainers; what matters of it comes back as an exception.
    with contextlib.redirect_stdout(io.StringIO()):
        predictor = nnUNetPredictor(device=device, allow_tqdm=False)
        try:
            predictor.initialize_from_trained_model_folder(str(folder), tuple(folds), checkpoint)
        except Exception as error:
            # Anything from a truncated zip to a foreign network: the reader of one line cannot use the traceback.
            raise UsageError(f"{folder}: the model cannot be loaded ({first_line(error)})") from error
    return predictor


def _configuration_name(predictor: Any) -> str:
    content = json.dumps(predictor.configuration_manager.configuration, sort_keys=True, default=str)
    for name in predictor.plans_manager.available_configurations:
        candidate = predictor.plans_manager.get_configuration(name).configuration
        if json.dumps(candidate, sort_keys=True, default=str) == content:
            return str(name)
    return "unnamed"


def _networks(predictor: Any, device: torch.device) -> tuple[nn.Module, ...]:
    # nnUNet_compile wraps the network; batches of changing size would compile again and again.
    first = getattr(predictor.network, "_orig_mod", predictor.network)
    networks = [first, *(copy.deepcopy(first) for _ in predictor.list_of_parameters[1:])]
    for network, weights in zip(networks, predictor.list_of_parameters, strict=True):
        network.load_state_dict(weights)
    return tuple(network.to(device).eval() for network in networks)
