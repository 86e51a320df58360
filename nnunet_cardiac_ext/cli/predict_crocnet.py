"""`nnunet-cardiac predict crocnet`: a first network finds the heart, coupled specialists redraw it."""

from __future__ import annotations

import argparse
from pathlib import Path

from nnunet_cardiac_ext.cli.predict_options import add_images, add_prediction, folder_options, model_options
from nnunet_cardiac_ext.errors import UsageError
from nnunet_cardiac_ext.registry import PRESETS

PRESET = PRESETS["crocnet"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add_images(parser)
    add = parser.add_argument
    add("-d", dest="dataset", metavar="ID", help="data set of the model, number or name")
    add("-c", dest="configuration", default=PRESET.configuration, metavar="CONFIG",
        help="configuration of the model (default: %(default)s)")  # fmt: skip
    add("-tr", dest="trainer", default=PRESET.trainer, help="trainer of the model (default: %(default)s)")
    add("-p", dest="plans", default="nnUNetPlans", help="plans of the model (default: %(default)s)")
    add("-m", dest="model", type=Path, metavar="DIR", help="model folder, instead of -d, -c, -tr and -p")
    add("--no-refine", dest="refine", action="store_false", help="the answer of stage 1 alone, without crops")
    add("--save_stage1", action="store_true", help="also write stage 1's labels, stage1/CASE.nii.gz")
    add("--save_boxes", action="store_true", help="also write where the heart was found, boxes/CASE.csv and boxes.csv")
    add_prediction(parser)


def run(arguments: argparse.Namespace) -> int:
    """Predict the folder."""
    if bool(arguments.dataset) == bool(arguments.model):
        raise UsageError("predict crocnet: expected either -m or -d")
    options = model_options(arguments)
    from inference_pipelines.crocnet import CroCNetPipeline
    from inference_pipelines.model_folder import find_model_folder
    from inference_pipelines.slice_predictor import SlicePredictor

    model = arguments.model or find_model_folder(
        arguments.dataset, arguments.configuration, arguments.trainer, arguments.plans
    )
    pipeline = CroCNetPipeline(
        SlicePredictor.from_model_folder(model, **options),
        refine=arguments.refine, save_stage1=arguments.save_stage1, save_boxes=arguments.save_boxes,
    )  # fmt: skip
    written = pipeline.predict_folder(arguments.input, arguments.output, **folder_options(arguments))
    folds, stages = ", ".join(map(str, pipeline.model.folds)), "both stages" if arguments.refine else "stage 1"
    print(f"{arguments.output}: {len(written)} cases written, {stages}, folds {folds} of {pipeline.model.folder.name}")
    return 0
