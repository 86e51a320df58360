"""`nnunet-cardiac compare`: a table of several models with intervals, tests and effect sizes."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("-i", type=Path, nargs="+", required=True, metavar="EVAL", help="folders written by evaluate")
    parser.add_argument("-o", type=Path, required=True, metavar="OUT", help="folder for comparison.csv and .md")
    parser.add_argument("--names", nargs="+", default=[], metavar="NAME", help="names of the models (default: folders)")
    parser.add_argument("--baseline", metavar="NAME", help="compare with this model or region (default: first, middle)")
    parser.add_argument("--metric", nargs="+", default=["dice", "hd95"], metavar="METRIC", help="default: dice hd95")
    parser.add_argument("--structures", nargs="+", default=[], metavar="NAME", help="default: all")
    parser.add_argument("--regions", nargs="+", default=[], metavar="NAME", help="all (default), base, middle, apex")
    parser.add_argument("--convention", metavar="NAME", help="definition of the metrics (default: nnunet-cardiac)")
    parser.add_argument("--between", default="models", help="models (default), or regions within each model")
    parser.add_argument("--test", default="wilcoxon", help="wilcoxon (signed-rank, default), ranksum, welch, paired-t")
    parser.add_argument("--correction", default="holm", help="none, holm (default), bh")
    parser.add_argument("--unit", default="case", help="case (default), or subject: average the cases of a subject")
    parser.add_argument("--level", type=float, default=0.95, help="confidence level (default: 0.95)")
    parser.add_argument("--resamples", type=int, default=9999, metavar="N", help="bootstrap samples (default: 9999)")
    parser.add_argument("--seed", type=int, default=0, help="of the bootstrap (default: 0)")
    parser.add_argument("--quiet", action="store_true", help="no progress bar and no table")


def run(arguments: argparse.Namespace) -> int:
    """Compare the evaluations and print the table."""
    from nnunet_cardiac_ext.evaluation.comparison.confidence import Bootstrap
    from nnunet_cardiac_ext.evaluation.comparison.folder import COMPARISON_PAGE, Choice, compare
    from nnunet_cardiac_ext.evaluation.comparison.models import ComparisonSettings
    from nnunet_cardiac_ext.evaluation.metrics import CONVENTION

    result = compare(
        arguments.i, arguments.o, names=arguments.names, baseline=arguments.baseline, quiet=arguments.quiet,
        choice=Choice(
            arguments.metric, arguments.structures, arguments.regions, arguments.convention or CONVENTION,
            arguments.between,
        ),
        settings=ComparisonSettings(
            arguments.test, arguments.correction, arguments.unit,
            Bootstrap(arguments.level, resamples=arguments.resamples, seed=arguments.seed),
        ),
    )  # fmt: skip
    for remark in result.remarks:
        print(f"nnunet-cardiac: {remark}", file=sys.stderr)
    if not arguments.quiet:
        print((arguments.o / COMPARISON_PAGE).read_text(encoding="utf-8"), end="")
    return 0
