"""`nnunet-cardiac reproduce`: a paper's tables and figures, its numbers beside ours."""

from __future__ import annotations

import argparse
from pathlib import Path

from nnunet_cardiac_ext.cli.plan import parse_change
from nnunet_cardiac_ext.errors import UsageError
from nnunet_cardiac_ext.recipes import RECIPES

SMOKE_ID = 900


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("paper", choices=list(RECIPES), help="number of the paper")
    parser.add_argument("-d", type=int, metavar="ID", help="a converted data set (with --smoke none is needed)")
    parser.add_argument("-o", type=Path, metavar="DIR", help="where all is put (default: reproduce-PAPER[-smoke])")
    parser.add_argument("-f", type=int, nargs="+", default=[0], metavar="FOLD", help="folds to train (default 0)")
    parser.add_argument("--seeds", type=int, nargs="+", metavar="S", help="train each fold with these seeds")
    parser.add_argument(
        "--models", nargs="+", default=[], metavar="NAME",
        help="only these models and pipelines of the recipe, with what they need; all: also what is not in the paper",
    )  # fmt: skip
    parser.add_argument(
        "--once", nargs="+", default=[], metavar="NAME", help="run these of them with the first of the seeds only"
    )
    parser.add_argument(
        "--set", nargs="+", default=[], metavar="KEY=VALUE",
        help="set in every model but classifiers (a shorter training, a small net); classifier.KEY=VALUE: in every "
        "classifier; MODEL.KEY=VALUE: in that model, MODEL.KEY= leaves it out there",
    )  # fmt: skip
    parser.add_argument("--tag", default="", metavar="TEXT", help="added to the names of the configurations")
    parser.add_argument("-device", choices=("cpu", "cuda", "mps"), help="where to train (default: cuda, --smoke: cpu)")
    parser.add_argument("-np", type=int, metavar="N", help="worker processes (default: all cores)")
    parser.add_argument("--smoke", action="store_true", help="try it on phantoms with tiny models, in a few minutes")
    parser.add_argument("--quiet", action="store_true", help="print only the result")


def run(arguments: argparse.Namespace) -> int:
    """Run the study and print the page with its tables."""
    from nnunet_cardiac_ext.processes import available_cores
    from nnunet_cardiac_ext.reproduce import Study, reproduce

    if arguments.d is None and not arguments.smoke:
        raise UsageError("reproduce: expected -d ID, the number of a converted data set, or --smoke")
    suffix = "-smoke" if arguments.smoke else ""
    study = Study(
        recipe=RECIPES[arguments.paper],
        dataset_id=SMOKE_ID if arguments.d is None else arguments.d,
        output=arguments.o or Path(f"reproduce-{arguments.paper}{suffix}"),
        folds=tuple(arguments.f),
        seeds=tuple(arguments.seeds or (None,)),
        models=tuple(arguments.models),
        once=tuple(arguments.once),
        settings={parse_change(text)[0]: text.partition("=")[2] for text in arguments.set},
        device=arguments.device or ("cpu" if arguments.smoke else "cuda"),
        smoke=arguments.smoke,
        workers=arguments.np or available_cores(),
        tag=arguments.tag,
        quiet=arguments.quiet,
    )
    page = reproduce(study)
    print(page.read_text(encoding="utf-8"))
    print(f"tables and figures: {study.output}")
    return 0
