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


def _add_emidec(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--regions", action="store_true", help="train nnU-Net on whole myocardium, whole infarct and no-reflow"
    )
    parser.add_argument(
        "--split",
        choices=("patients", "slices"),
        help="slices: a case per slice and one random 90/10 split of slices, as in paper 001; patients are then in "
        "both parts (default: patients)",
    )


def _add_mnms(parser: argparse.ArgumentParser) -> None:
    _add_frames(parser)
    parser.add_argument(
        "--train-on",
        choices=("training", "labelled"),
        help="labelled: also train on the labelled subjects of Validation and Testing (default: training; with "
        "--leave-out: labelled)",
    )
    parser.add_argument(
        "--leave-out",
        choices=("vendor", "centre"),
        help="one fold per vendor or centre, which is its validation part, instead of --folds even ones",
    )


def _add_mnms2(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--view",
        choices=("sa", "la", "both"),
        help="short axis, 4-chamber long axis, or both: the short axis as ID, the long axis as ID + 1 (default: sa)",
    )
    _add_frames(parser)
    parser.add_argument(
        "--train-on",
        choices=("training", "labelled"),
        help="labelled: also train on the labelled subjects of validation and testing (default: training)",
    )


def _add_mouse(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--spacing", type=float, nargs=3, metavar=("Z", "Y", "X"),
        help="spacing in mm of HDF5 files, which hold none (default: 1 0.1 0.1, as published)",
    )  # fmt: skip
    parser.add_argument(
        "--prepare", choices=("none", "paper"), help="paper: --slice-spacing 0.16 --crop 96 (default: none)"
    )
    parser.add_argument(
        "--slice-spacing", type=float, metavar="MM", help="interpolate slices this far apart, masks by their shape"
    )
    parser.add_argument(
        "--crop", type=int, metavar="N", help="cut N x N pixels around the heart of training cases"
    )  # fmt: skip
    parser.add_argument(
        "--partition", metavar="A:B:C",
        help="shares of cases for training, validation (fold 0) and test such as 700:200:214, animals assigned so that "
        "myocardial volumes are distributed alike (default: all train, in folds)",
    )  # fmt: skip


_OWN_OPTIONS: Mapping[str, Callable[[argparse.ArgumentParser], None]] = MappingProxyType(
    {"acdc": _add_frames, "emidec": _add_emidec, "mnms": _add_mnms, "mnms2": _add_mnms2, "mouse": _add_mouse}
)
