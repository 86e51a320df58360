"""`nnunet-cardiac quality`: find odd label images without a reference."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from nnunet_cardiac_ext.cli.evaluate import add_labels

if TYPE_CHECKING:
    from nnunet_cardiac_ext.evaluation.quality import QualityResult

SHOWN_CASES = 10
# Reasons longer than this are cut in the printed table; the files hold them whole.
REASON_WIDTH = 150


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("-i", type=Path, metavar="LABELS", help="folder of label images, predicted or drawn")
    parser.add_argument("-o", type=Path, metavar="OUT", help="folder for the tables")
    add_labels(parser)
    parser.add_argument("--cases", type=Path, metavar="CSV", help="case table (default: cases.csv beside -i)")
    parser.add_argument("-np", type=int, metavar="N", help="number of processes (default: by cores and cases)")
    parser.add_argument("--quiet", action="store_true", help="no progress bar and no table")
    parser.add_argument("--checks", action="store_true", help="print the table of checks and stop")


def run(arguments: argparse.Namespace) -> int:
    """Check the folder, print the worst cases; 1 if some image could not be read."""
    from nnunet_cardiac_ext.errors import UsageError
    from nnunet_cardiac_ext.evaluation.quality import check_quality

    if arguments.checks:
        print(checks_table())
        return 0
    if not (arguments.i and arguments.o):
        raise UsageError("quality: expected -i LABELS and -o OUT (see nnunet-cardiac quality -h)")
    result = check_quality(
        arguments.i, arguments.o,
        labels=arguments.labels, cases=arguments.cases, workers=arguments.np, quiet=arguments.quiet,
    )  # fmt: skip
    for line in (*result.remarks, *result.failures.values()):
        print(f"nnunet-cardiac: {line}", file=sys.stderr)
    if not arguments.quiet:
        print(_worst_cases(result))
    return 1 if result.failures else 0


def checks_table() -> str:
    """Return the table of all checks as markdown; docs/quality.md holds it."""
    from nnunet_cardiac_ext.evaluation.quality import CHECKS

    lines = ["| check | what it means | severity | flagged | threshold from |", "|---|---|---|---|---|"]
    for check in CHECKS:
        limit = f"{'below' if check.below else 'above'} {check.threshold:g} {check.unit}"
        lines.append(f"| `{check.name}` | {check.meaning} | {check.severity.name.lower()} | {limit} | {check.basis} |")
    return "\n".join(lines)


def _worst_cases(result: QualityResult) -> str:
    flagged = [row for row in result.ranking if row.score]
    lines = [f"{len(result.ranking)} cases checked, {len(flagged)} with a flag"]
    width = max((len(row.case) for row in flagged[:SHOWN_CASES]), default=0)
    for row in flagged[:SHOWN_CASES]:
        reasons = row.reasons if len(row.reasons) <= REASON_WIDTH else f"{row.reasons[: REASON_WIDTH - 4]} ..."
        lines.append(f"{row.score:>4}  {row.case.ljust(width)}  {reasons}")
    if len(flagged) > SHOWN_CASES:
        lines.append(f"and {len(flagged) - SHOWN_CASES} more")
    return "\n".join([*lines, f"tables: {result.output}"])
