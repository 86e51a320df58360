"""`nnunet-cardiac merge-regions`: one segmentation of four models' by a region table, slice by slice."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from inference_pipelines.region_modes import COLUMNS, SEGMENTING
from nnunet_cardiac_ext.regions import Region


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add = parser.add_argument
    for name, region in SEGMENTING.items():
        slices = "non-cardiac slices" if region == Region.NON_CARDIAC else f"slices of the {name}"
        add(f"--{name}", type=Path, required=True, metavar="DIR", help=f"label images whose {slices} are taken")
    add("--regions", type=Path, required=True, metavar="CSV",
        help="region table, as predict region-cascade and the classifier's validation write it")  # fmt: skip
    add("--column", choices=COLUMNS, default="predicted",
        help="column of the table that says the region (default: %(default)s)")  # fmt: skip
    add("-o", dest="output", type=Path, required=True, metavar="DIR", help="gets one label image per case")
    add("--overwrite", action="store_true", help="merge also the cases that are already in the output folder")
    add("--quiet", action="store_true", help="no progress bar")


def run(arguments: argparse.Namespace) -> int:
    """Merge the folders; 1 if some case could not be merged."""
    from inference_pipelines.region_merge import merge_regions

    result = merge_regions(
        {region: getattr(arguments, name) for name, region in SEGMENTING.items()},
        arguments.regions, arguments.output,
        column=arguments.column, overwrite=arguments.overwrite, quiet=arguments.quiet,
    )  # fmt: skip
    for line in (*result.remarks, *result.failures):
        print(f"nnunet-cardiac: {line}", file=sys.stderr)
    print(f"{arguments.output}: {len(result.written)} cases written")
    return 1 if result.failures else 0
