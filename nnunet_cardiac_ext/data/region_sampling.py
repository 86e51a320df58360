"""nnU-Net's 2D loader with the slices drawn by a law of their own (paper 002)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from nnunetv2.training.dataloading.data_loader import nnUNetDataLoader
from nnunetv2.training.dataloading.nnunet_dataset import nnUNetBaseDataset
from nnunetv2.utilities.label_handling.label_handling import LabelManager

from nnunet_cardiac_ext.data.open_cases import OpenCases
from nnunet_cardiac_ext.data.slice_law import Label, SliceLaw, region_aware_law
from nnunet_cardiac_ext.data.stack_regions import each_stack
from nnunet_cardiac_ext.errors import UsageError


def slice_laws(
    dataset: nnUNetBaseDataset, ratio: float, *, ignore_label: int | None = None, quiet: bool = True
) -> dict[str, SliceLaw]:
    """Read the preprocessed labels of each case once and return its law by case.

    Args:
        dataset: The preprocessed cases, slices on the first axis.
        ratio: Largest weight over smallest among the cardiac slices.
        ignore_label: The data set's ignore label.
        quiet: Draw no progress bar.
    """
    return each_stack(dataset, lambda labels: region_aware_law(labels, ratio, ignore_label=ignore_label), quiet=quiet)


class RegionSamplingDataLoader(nnUNetDataLoader):
    """nnU-Net's loader, in which the slice of each patch is drawn by the law of its case.

    Cases that have a law are equally likely, as in nnU-Net. A foreground patch draws its slice by the foreground law,
    then one of the classes in that slice and one of its pixels as the centre; where the patch lies in the plane
    otherwise is nnU-Net's choice. nnU-Net itself draws the slice of a foreground patch in proportion to the area of a
    class.

    Args:
        data: The preprocessed cases.
        batch_size: Slices per batch.
        patch_size: Size of the patches (row, column) before augmentation.
        final_patch_size: Their size after it.
        label_manager: nnU-Net's knowledge of the labels.
        laws: The law of each case; cases without one are never drawn.
        options: Further keyword arguments of nnU-Net's loader.

    Raises:
        UsageError: The patches are not two-dimensional, or no case has a law.
    """

    def __init__(
        self,
        data: nnUNetBaseDataset,
        batch_size: int,
        patch_size: Sequence[int],
        final_patch_size: Sequence[int],
        label_manager: LabelManager,
        *,
        laws: Mapping[str, SliceLaw],
        **options: Any,
    ) -> None:
        if len(patch_size) != 2:
            raise UsageError(f"region sampling: expected 2D patches, got {len(patch_size)} dimensions")
        if not laws:
            raise UsageError("region sampling: expected at least one case with a slice to draw, got none")
        cases = _CasesWithLaws(data, laws)
        super().__init__(cases, batch_size, patch_size, final_patch_size, label_manager, **options)
        self._classes: list[Label] = (
            label_manager.foreground_regions if label_manager.has_regions else label_manager.foreground_labels
        )

    def get_bbox(
        self,
        data_shape: Sequence[int],
        force_fg: bool,
        class_locations: _CaseSlices,
        overwrite_class: Label | None = None,
        verbose: bool = False,
    ) -> tuple[list[int], list[int]]:
        """Return the lower and upper corner of a patch (slice, row, column).

        Args:
            data_shape: Shape of the case (slice, row, column).
            force_fg: Whether the patch must hold foreground.
            class_locations: The slices of the case; nnU-Net hands over what the data set gives under this name.
            overwrite_class: As in nnU-Net.
            verbose: As in nnU-Net.
        """
        slice_index = class_locations.law.draw(force_fg)
        centre: dict[Label, list[tuple[int, ...]]] = {}
        if force_fg or self.has_ignore:
            classes = self._classes if force_fg else [self.annotated_classes_key]
            order = class_locations.law.draw_classes(slice_index, len(classes) if force_fg else 1)
            centre = _random_pixel(class_locations.labels[0, slice_index], [classes[index] for index in order])
        # nnU-Net places the patch as if the case had this slice only.
        lower, upper = super().get_bbox((1, *data_shape[1:]), force_fg, centre, overwrite_class, verbose)
        return [slice_index, *lower[1:]], [slice_index + 1, *upper[1:]]


@dataclass(frozen=True)
class _CaseSlices:
    """What the loader needs to know of a case in order to place a patch."""

    law: SliceLaw
    labels: Any


class _CasesWithLaws:
    """A data set that hands out the slices of a case where nnU-Net's has the locations of its classes."""

    def __init__(self, cases: nnUNetBaseDataset, laws: Mapping[str, SliceLaw]) -> None:
        self._cases = cases
        self._laws = laws
        self._open = OpenCases(self._with_law)
        self.identifiers = [case for case in cases.identifiers if case in laws]

    def load_case(self, identifier: str) -> tuple[Any, Any, Any, dict[str, Any]]:
        """Return image, labels, labels of an earlier stage and properties."""
        return self._open[identifier]

    def _with_law(self, identifier: str) -> tuple[Any, Any, Any, dict[str, Any]]:
        image, labels, previous, properties = self._cases.load_case(identifier)
        slices = _CaseSlices(self._laws[identifier], labels)
        return image, labels, previous, {**properties, "class_locations": slices}


def _random_pixel(labels: np.ndarray, classes: Sequence[Label]) -> dict[Label, list[tuple[int, ...]]]:
    """Return the first of some classes that a slice holds, and (channel, slice, row, column) of one of its pixels.

    Each of its pixels is equally likely; where the slice holds none of the classes, all of them are empty.
    """
    for label in classes:
        pixels = np.flatnonzero(np.isin(labels, label))
        if len(pixels):
            row, column = divmod(int(pixels[np.random.randint(len(pixels))]), labels.shape[1])  # noqa: NPY002
            return {label: [(0, 0, row, column)]}
    return {label: [] for label in classes}
