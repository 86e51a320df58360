"""Words of the region cascade that the command line knows without loading torch."""

from __future__ import annotations

# How the region of a slice is chosen, see `region_cascade.RegionCascade`.
MODES = PREDICTED, ORDERED, EXTENT, REFERENCE, BLENDED = ("predicted", "ordered", "extent", "reference", "blended")
# Columns of the region table that hold regions, by which folders of labels can be merged.
COLUMNS = ("predicted", "ordered", "extent", "used", "region")
