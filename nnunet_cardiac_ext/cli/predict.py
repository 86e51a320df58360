"""`nnunet-cardiac predict PIPELINE`: segment a folder of images by one of the pipelines of the registry."""

from __future__ import annotations

import argparse

from nnunet_cardiac_ext import registry
from nnunet_cardiac_ext.cli import predict_classifier_guided, predict_crocnet, predict_region_cascade, predict_slices

# Module of each pipeline's options and work.
PIPELINES = {
    "slices": predict_slices,
    "region-cascade": predict_region_cascade,
    "crocnet": predict_crocnet,
    "classifier-guided": predict_classifier_guided,
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add one subparser per pipeline."""
    pipelines = parser.add_subparsers(dest="pipeline", required=True, metavar="PIPELINE")
    for name, pipeline in registry.PIPELINES.items():
        summary = pipeline.summary[0].upper() + pipeline.summary[1:]
        PIPELINES[name].add_arguments(
            pipelines.add_parser(name, help=pipeline.summary, description=f"{summary}.")
        )  # fmt: skip


def run(arguments: argparse.Namespace) -> int:
    """Run the chosen pipeline."""
    return PIPELINES[arguments.pipeline].run(arguments)
