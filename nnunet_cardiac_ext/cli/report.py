"""`nnunet-cardiac report`: one HTML page from an evaluation."""

from __future__ import annotations

import argparse
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("-i", type=Path, required=True, metavar="DIR", help="output folder of nnunet-cardiac evaluate")
    parser.add_argument("-images", type=Path, metavar="DIR", help="folder of images (default: imagesTr of labelsTr)")
    parser.add_argument("-ref", type=Path, metavar="LABELS", help="folder of reference labels (default: as evaluated)")
    parser.add_argument("-pred", type=Path, metavar="DIR", help="folder of predicted labels (default: as evaluated)")
    parser.add_argument("-o", type=Path, metavar="HTML", help="the page (default: report.html in the folder of -i)")
    parser.add_argument("--title", metavar="TEXT", help="heading of the page")
    parser.add_argument("--quiet", action="store_true", help="no progress bar")


def run(arguments: argparse.Namespace) -> int:
    """Write the page and print its path."""
    from nnunet_cardiac_ext.evaluation import report
    from nnunet_cardiac_ext.evaluation.page import DEFAULT_TITLE

    path = report(
        arguments.i, images=arguments.images, reference=arguments.ref, prediction=arguments.pred, output=arguments.o,
        title=arguments.title or DEFAULT_TITLE, quiet=arguments.quiet,
    )  # fmt: skip
    print(f"report: {path}")
    return 0
