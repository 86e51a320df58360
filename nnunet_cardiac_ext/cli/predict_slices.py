"""`nnunet-cardiac predict slices`: one 2D model over whole stacks."""

from __future__ import annotations

import argparse

from nnunet_cardiac_ext.cli.predict_options import (
    add_images,
    add_model,
    add_prediction,
    folder_options,
    model_options,
)
from nnunet_cardiac_ext.errors import UsageError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add_images(parser)
    add_model(parser)
    add_prediction(parser)


def run(arguments: argparse.Namespace) -> int:
    """Predict the folder."""
    named = (arguments.dataset, arguments.configuration)
    if any(named) if arguments.model else not all(named):
        raise UsageError("predict slices: expected either -m or both -d and -c")
    options = model_options(arguments)
    from inference_pipelines.model_folder import find_model_folder
    from inference_pipelines.slice_predictor import SlicePredictor

    model = arguments.model or find_model_folder(*named, arguments.trainer, arguments.plans)
    predictor = SlicePredictor.from_model_folder(model, **options)
    written = predictor.predict_folder(arguments.input, arguments.output, **folder_options(arguments))
    folds = ", ".join(map(str, predictor.model.folds))
    print(f"{arguments.output}: {len(written)} cases written, folds {folds} of {predictor.model.folder.name}")
    return 0
