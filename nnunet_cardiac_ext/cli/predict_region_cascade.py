"""`nnunet-cardiac predict region-cascade`: region classifier and region-specific models."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from inference_pipelines.region_modes import MODES
from nnunet_cardiac_ext.cli.predict_options import (
    add_images,
    add_prediction,
    add_validation,
    check_source,
    chosen_validation,
    folder_options,
    model_options,
)
from nnunet_cardiac_ext.errors import UsageError
from nnunet_cardiac_ext.registry import PRESET_GROUPS

GROUP = PRESET_GROUPS["region-cascade"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add_images(parser, required=False)
    add = parser.add_argument
    add("-d", dest="dataset", metavar="ID", help="data set of the models, number or name")
    add("-c", dest="prefix", default=GROUP.configuration, metavar="PREFIX",
        help=f"the models' configurations are {', '.join(f'PREFIX_{name}' for name in GROUP.members)} "
        "(default: %(default)s)")  # fmt: skip
    add("-p", dest="plans", default="nnUNetPlans", help="plans of the models (default: %(default)s)")
    add("-m", dest="models", nargs="+", action="extend", default=[], metavar="NAME=DIR",
        help=f"model folders that lie elsewhere; names are {', '.join(GROUP.members)}",
    )  # fmt: skip
    add("--regions", choices=MODES, default="predicted",
        help="whose regions count: the classifier's most probable ones (default), its answers decoded for the stack as "
        "a whole (in anatomical order, or by the extent of the heart), those of -ref, or all models weighted by its "
        "probabilities")  # fmt: skip
    add("-ref", dest="reference", type=Path, metavar="LABELS",
        help="reference labels, for --regions reference and the region table")  # fmt: skip
    add_validation(parser, "; -ref is then labelsTr")
    add_prediction(parser)


def run(arguments: argparse.Namespace) -> int:
    """Predict the folder, or a fold's validation cases; says on stderr what to know of the models."""
    check_source(arguments, "region-cascade")
    given, options = parse_models(arguments.models), model_options(arguments)
    from inference_pipelines.cascade_models import find_models, load_models
    from inference_pipelines.region_cascade import RegionCascade

    folders = find_models(arguments.dataset, prefix=arguments.prefix, plans=arguments.plans, given=given)
    models = load_models(folders, **options)
    for line in models.remarks:
        print(f"nnunet-cardiac: {line}", file=sys.stderr)
    cases = chosen_validation(arguments, models.baseline.model.plans.dataset_name)
    reference = arguments.reference or (cases.labels if cases else None)
    cascade = RegionCascade(models, regions=arguments.regions, reference=reference)
    written = cascade.predict_folder(
        cases.images if cases else arguments.input, arguments.output,
        only=cases.names if cases else None, **folder_options(arguments),
    )  # fmt: skip
    print(f"{arguments.output}: {len(written)} cases written, regions {arguments.regions}")
    return 0


def parse_models(texts: list[str]) -> dict[str, Path]:
    """Turn `NAME=DIR` texts into model folders by name.

    Raises:
        UsageError: A text is something else, or a name comes twice.
    """
    given: dict[str, Path] = {}
    for text in texts:
        name, equals, folder = text.partition("=")
        if not (name and equals and folder) or name in given:
            raise UsageError(f"-m: expected NAME=DIR, each name once, got {text!r}")
        given[name] = Path(folder)
    return given
