"""The ways from images to segmentations, what stands behind `nnunet-cardiac predict`."""

from __future__ import annotations

from collections.abc import Mapping

from nnunet_cardiac_ext.registry.kinds import Pipeline, by_name

PIPELINES: Mapping[str, Pipeline] = by_name(
    Pipeline(
        "slices",
        "inference_pipelines.slice_predictor",
        "",
        "one 2D model over whole stacks, slices batched; the same labels as nnUNetv2_predict",
        "docs/pipelines/slices.md",
    ),
    Pipeline(
        "region-cascade",
        "inference_pipelines.region_cascade",
        "002",
        "each slice through a region classifier and then through the model of its region",
        "docs/pipelines/region_cascade.md",
    ),
    Pipeline(
        "crocnet",
        "inference_pipelines.crocnet",
        "003",
        "a first network finds the heart, coupled specialists redraw it in the crop",
        "docs/pipelines/crocnet.md",
    ),
    Pipeline(
        "classifier-guided",
        "inference_pipelines.classifier_guided",
        "004",
        "whole stacks through the classifier-guided network, with a table of what each slice holds",
        "docs/pipelines/classifier_guided.md",
    ),
)
