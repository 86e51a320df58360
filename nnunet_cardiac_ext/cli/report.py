"""`nnunet-cardiac report`: one HTML page from an evaluation, or from predictions without a reference."""

from __future__ import annotations

import argparse
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("-i", type=Path, metavar="DIR", help="output folder of nnunet-cardiac evaluate")
    parser.add_argument(
        "-pred", type=Path, metavar="DIR",
        help="folder of predicted labels (default: as evaluated); without -i the page is about them alone",
    )  # fmt: skip
    parser.add_argument("-ref", type=Path, metavar="LABELS", help="folder of reference labels (default: as evaluated)")
    parser.add_argument("-images", type=Path, metavar="DIR", help="folder of images (default: imagesTr of labelsTr)")
    parser.add_argument(
        "-o", type=Path, metavar="HTML",
        help="the page (default: report.html in the folder of -i, or in PRED_report beside the predictions)",
    )  # fmt: skip
    parser.add_argument("-m", type=Path, metavar="MODEL", help="nnU-Net model folder, for its training curves")
    parser.add_argument("--title", metavar="TEXT", help="heading of the page")
    parser.add_argument("--cases", nargs="+", default=(), metavar="NAME", help="cases whose slices are shown")
    parser.add_argument("--all", action="store_true", help="also write pages with the slices of every case")
    parser.add_argument(
        "--measure", type=Path, nargs=2, metavar=("REF", "PRED"),
        help="folders of nnunet-cardiac measure (default: measure_reference and measure_prediction in -i)",
    )  # fmt: skip
    parser.add_argument(
        "--quality", type=Path, metavar="DIR", help="of nnunet-cardiac quality (default: quality in -i)"
    )
    parser.add_argument(
        "--comparison", type=Path, metavar="DIR", help="of nnunet-cardiac compare (default: comparison in -i)"
    )
    parser.add_argument(
        "--classification", type=Path, metavar="CSV",
        help="answers of a region classifier: case,slice,region,predicted[,ordered], as in the regions.csv of "
        "RegionClassifierTrainer (default: classification.csv in -i)",
    )  # fmt: skip
    parser.add_argument("--quiet", action="store_true", help="no progress bar")


def run(arguments: argparse.Namespace) -> int:
    """Write the page and print its path."""
    from nnunet_cardiac_ext.evaluation import report
    from nnunet_cardiac_ext.evaluation.reporting.page import DEFAULT_TITLE

    path = report(
        arguments.i, images=arguments.images, reference=arguments.ref, prediction=arguments.pred, output=arguments.o,
        title=arguments.title or DEFAULT_TITLE, measured=tuple(arguments.measure) if arguments.measure else None,
        quality=arguments.quality, comparison=arguments.comparison, classification=arguments.classification,
        model=arguments.m, cases=arguments.cases, all_cases=arguments.all, quiet=arguments.quiet,
    )  # fmt: skip
    print(f"report: {path}")
    return 0
