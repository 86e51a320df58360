"""`nnunet-cardiac evaluate`: score a folder of segmentations against a reference."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from nnunet_cardiac_ext.errors import UsageError

if TYPE_CHECKING:
    from nnunet_cardiac_ext.evaluation import EvaluationResult


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("-ref", type=Path, required=True, metavar="LABELS", help="folder of reference labels")
    parser.add_argument("-pred", type=Path, required=True, metavar="DIR", help="folder of predicted labels, same names")
    parser.add_argument("-o", type=Path, required=True, metavar="OUT", help="folder for the tables")
    parser.add_argument(
        "--labels", type=parse_labels, metavar="LV=1,...",
        help="label values in both folders (default: of the dataset.json beside the reference, or RV=1,MYO=2,LV=3)",
    )  # fmt: skip
    parser.add_argument("--cases", type=Path, metavar="CSV", help="case table (default: cases.csv beside -ref)")
    parser.add_argument("--by", nargs="+", default=[], metavar="COLUMN", help="summarise by columns of the case table")
    parser.add_argument("-np", type=int, metavar="N", help="number of processes (default: by cores and cases)")
    parser.add_argument("--quiet", action="store_true", help="no progress bar and no table")


def run(arguments: argparse.Namespace) -> int:
    """Score the folder, print the means; 1 if some case could not be scored."""
    from nnunet_cardiac_ext.evaluation import evaluate

    result = evaluate(
        arguments.ref, arguments.pred, arguments.o,
        labels=arguments.labels, cases=arguments.cases, by=arguments.by, workers=arguments.np, quiet=arguments.quiet,
    )  # fmt: skip
    for line in (*result.remarks, *result.failures.values()):
        print(f"nnunet-cardiac: {line}", file=sys.stderr)
    if not arguments.quiet:
        print(_table(result))
    return 1 if result.failures else 0


def parse_labels(text: str) -> dict[str, int]:
    """Turn "LV=1,MYO=2,RV=3" into label values by structure.

    Raises:
        UsageError: A part is no NAME=NUMBER, a number is not positive, or one is given twice.
    """
    labels: dict[str, int] = {}
    for part in text.split(","):
        name, equals, value = (piece.strip() for piece in part.partition("="))
        if not (name and equals and value.isdecimal() and int(value) and name not in labels):
            raise UsageError(f"--labels: expected NAME=NUMBER,... with each name once and numbers from 1, got {text!r}")
        labels[name] = int(value)
    if len(set(labels.values())) < len(labels):
        raise UsageError(f"--labels: expected a number of its own for each structure, got {text!r}")
    return labels


def _table(result: EvaluationResult) -> str:
    from nnunet_cardiac_ext.evaluation.scoring import REGIONS

    structures = list(dict.fromkeys(row.structure for row in result.metrics))
    columns = [("dice", region) for region in REGIONS] + [("hd95", "all"), ("assd", "all")]
    titles = [f"Dice {region}" for region in REGIONS] + ["HD95 mm", "ASSD mm"]
    lines = [f"{len(result.cases)} cases, means".ljust(22) + "".join(f"{title:>13}" for title in titles)]
    for structure in structures:
        means = (result.mean(metric, structure, region) for metric, region in columns)
        cells = [f"{mean:13.3f}" for mean in means]
        lines.append(structure.ljust(22) + "".join(cells))
    if result.unpredicted:
        lines.append(f"not predicted, not scored: {len(result.unpredicted)} cases (listed in evaluation.json)")
    return "\n".join([*lines, f"tables: {result.output}"])
