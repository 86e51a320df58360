"""`nnunet-cardiac predict PIPELINE`: segment a folder of images by one of the pipelines of the registry."""

from __future__ import annotations

import argparse
from pathlib import Path

from nnunet_cardiac_ext import registry
from nnunet_cardiac_ext.errors import UsageError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add one subparser per pipeline."""
    pipelines = parser.add_subparsers(dest="pipeline", required=True, metavar="PIPELINE")
    for name, pipeline in registry.PIPELINES.items():
        summary = pipeline.summary[0].upper() + pipeline.summary[1:]
        _PIPELINES[name][0](pipelines.add_parser(name, help=pipeline.summary, description=f"{summary}."))


def run(arguments: argparse.Namespace) -> int:
    """Run the chosen pipeline."""
    return _PIPELINES[arguments.pipeline][1](arguments)


def _add_slices(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("-i", dest="input", type=Path, required=True, metavar="DIR", help="images, CASE_0000.nii.gz per channel")
    add("-o", dest="output", type=Path, required=True, metavar="DIR", help="gets one segmentation per case")
    add("-d", dest="dataset", metavar="ID", help="data set of the model, number or name (with -c)")
    add("-c", dest="configuration", metavar="CONFIG", help="2D configuration of the model (with -d)")
    add("-tr", dest="trainer", default="nnUNetTrainer", help="trainer of the model (default: %(default)s)")
    add("-p", dest="plans", default="nnUNetPlans", help="plans of the model (default: %(default)s)")
    add("-m", dest="model", type=Path, metavar="DIR", help="model folder, instead of -d, -c, -tr and -p")
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


def _run_slices(arguments: argparse.Namespace) -> int:
    named = (arguments.dataset, arguments.configuration)
    if any(named) if arguments.model else not all(named):
        raise UsageError("predict slices: expected either -m or both -d and -c")
    if not 0 <= arguments.part_id < arguments.num_parts:
        raise UsageError(f"-part_id: expected 0 to {arguments.num_parts - 1}, got {arguments.part_id}")
    from inference_pipelines.model_folder import find_model_folder
    from inference_pipelines.slice_predictor import SlicePredictor

    predictor = SlicePredictor.from_model_folder(
        arguments.model or find_model_folder(*named, arguments.trainer, arguments.plans),
        folds=[_fold(text) for text in arguments.folds] if arguments.folds else None,
        checkpoint=arguments.checkpoint,
        device=arguments.device,
        mirroring=not arguments.disable_tta,
        tile_step_size=arguments.step_size,
        batch_size=arguments.batch,
    )
    written = predictor.predict_folder(
        arguments.input,
        arguments.output,
        save_probabilities=arguments.save_probabilities,
        overwrite=arguments.overwrite,
        num_parts=arguments.num_parts,
        part_id=arguments.part_id,
        quiet=arguments.quiet,
    )
    folds = ", ".join(map(str, predictor.model.folds))
    print(f"{arguments.output}: {len(written)} cases written, folds {folds} of {predictor.model.folder.name}")
    return 0


def _fold(text: str) -> int | str:
    if text == "all" or text.isdigit():
        return text if text == "all" else int(text)
    raise UsageError(f"-f: expected numbers or all, got {text!r}")


_PIPELINES = {"slices": (_add_slices, _run_slices)}
