"""What a region classifier says of the validation cases: `regions.csv` and `summary.json`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from nnunetv2.utilities.plans_handling.plans_handler import PlansManager

from nnunet_cardiac_ext.anatomy import LabelMap
from nnunet_cardiac_ext.data.whole_slices import known_regions
from nnunet_cardiac_ext.errors import UsageError
from nnunet_cardiac_ext.evaluation.region_scores import region_scores
from nnunet_cardiac_ext.region_extent import decode_extent
from nnunet_cardiac_ext.region_order import RegionOrder
from nnunet_cardiac_ext.region_table import RegionRow, stack_rows


def in_file(values: np.ndarray, properties: Mapping[str, Any], fill: Any) -> np.ndarray:
    """Return values of preprocessed slices as values of the slices of the image file.

    nnU-Net cuts off the empty rim of an image, whole slices too. The slices of the file are those along the axis that
    nnU-Net puts first.

    Args:
        values: One entry per preprocessed slice on the first axis.
        properties: nnU-Net's properties of the case.
        fill: The entry of a slice that was cut off.

    Returns:
        One entry per slice of the file.
    """
    first, last = properties["bbox_used_for_cropping"][0]
    whole = np.empty((properties["shape_before_cropping"][0], *values.shape[1:]), dtype=values.dtype)
    whole[:] = fill
    whole[first:last] = values
    return whole


def reference_regions(
    labels_file: Path, plans: PlansManager, label_map: LabelMap, *, ignore_label: int | None = None
) -> np.ndarray:
    """Return the region of each slice of a label file as the evaluation has them: before any resampling.

    Returns:
        Values of `Region` or `UNKNOWN`, shape (slice,).

    Raises:
        UsageError: The file is not there.
    """
    if not labels_file.is_file():
        raise UsageError(f"{labels_file}: expected the reference labels, which nnUNetv2_preprocess copies there")
    labels, _ = plans.image_reader_writer_class().read_seg(str(labels_file))
    return known_regions(labels[0].transpose(plans.transpose_forward), label_map, ignore_label=ignore_label)


def region_rows(
    case: str, probabilities: np.ndarray, order: RegionOrder, reference: np.ndarray | None = None
) -> list[RegionRow]:
    """Return the lines of one stack in a region table: the most probable regions and those of both decodings.

    Args:
        case: Name of the case.
        probabilities: Shape (slice, 4), of the slices of the file.
        order: What decodes the stack as a whole.
        reference: Region of each slice, or `UNKNOWN`; None without reference.
    """
    ordered, extent = order.decode(probabilities).regions, decode_extent(order, probabilities).regions
    return stack_rows(case, probabilities, ordered=ordered, extent=extent, region=reference)


def summarise(rows: Sequence[RegionRow]) -> dict[str, Any]:
    """Return the scores of the most probable regions (`argmax`) and of both decodings (`ordered`, `extent`).

    Slices without reference are counted in `slices_without_reference` and nowhere else.
    """
    return {
        "slices_without_reference": sum(row.region is None for row in rows),
        "argmax": region_scores((row.region, row.predicted) for row in rows),
        "ordered": region_scores((row.region, row.ordered) for row in rows),
        "extent": region_scores((row.region, row.extent) for row in rows),
    }
