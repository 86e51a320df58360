"""Which model segments which slice: the region of each slice, or weights where models are blended."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from inference_pipelines.region_modes import BLENDED, EXTENT, ORDERED, PREDICTED, REFERENCE
from nnunet_cardiac_ext.data.whole_slices import UNKNOWN
from nnunet_cardiac_ext.errors import WorkError
from nnunet_cardiac_ext.region_extent import decode_extent
from nnunet_cardiac_ext.region_order import RegionOrder
from nnunet_cardiac_ext.region_table import RegionRow, stack_rows
from nnunet_cardiac_ext.regions import Region

# A model of a smaller weight in a slice is not run there: it could move no probability by more than its weight.
BLEND_THRESHOLD = 0.05


@dataclass(frozen=True)
class StackRegions:
    """What is known of the regions of a stack; one entry per slice of the file, cropped ones too.

    Attributes:
        probabilities: The classifier's, shape (slice, 4); 1 for non-cardiac where the image is empty.
        inside: Whether the preprocessed stack has the slice, shape (slice,).
        ordered: Regions by order-aware decoding, shape (slice,), or None.
        extent: Regions by decoding where the heart begins and ends, shape (slice,), or None.
        reference: Regions by the reference labels, or `UNKNOWN`, shape (slice,), or None.
    """

    probabilities: np.ndarray
    inside: np.ndarray
    ordered: np.ndarray | None = None
    extent: np.ndarray | None = None
    reference: np.ndarray | None = None

    @classmethod
    def of_stack(
        cls,
        probabilities: np.ndarray,
        first: int,
        slices: int,
        *,
        order: RegionOrder | None = None,
        reference: np.ndarray | None = None,
    ) -> StackRegions:
        """Combine what is known.

        Args:
            probabilities: The classifier's, of the preprocessed slices, shape (slice, 4).
            first: The file's slice that is the first of them.
            slices: Number of slices of the file.
            order: Decodes the stack as a whole.
            reference: Regions by the reference labels, of the file's slices.
        """
        whole = np.eye(len(Region))[np.full(slices, Region.NON_CARDIAC)]
        inside = np.zeros(slices, dtype=bool)
        inside[first : first + len(probabilities)] = True
        whole[inside] = probabilities
        ordered = order.decode(whole).regions if order else None
        extent = decode_extent(order, whole).regions if order else None
        return cls(whole, inside, ordered, extent, reference)

    @property
    def predicted(self) -> np.ndarray:
        """The most probable region of each slice, shape (slice,)."""
        return self.probabilities.argmax(axis=1)

    def used(self, mode: str) -> np.ndarray | None:
        """Return the region whose model segments each slice, shape (slice,); None where models are blended.

        Slices that are cropped away and slices whose reference is unknown count as non-cardiac.

        Raises:
            WorkError: The mode needs regions that are not known.
        """
        if mode == BLENDED:
            return None
        ways = {PREDICTED: self.predicted, ORDERED: self.ordered, EXTENT: self.extent, REFERENCE: self.reference}
        regions = ways[mode]
        if regions is None:
            raise WorkError(f"--regions {mode}: expected such regions of each slice, got none")
        return np.where(self.inside & (regions != UNKNOWN), regions, Region.NON_CARDIAC)

    def weights(self, mode: str) -> np.ndarray:
        """Return the weight of each region's model in the preprocessed slices, shape (slice, 4), rows sum to 1."""
        used = self.used(mode)
        if used is not None:
            return np.eye(len(Region))[used[self.inside]]
        likely = np.where(self.probabilities >= BLEND_THRESHOLD, self.probabilities, 0)[self.inside]
        return likely / likely.sum(axis=1, keepdims=True)

    def rows(self, case: str, frame: int | None, numbers: np.ndarray, mode: str) -> list[RegionRow]:
        """Return the lines of the region table by rising slice number.

        Args:
            case: Name of the case.
            frame: Number of the frame, or None.
            numbers: The number that each slice has in the file, shape (slice,).
            mode: How the regions are chosen.
        """
        lines = stack_rows(
            case, self.probabilities, frame=frame, numbers=numbers,
            ordered=self.ordered, extent=self.extent, region=self.reference, used=self.used(mode),
        )  # fmt: skip
        return sorted(lines, key=lambda row: row.slice)
