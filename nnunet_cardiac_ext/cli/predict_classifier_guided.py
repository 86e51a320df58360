"""`nnunet-cardiac predict classifier-guided`: whole stacks, and what each slice holds."""

from __future__ import annotations

import argparse

from nnunet_cardiac_ext.cli.predict_options import (
    add_images,
    add_model,
    add_prediction,
    add_validation,
    check_source,
    chosen_validation,
    folder_options,
    model_options,
)
from nnunet_cardiac_ext.errors import UsageError
from nnunet_cardiac_ext.registry import PRESETS

PRESET = PRESETS["all-slice"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add_images(parser, required=False)
    add_model(parser, configuration=PRESET.configuration, trainer=PRESET.trainer)
    add_validation(parser)
    add_prediction(parser)
    parser.add_argument(
        "--presence_threshold", type=float, default=0.5, metavar="P",
        help="take a structure away from slices where its probability is P or less; 0 takes none (default: 0.5)",
    )  # fmt: skip


def run(arguments: argparse.Namespace) -> int:
    """Predict the folder, or a fold's validation cases."""
    check_source(arguments, "classifier-guided")
    if (arguments.model is None) == (arguments.dataset is None):
        raise UsageError("predict classifier-guided: expected either -m or -d")
    options = model_options(arguments)
    from inference_pipelines.classifier_guided import ClassifierGuidedPredictor
    from inference_pipelines.model_folder import find_model_folder

    model = arguments.model or find_model_folder(
        arguments.dataset, arguments.configuration, arguments.trainer, arguments.plans
    )
    predictor = ClassifierGuidedPredictor.from_model_folder(
        model, presence_threshold=arguments.presence_threshold, **options
    )
    cases = chosen_validation(arguments, predictor.model.plans.dataset_name)
    written = predictor.predict_folder(
        cases.images if cases else arguments.input, arguments.output,
        only=cases.names if cases else None, **folder_options(arguments),
    )  # fmt: skip
    folds = ", ".join(map(str, predictor.model.folds))
    print(f"{arguments.output}: {len(written)} cases written, folds {folds} of {predictor.model.folder.name}")
    return 0
