"""Start a training from the weights of another one."""

from __future__ import annotations

import zipfile
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch
from torch import nn

from nnunet_cardiac_ext.errors import UsageError


def checkpoint_path(text: str, *, results: Path, fold: int | str) -> Path:
    """Return the file that the setting `initial_weights`, or another one of its kind, names.

    Args:
        text: A path; `{fold}` stands for the fold, a relative one begins in `results`.
        results: The data set's folder of trained models.
        fold: The fold that is trained.
    """
    return results / Path(text.replace("{fold}", str(fold))).expanduser()


def load_initial_weights(network: nn.Module, file: Path, *, setting: str = "initial_weights") -> None:
    """Give a network all weights of nnU-Net's checkpoint of a network of the same shape.

    Other than nnU-Net's `-pretrained_weights` this also takes over the layers that make the segmentation: the labels
    are the same.

    Args:
        network: The network itself, neither compiled nor wrapped for distributed training.
        file: `checkpoint_final.pth` or another checkpoint of nnU-Net.
        setting: What names the file, for the error message.

    Raises:
        UsageError: The file is absent or no checkpoint, or its network is another one; the line names the first layer
            that differs.
    """
    weights = _read(file, setting)
    expected = network.state_dict()
    for name in (*expected, *weights):
        ours, theirs = (_shape(state.get(name)) for state in (expected, weights))
        if ours != theirs:
            raise UsageError(f"{file}: expected the weights of the same network; {name}: expected {ours}, got {theirs}")
    network.load_state_dict(weights)


def _read(file: Path, setting: str) -> dict[str, torch.Tensor]:
    if not file.is_file():
        raise UsageError(f"cardiac.{setting}: expected a checkpoint, got none at {file}; train it first")
    try:
        checkpoint: Any = torch.load(file, map_location="cpu", weights_only=False)
        return dict(checkpoint["network_weights"])
    except (RuntimeError, UnpicklingError, EOFError, KeyError, TypeError, zipfile.BadZipFile) as error:
        raise UsageError(f"{file}: expected a checkpoint of nnU-Net with network_weights") from error


def _shape(weights: torch.Tensor | None) -> str:
    return "no such layer" if weights is None else "x".join(map(str, weights.shape)) or "a number"
