"""The region of each slice of preprocessed cases, from their labels."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import numpy as np
from nnunetv2.training.dataloading.nnunet_dataset import nnUNetBaseDataset

from nnunet_cardiac_ext.anatomy import LABEL_MAPS, LabelMap
from nnunet_cardiac_ext.errors import UsageError
from nnunet_cardiac_ext.progress import progress
from nnunet_cardiac_ext.regions import assign_regions

Result = TypeVar("Result")

# Reading labels waits for the disk and decompresses outside Python's lock, so that threads help.
READING_THREADS = 8


def each_stack(
    dataset: nnUNetBaseDataset, function: Callable[[np.ndarray], Result], *, quiet: bool = True
) -> dict[str, Result]:
    """Read the preprocessed labels of each case once and return what a function makes of them, by case.

    Args:
        dataset: The preprocessed cases, slices on the first axis.
        function: Called with labels, shape (slice, row, column).
        quiet: Draw no progress bar.
    """

    def result(case: str) -> Result:
        _, labels, _, _ = dataset.load_case(case)
        return function(labels[0])

    cases = list(dataset.identifiers)
    with ThreadPoolExecutor(READING_THREADS) as threads:
        results = progress(threads.map(result, cases), label="reading slice regions", total=len(cases), quiet=quiet)
        return dict(zip(cases, results, strict=True))


def stack_regions(labels: np.ndarray, label_map: LabelMap, *, ignore_label: int | None = None) -> np.ndarray:
    """Return the region of each slice by 20/60/20 (`regions.assign_regions`), shape (slice,).

    Args:
        labels: Shape (slice, row, column); values of 0 and below are background.
        label_map: What the values mean.
        ignore_label: The label of pixels that nobody has annotated; they count as background here, so that the ends
            of the heart are those of its annotated part.
    """
    if ignore_label is not None:
        labels = np.where(labels == ignore_label, 0, labels)
    return assign_regions(labels, label_map=label_map)


def label_map_of(dataset_json: Mapping[str, Any]) -> LabelMap:
    """Return the label map of a data set by the names and values in its `dataset.json`.

    Region-based data sets of our converters name their structures in a key of their own.

    Raises:
        UsageError: The names and values are those of no canonical label map, so that nothing tells the base from the
            apex.
    """
    named = dataset_json.get("structures") or dataset_json.get("labels", {})
    values = {name: value for name, value in named.items() if name not in ("background", "ignore")}
    for label_map in LABEL_MAPS.values():
        if values == {name: label_map.values[name] for name in label_map.structures}:
            return label_map
    known = "; ".join(", ".join(f"{name}={m.values[name]}" for name in m.structures) for m in LABEL_MAPS.values())
    got = ", ".join(f"{name}={value}" for name, value in values.items()) or "none"
    raise UsageError(f"dataset.json, labels: expected one of {known}, to tell the base from the apex; got {got}")
