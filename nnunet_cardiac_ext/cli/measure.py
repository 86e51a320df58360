"""`nnunet-cardiac measure`: clinical numbers of a folder of label images."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from nnunet_cardiac_ext.cli.evaluate import add_labels

if TYPE_CHECKING:
    from nnunet_cardiac_ext.evaluation.measure import MeasureResult


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("-i", type=Path, required=True, metavar="LABELS", help="folder of label images, 3-D or 4-D")
    parser.add_argument("-o", type=Path, required=True, metavar="OUT", help="folder for the tables")
    add_labels(parser)
    parser.add_argument(
        "--cases", type=Path, metavar="CSV",
        help="case table: subject, phase, height_cm, weight_kg, heart_rate_bpm (default: cases.csv beside or in -i)",
    )  # fmt: skip
    parser.add_argument("--images", type=Path, metavar="DIR", help="images, for voxel sizes that label files have lost")
    parser.add_argument("-np", type=int, metavar="N", help="number of processes (default: by cores and subjects)")
    parser.add_argument("--quiet", action="store_true", help="no progress bar and no table")


def run(arguments: argparse.Namespace) -> int:
    """Measure the folder, print the means; 1 if some image could not be measured."""
    from nnunet_cardiac_ext.evaluation.measure import measure

    result = measure(
        arguments.i, arguments.o, labels=arguments.labels, cases=arguments.cases, images=arguments.images,
        workers=arguments.np, quiet=arguments.quiet,
    )  # fmt: skip
    for line in (*result.remarks, *result.failures.values()):
        print(f"nnunet-cardiac: {line}", file=sys.stderr)
    if not arguments.quiet:
        print(_table(result))
    return 1 if result.failures else 0


def _table(result: MeasureResult) -> str:
    from nnunet_cardiac_ext.evaluation.summary import statistics

    shown = result.subjects or result.volumes
    hearts = f", {len(result.subjects)} hearts with a phase" if result.subjects else ""
    what = f"{result.images} images{hearts}"
    lines = [what.ljust(36) + f"{'n':>6}{'mean':>10}{'sd':>10}"]
    for name in dict.fromkeys(key for line in shown for key in line if "frame" not in key and "slice" not in key):
        found = statistics(line[name] for line in shown if isinstance(line.get(name), float))
        if found.n:
            lines.append(f"{name:<36}{found.n:>6}{found.mean:>10.4g}{found.sd:>10.3g}")
    return "\n".join([*lines, f"tables: {result.output}"])
