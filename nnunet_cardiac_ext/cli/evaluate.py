"""`nnunet-cardiac evaluate`: score a folder of segmentations against a reference."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from nnunet_cardiac_ext.errors import UsageError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("-ref", type=Path, required=True, metavar="LABELS", help="folder of reference labels")
    parser.add_argument("-pred", type=Path, required=True, metavar="DIR", help="folder of predicted labels, same names")
    parser.add_argument("-o", type=Path, required=True, metavar="OUT", help="folder for the tables")
    parser.add_argument(
        "--labels", type=parse_labels, metavar="LV=1,...",
        help="what to score: label values in both folders; others in the files are background (default: all of the "
        "dataset.json beside the reference, or RV=1,MYO=2,LV=3)",
    )  # fmt: skip
    parser.add_argument("--cases", type=Path, metavar="CSV", help="case table (default: cases.csv beside -ref)")
    parser.add_argument("--by", nargs="+", default=[], metavar="COLUMN", help="summarise by columns of the case table")
    parser.add_argument(
        "--convention", nargs="+", metavar="NAME",
        help="conventions of scoring: nnunet-cardiac (default), acdc, mnms, emidec (or challenge), nnunet, crocnet",
    )  # fmt: skip
    parser.add_argument(
        "--metrics", type=parse_names, metavar="NAME,...", help="compute these metrics only, such as dice,hd95"
    )
    parser.add_argument("--scheme", metavar="NAME", help="regions of metrics.csv: 20/60/20 (default) or thirds")
    parser.add_argument("--nsd-tolerance", type=float, metavar="MM", help="tolerance of the surface Dice (default: 2)")
    parser.add_argument("--slices", action="store_true", help="write slices.csv too: every slice by itself")
    parser.add_argument("-np", type=int, metavar="N", help="number of processes (default: by cores and cases)")
    parser.add_argument("--quiet", action="store_true", help="no progress bar and no table")


def run(arguments: argparse.Namespace) -> int:
    """Score the folder, print the means; 1 if some case could not be scored."""
    from nnunet_cardiac_ext.evaluation import evaluate
    from nnunet_cardiac_ext.evaluation.means_text import means_as_text
    from nnunet_cardiac_ext.evaluation.scoring_settings import DEFAULT_SCHEME

    chosen = {
        "conventions": arguments.convention, "metrics": arguments.metrics, "scheme": arguments.scheme,
        "nsd_tolerance": arguments.nsd_tolerance,
    }  # fmt: skip
    result = evaluate(
        arguments.ref, arguments.pred, arguments.o,
        labels=arguments.labels, cases=arguments.cases, by=arguments.by, slices=arguments.slices,
        workers=arguments.np, quiet=arguments.quiet,
        **{name: value for name, value in chosen.items() if value is not None},
    )  # fmt: skip
    for line in (*result.remarks, *result.failures.values()):
        print(f"nnunet-cardiac: {line}", file=sys.stderr)
    if not arguments.quiet:
        print("\n".join(means_as_text(result, scheme=arguments.scheme or DEFAULT_SCHEME)))
    return 1 if result.failures else 0


def add_labels(parser: argparse.ArgumentParser) -> None:
    """Declare `--labels` of the commands that read one folder of label images."""
    parser.add_argument(
        "--labels", type=parse_labels, metavar="LV=1,...",
        help="label values (default: of the dataset.json beside or in the folder, or RV=1,MYO=2,LV=3)",
    )  # fmt: skip


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


def parse_names(text: str) -> tuple[str, ...]:
    """Turn "dice,hd95" into names.

    Raises:
        UsageError: A name is empty.
    """
    names = tuple(name.strip() for name in text.split(","))
    if not all(names):
        raise UsageError(f"--metrics: expected NAME,NAME,..., got {text!r}")
    return names
