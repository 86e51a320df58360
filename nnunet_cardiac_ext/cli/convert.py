"""`nnunet-cardiac convert`: turn a downloaded data set into an nnU-Net raw data set."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

from nnunet_cardiac_ext.errors import UsageError
from nnunet_cardiac_ext.registry import DATA_SETS

_PROBLEMS_SHOWN = 20


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add `--check`, and one subcommand per data set: the common options, then its own."""
    parser.add_argument(
        "--check", type=int, metavar="ID", help="check a converted data set against its source, instead of converting"
    )
    commands = parser.add_subparsers(dest="data_set", metavar="DATA_SET")
    for name, data_set in DATA_SETS.items():
        command = commands.add_parser(
            name,
            help=data_set.summary,
            description=f"{data_set.title}: {data_set.summary}.",
            argument_default=argparse.SUPPRESS,  # the defaults are those of the Python function
        )
        _add_common(command)
        _OWN_OPTIONS.get(name, lambda _: None)(command)


def run(arguments: argparse.Namespace) -> int:
    """Convert, print the summary, and one line on stderr for each subject that failed."""
    if (arguments.check is None) == (arguments.data_set is None):
        raise UsageError("convert: expected a data set to convert, or --check ID, one of the two")
    if arguments.check is not None:
        return _check(arguments.check)
    options = {key: value for key, value in vars(arguments).items() if key not in ("data_set", "run", "check")}
    report = importlib.import_module(DATA_SETS[arguments.data_set].package).convert(**options)
    for line in report.failures:
        print(f"nnunet-cardiac: {line}", file=sys.stderr)
    print(report.summary())
    return int(report.exit_code)


def _check(dataset_id: int) -> int:
    from dataset_conversion.checking import check_dataset

    found = check_dataset(dataset_id)
    for line in found.problems[:_PROBLEMS_SHOWN]:
        print(f"nnunet-cardiac: {line}", file=sys.stderr)
    if len(found.problems) > _PROBLEMS_SHOWN:
        print(f"nnunet-cardiac: and {len(found.problems) - _PROBLEMS_SHOWN} more", file=sys.stderr)
    print(found.table())
    return found.exit_code


def _add_common(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-i", dest="source", type=Path, required=True, metavar="DIR", help="the downloaded folder")
    parser.add_argument("-d", dest="dataset_id", type=int, required=True, metavar="ID", help="nnU-Net's id, such as 27")
    parser.add_argument("--folds", type=int, help="folds of the cross-validation, by subject (default: 5)")
    parser.add_argument("--seed", type=int, help="seed of the folds (default: 12345)")
    parser.add_argument(
        "--overwrite-splits", action="store_true", help="replace a splits_final.json that holds other folds"
    )
    parser.add_argument("-np", dest="workers", type=int, metavar="N", help="worker processes (default: all processors)")
    parser.add_argument("--quiet", action="store_true", help="show no progress")


def _add_frames(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--frames",
        choices=("labelled", "all"),
        help="all: also write every frame of the 4-D files, into imagesCine (default: labelled)",
    )


_OWN_OPTIONS: Mapping[str, Callable[[argparse.ArgumentParser], None]] = MappingProxyType({"acdc": _add_frames})
