"""`nnunet-cardiac phantom`: write synthetic hearts."""

from __future__ import annotations

import argparse
import importlib
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

from nnunet_cardiac_ext.registry import DATA_SETS


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add one subcommand per data set: the common options, then its own."""
    commands = parser.add_subparsers(dest="data_set", required=True, metavar="DATA_SET")
    for name, data_set in DATA_SETS.items():
        command = commands.add_parser(
            name,
            help=data_set.summary,
            description=f"Phantoms of {data_set.title}: {data_set.summary}.",
            argument_default=argparse.SUPPRESS,  # the defaults are those of the Python function
        )
        _add_common(command)
        _OWN_OPTIONS.get(name, lambda _: None)(command)


def run(arguments: argparse.Namespace) -> int:
    """Write the phantoms and say where they are."""
    options = {key: value for key, value in vars(arguments).items() if key not in ("data_set", "run")}
    truths = importlib.import_module(DATA_SETS[arguments.data_set].phantom).write_phantoms(**options)
    print(f"{len(truths)} phantoms in {arguments.output}, what is true of them in {arguments.output / 'truth.csv'}")
    return 0


def _add_common(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-o", dest="output", type=Path, required=True, metavar="DIR", help="folder to write to")
    parser.add_argument("--subjects", type=int, metavar="N", help="subjects to train on (default: 20)")
    parser.add_argument("--seed", type=int, metavar="S", help="same seed, same images (default: 0)")
    parser.add_argument("-np", dest="workers", type=int, metavar="N", help="processes (default: all processors)")
    parser.add_argument("--quiet", action="store_true", help="show no progress")


def _add_acdc(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--testing", type=int, metavar="N", help="testing subjects (default: 5)")
    parser.add_argument("--frames", dest="cine_frames", type=int, metavar="N", help="frames per cycle (default: 12)")


def _add_emidec(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--testing", type=int, metavar="N", help="test cases, without contours (default: 5)")


def _add_mnms(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--unlabelled", type=int, metavar="N", help="unlabelled training subjects (default: 4)")
    parser.add_argument("--validation", type=int, metavar="N", help="validation subjects (default: 4)")
    parser.add_argument("--testing", type=int, metavar="N", help="testing subjects (default: 7)")
    parser.add_argument("--frames", dest="cine_frames", type=int, metavar="N", help="frames per cycle (default: 12)")


def _add_mnms2(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--validation", type=int, metavar="N", help="validation subjects (default: 4)")
    parser.add_argument("--testing", type=int, metavar="N", help="testing subjects (default: 6)")
    parser.add_argument("--view", choices=("sa", "la", "both"), help="short axis, long axis or both (default: both)")
    parser.add_argument("--frames", dest="cine_frames", type=int, metavar="N", help="frames per cycle (default: 12)")
    parser.add_argument(
        "--distractors", type=int, metavar="N",
        help="up to N structures that look like a ventricle in each long-axis image (default: 2)",
    )  # fmt: skip


def _add_mouse(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--layout", choices=("hdf5", "mat", "nifti"), help="kind of files (default: hdf5, as the public data set)")
    add("--time-points", type=int, metavar="T", help="scans per animal, 1 to 5 (default: 3: pre, day7, day56)")
    add("--frames", dest="cine_frames", type=int, metavar="N", help="frames per cycle (default: 12)")
    add("--annotated", type=int, metavar="N", help="frames with labels per scan (default: 2: ED and ES)")
    add("--slices", type=int, metavar="N", help="slices per stack (default: 0: 8 to 11, as the heart needs)")
    add("--matrix", type=int, metavar="N", help="rows and columns of 0.1307 mm, at least 96 (default: 256)")
    add("--mat-version", choices=("5", "7.3"), help="version of the MATLAB files (default: 5)")


_OWN_OPTIONS: Mapping[str, Callable[[argparse.ArgumentParser], None]] = MappingProxyType(
    {"acdc": _add_acdc, "emidec": _add_emidec, "mnms": _add_mnms, "mnms2": _add_mnms2, "mouse": _add_mouse}
)
