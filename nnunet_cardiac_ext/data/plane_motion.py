"""Motion within the slice plane: batchgeneratorsv2's spatial transform with nnU-Net's labels outside, and its room."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from batchgeneratorsv2.transforms.spatial.spatial import SpatialTransform


class SpatialOfLabels(SpatialTransform):
    """batchgeneratorsv2's transform with nnU-Net's treatment of what lies outside: image 0, label -1."""

    def __init__(self, patch_size: Sequence[int], distance: float | Sequence[float], **options: Any) -> None:
        super().__init__(
            patch_size, distance, bg_style_seg_sampling=False, border_mode_seg="constant", padding_value_seg=-1,
            **options,
        )  # fmt: skip


def room_to_turn(patch_size: Sequence[int], angle: float, scale: float = 1.0) -> list[int]:
    """Return the bounding box of a patch that is turned and enlarged.

    In odd numbers, so that shifts, which batchgeneratorsv2 rounds down to whole pixels, are as often up as down.

    Args:
        patch_size: Rows and columns.
        angle: The largest angle, in radians.
        scale: The largest factor.
    """
    rows, columns = patch_size
    along, across = scale * math.cos(angle), scale * math.sin(angle)
    return [math.ceil(edge) | 1 for edge in (rows * along + columns * across, columns * along + rows * across)]
