"""Networks that are made for whole images, and whether a patch holds them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from nnunet_cardiac_ext.network_blocks import WHOLE_IMAGE_NETWORKS


def tiles_remark(network: str | None, configuration: Mapping[str, Any]) -> str | None:
    """Return what a user should know of a patch that is smaller than the images, or None.

    The largest heart region, a crop around it and attention over all positions are then those of a tile: measured on
    long-axis phantoms and on ACDC, a tile without the heart cropped something else, and one with a part of the right
    ventricle lost that part (docs/evidence.md).

    Args:
        network: Key of `network_blocks.NETWORKS`; None is nnU-Net's own.
        configuration: A resolved configuration: `patch_size`, `spacing` (mm) and `median_image_size_in_voxels`. Slices
            count nothing, only the last two axes do.
    """
    size = configuration.get("median_image_size_in_voxels")
    if network not in WHOLE_IMAGE_NETWORKS or not size:
        return None
    spacing = configuration["spacing"]
    patch, image = (_in_mm(voxels, spacing) for voxels in (configuration["patch_size"], size))
    if all(covered >= edge for covered, edge in zip(patch, image, strict=True)):
        return None
    return (
        f"patches of {_in_words(patch)} mm are smaller than the median image ({_in_words(image)} mm): larger images "
        f"are predicted in tiles, and {network} sees one at a time; a larger patch_size= or spacing= holds them whole"
    )


def _in_mm(voxels: Sequence[float], spacing: Sequence[float]) -> tuple[int, int]:
    """Return rows and columns to the millimetre, which is what is shown and compared."""
    rows, columns = (round(edge * mm) for edge, mm in zip(voxels[-2:], spacing[-2:], strict=True))
    return rows, columns


def _in_words(edges: Sequence[int]) -> str:
    return " x ".join(map(str, edges))
