"""The papers whose methods are offered."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from nnunet_cardiac_ext.registry.kinds import Paper

PAPERS: Mapping[str, Paper] = MappingProxyType(
    {
        paper.number: paper
        for paper in (
            Paper(
                "000",
                "3D Attention M-net for Short-axis Left Ventricular Myocardium Segmentation in Mice MR Cardiac Images",
                "Huang et al.",
            ),
            Paper(
                "001",
                "Anatomy Prior Based U-net for Pathology Segmentation with Attention",
                "Zhou et al.",
            ),
            Paper(
                "002",
                "Improved AI-based Segmentation of Apical and Basal Slices from Clinical Cine CMR",
                "Mariscal-Harana et al.",
            ),
            Paper(
                "003",
                "Crop and Couple: Cardiac Image Segmentation Using Interlinked Specialist Networks",
                "Khan et al.",
            ),
            Paper(
                "004",
                "Enhancing Cardiac MRI Segmentation via Classifier-Guided Two-Stage Network and All-Slice Information "
                "Fusion Transformer",
                "Chen et al.",
            ),
        )
    }
)
