"""Options that all pipelines of `nnunet-cardiac predict` share."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nnunet_cardiac_ext.errors import UsageError

if TYPE_CHECKING:
    from inference_pipelines.validation_cases import ValidationCases


def add_images(parser: argparse.ArgumentParser, *, required: bool = True) -> None:
    """Declare where images come from and where segmentations go."""
    add = parser.add_argument
    add("-i", dest="input", type=Path, required=required, metavar="DIR",
        help="images, CASE_0000.nii.gz per channel; 4-D ones are predicted frame by frame")  # fmt: skip
    add("-o", dest="output", type=Path, required=True, metavar="DIR", help="gets one segmentation per case")


def add_validation(parser: argparse.ArgumentParser, consequence: str = "") -> None:
    """Declare that a fold's validation cases may take the place of a folder of images.

    Args:
        parser: The pipeline's.
        consequence: What else that changes, for the help.
    """
    parser.add_argument(
        "--validation", action="store_true",
        help=f"predict the validation cases of the one fold -f, instead of -i{consequence}",
    )  # fmt: skip


def check_source(arguments: argparse.Namespace, pipeline: str) -> None:
    """Check that there are either images or one fold whose validation cases are wanted.

    Raises:
        UsageError: There are both or neither.
    """
    if arguments.validation and (arguments.input or len(arguments.folds or ()) != 1):
        raise UsageError("--validation: expected exactly one fold, -f FOLD, and no -i")
    if not arguments.validation and not arguments.input:
        raise UsageError(f"predict {pipeline}: expected images, -i DIR, or --validation")


def chosen_validation(arguments: argparse.Namespace, dataset: str) -> ValidationCases | None:
    """Return the validation cases of the fold that is wanted, None where there are images instead.

    Args:
        arguments: What was typed.
        dataset: Name of the data set's folders.

    Raises:
        UsageError: As `validation_cases`.
    """
    if not arguments.validation:
        return None
    from inference_pipelines.validation_cases import validation_cases

    return validation_cases(dataset, arguments.folds[0])


def add_model(
    parser: argparse.ArgumentParser, *, configuration: str | None = None, trainer: str = "nnUNetTrainer"
) -> None:
    """Declare how the one model of a pipeline is named.

    Args:
        parser: The pipeline's.
        configuration: Default of its configuration; None where there is none.
        trainer: Default of its trainer.
    """
    add, default = parser.add_argument, "" if configuration is None else " (default: %(default)s)"
    add("-d", dest="dataset", metavar="ID", help="data set of the model, number or name")
    add("-c", dest="configuration", default=configuration, metavar="CONFIG",
        help=f"configuration of the model, with -d{default}")  # fmt: skip
    add("-tr", dest="trainer", default=trainer, help="trainer of the model (default: %(default)s)")
    add("-p", dest="plans", default="nnUNetPlans", help="plans of the model (default: %(default)s)")
    add("-m", dest="model", type=Path, metavar="DIR", help="model folder, instead of -d, -c, -tr and -p")


def add_prediction(parser: argparse.ArgumentParser) -> None:
    """Declare how a pipeline predicts and how it works through the folder."""
    add = parser.add_argument
    add("-f", dest="folds", nargs="+", metavar="FOLD", help="folds to ensemble, or all (default: every one trained)")
    add("-chk", dest="checkpoint", default="checkpoint_final.pth", help="weights to use (default: %(default)s)")
    add("-device", default="cuda", choices=("cpu", "cuda", "mps"), help="default: %(default)s")
    add("-step_size", type=float, default=0.5, help="distance of tiles as a fraction of a tile (default: %(default)s)")
    add("-num_parts", type=int, default=1, help="number of such commands that share the cases (default: 1)")
    add("-part_id", type=int, default=0, help="which of them this one is, from 0 (default: 0)")
    add("--batch", type=int, metavar="N", help="network inputs at once, mirrored copies counted (default: by memory)")
    add("--save_probabilities", action="store_true", help="also write CASE.npz and CASE.pkl")
    add("--disable_tta", action="store_true", help="no mirrored copies: up to four times faster, less accurate")
    add("--overwrite", action="store_true", help="predict also the cases that are already in the output folder")
    add("--quiet", action="store_true", help="no progress bar")


def model_options(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return what loading a model takes.

    Raises:
        UsageError: A fold is no fold, or the part is out of range: both before anything slow begins.
    """
    if not 0 <= arguments.part_id < arguments.num_parts:
        raise UsageError(f"-part_id: expected 0 to {arguments.num_parts - 1}, got {arguments.part_id}")
    return {
        "folds": [_fold(text) for text in arguments.folds] if arguments.folds else None,
        "checkpoint": arguments.checkpoint,
        "device": arguments.device,
        "mirroring": not arguments.disable_tta,
        "tile_step_size": arguments.step_size,
        "batch_size": arguments.batch,
    }


def folder_options(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return how the folder is worked through, the fields of `FolderOptions`."""
    names = ("save_probabilities", "overwrite", "num_parts", "part_id", "quiet")
    return {name: getattr(arguments, name) for name in names}


def _fold(text: str) -> int | str:
    if text == "all" or text.isdigit():
        return text if text == "all" else int(text)
    raise UsageError(f"-f: expected numbers or all, got {text!r}")
