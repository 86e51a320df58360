"""`nnunet-cardiac phantom`: write synthetic hearts."""

from __future__ import annotations

import argparse
from pathlib import Path

from nnunet_cardiac_ext.phantoms.acdc import write_phantoms


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("dataset", choices=["acdc"], help="the data set whose layout and contrast to imitate")
    parser.add_argument("-o", dest="output", type=Path, required=True, metavar="DIR", help="folder to write to")
    parser.add_argument("--subjects", type=int, default=20, metavar="N", help="training subjects (default 20)")
    parser.add_argument("--testing", type=int, default=5, metavar="N", help="testing subjects (default 5)")
    parser.add_argument("--seed", type=int, default=0, metavar="S", help="same seed, same images (default 0)")
    parser.add_argument("--frames", type=int, default=12, metavar="N", help="frames of the 4-D file (default 12)")
    parser.add_argument("-np", dest="workers", type=int, metavar="N", help="processes (default one per core)")
    parser.add_argument("--quiet", action="store_true", help="no progress bar")


def run(arguments: argparse.Namespace) -> int:
    """Write the phantoms and say where they are."""
    truths = write_phantoms(
        arguments.output, subjects=arguments.subjects, testing=arguments.testing, seed=arguments.seed,
        cine_frames=arguments.frames, workers=arguments.workers, quiet=arguments.quiet,
    )  # fmt: skip
    print(f"{len(truths)} phantoms in {arguments.output}, their true volumes in {arguments.output / 'truth.csv'}")
    return 0
