"""What a prediction has too much of, counted slice by slice: pieces, holes, slices without the structure."""

from __future__ import annotations

import cc3d
import numpy as np
from scipy.ndimage import binary_fill_holes

from nnunet_cardiac_ext.evaluation.mask_pair import MaskPair

# In the plane pieces connect through corners, what lies around them through edges only.
CORNERS, EDGES = 8, 4


def extra_pieces(pair: MaskPair) -> float:
    """Pieces (2-D) beyond those of the reference in the same slice, one at least; the sum over the slices.

    0 where the prediction is empty.
    """
    slices = zip(pair.prediction, pair.reference, strict=True)
    return float(sum(max(0, _pieces(mask) - max(1, _pieces(other))) for mask, other in slices))


def extra_holes(pair: MaskPair) -> float:
    """Holes (2-D) beyond those of the reference in the same slice; the sum over the slices.

    The cavity is a hole of the myocardium in both masks, so that a closed ring has none too many. 0 where the
    prediction is empty.
    """
    slices = zip(pair.prediction, pair.reference, strict=True)
    return float(sum(max(0, _holes(mask) - _holes(other)) for mask, other in slices))


def false_slices(pair: MaskPair) -> float:
    """Slices in which the prediction has the structure and the reference has not; 0 where the prediction is empty."""
    return float((pair.prediction.any(axis=(1, 2)) & ~pair.reference.any(axis=(1, 2))).sum())


def missed_slices(pair: MaskPair) -> float:
    """Slices in which the reference has the structure and the prediction has not; 0 where the reference is empty."""
    return float((pair.reference.any(axis=(1, 2)) & ~pair.prediction.any(axis=(1, 2))).sum())


def _pieces(mask: np.ndarray) -> int:
    return int(cc3d.connected_components(mask, connectivity=CORNERS).max()) if mask.any() else 0


def _holes(mask: np.ndarray) -> int:
    enclosed = binary_fill_holes(mask) & ~mask
    return int(cc3d.connected_components(enclosed, connectivity=EDGES).max()) if enclosed.any() else 0
