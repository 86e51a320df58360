"""`nnunet-cardiac demo`: the whole way, from data to report."""

from __future__ import annotations

import argparse
from pathlib import Path

PHANTOM_FOLDER, ACDC_FOLDER = "nnunet-cardiac-demo", "nnunet-cardiac-demo-acdc"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("-i", type=Path, metavar="ACDC_DIR", help="your ACDC folder; without it phantoms are drawn")
    where = f"where all is put (default: {PHANTOM_FOLDER}, with -i {ACDC_FOLDER})"
    parser.add_argument("-o", type=Path, metavar="DIR", help=where)
    parser.add_argument("--minutes", type=float, metavar="M", help="training time (default: a fixed number of epochs)")
    parser.add_argument("-device", default="cpu", choices=("cpu", "cuda", "mps"), help="where to compute")
    parser.add_argument("--seed", type=int, default=0, help="seed of phantoms and training (default 0)")
    parser.add_argument("-np", type=int, metavar="N", help="worker processes (default: all cores)")
    parser.add_argument("--quiet", action="store_true", help="print only the result")


def run(arguments: argparse.Namespace) -> int:
    """Run the demo and print what came out and where it is."""
    from nnunet_cardiac_ext.demo import DemoOptions, demo

    # A folder keeps to one demo, so that each kind has a folder of its own.
    output = arguments.o or Path(ACDC_FOLDER if arguments.i else PHANTOM_FOLDER)
    summary = demo(
        DemoOptions(
            source=arguments.i, output=output, minutes=arguments.minutes, device=arguments.device,
            seed=arguments.seed, workers=arguments.np, quiet=arguments.quiet,
        )
    )  # fmt: skip
    print(summary.text())
    return 0
