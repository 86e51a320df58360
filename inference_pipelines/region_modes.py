"""Words of the region cascade that the command line knows without loading torch."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from nnunet_cardiac_ext.regions import Region

# The region whose slices each model segments, by the model's name; the baseline gets those that are not cardiac.
SEGMENTING: Mapping[str, Region] = MappingProxyType(
    {"baseline": Region.NON_CARDIAC, "base": Region.BASE, "middle": Region.MIDDLE, "apex": Region.APEX}
)
# How the region of a slice is chosen, see `region_cascade.RegionCascade`.
MODES = PREDICTED, ORDERED, EXTENT, REFERENCE, BLENDED = ("predicted", "ordered", "extent", "reference", "blended")
# Columns of the region table that hold regions, by which folders of labels can be merged.
COLUMNS = ("predicted", "ordered", "extent", "used", "region")
