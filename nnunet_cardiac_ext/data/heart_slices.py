"""Where the left ventricle lies in each slice of preprocessed stacks: height, centre and size."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from nnunetv2.training.dataloading.nnunet_dataset import nnUNetBaseDataset

from nnunet_cardiac_ext.anatomy import MYOCARDIUM, LabelMap
from nnunet_cardiac_ext.data.stack_regions import each_stack
from nnunet_cardiac_ext.errors import UsageError
from nnunet_cardiac_ext.regions import base_is_first

# Height of the only slice of a heart: as far from the base as from the apex.
MIDDLE = 0.5


@dataclass(frozen=True)
class HeartSlice:
    """The left ventricle, cavity and wall, in one slice.

    Attributes:
        index: The slice in its stack.
        height: Where it lies among the slices that hold the ventricle, 0 at the base, 1 at the apex.
        centre: Mean (row, column) of its pixels.
        radius: Their mean distance from the centre, in pixels.
    """

    index: int
    height: float
    centre: tuple[float, float]
    radius: float


def left_ventricle_labels(label_map: LabelMap) -> tuple[int, ...]:
    """Return the labels of cavity and wall, whether healthy, infarcted or without reflow."""
    return tuple(value for name, value in label_map.values.items() if name in ("LV", *MYOCARDIUM))


def heart_slices(labels: np.ndarray, label_map: LabelMap) -> tuple[HeartSlice, ...]:
    """Return the slices of a stack that hold the left ventricle, in the order of the stack.

    A slice with a single pixel of it has no size and is left out.

    Args:
        labels: Shape (slice, row, column).
        label_map: What the values mean.
    """
    ventricle = np.isin(labels, left_ventricle_labels(label_map))
    held = np.flatnonzero(ventricle.any(axis=(1, 2)))
    heights = np.linspace(0, 1, len(held)) if len(held) > 1 else np.full(len(held), MIDDLE)
    if len(held) > 1 and not base_is_first(np.where(ventricle, labels, 0), label_map=label_map):
        heights = heights[::-1]
    found = (_measured(ventricle[index], int(index), float(h)) for index, h in zip(held, heights, strict=True))
    return tuple(each for each in found if each.radius > 0)


def hearts_of(
    dataset: nnUNetBaseDataset, label_map: LabelMap, *, quiet: bool = True
) -> dict[str, tuple[HeartSlice, ...]]:
    """Read the preprocessed labels of each case once and return its `heart_slices`.

    Args:
        dataset: The preprocessed cases, slices on the first axis.
        label_map: What the labels mean.
        quiet: Draw no progress bar.
    """
    return each_stack(dataset, lambda labels: heart_slices(labels, label_map), quiet=quiet)


class Partners:
    """Slices of other cases at a similar height.

    Args:
        hearts: The slices of each case.
        tolerance: How far heights may differ.

    Raises:
        UsageError: Not two cases hold a heart.
    """

    def __init__(self, hearts: dict[str, Collection[HeartSlice]], *, tolerance: float) -> None:
        if sum(map(bool, hearts.values())) < 2:
            raise UsageError("pathology mixup: expected at least two training cases with a left ventricle to mix")
        self._slices = [(case, each) for case, slices in hearts.items() for each in slices]
        self._cases = np.array([case for case, _ in self._slices])
        self._heights = np.array([each.height for _, each in self._slices])
        self._tolerance = tolerance

    def draw(self, case: str, height: float) -> tuple[str, HeartSlice] | None:
        """Return a slice of another case, all candidates being equally likely; None where there is none.

        Draws from numpy's global random state, which nnU-Net's workers seed.
        """
        # A rounding error must not decide where both stacks have the same heights.
        close = np.abs(self._heights - height) <= self._tolerance + 1e-9
        candidates = np.flatnonzero(close & (self._cases != case))
        return self._slices[int(np.random.choice(candidates))] if len(candidates) else None  # noqa: NPY002


def _measured(mask: np.ndarray, index: int, height: float) -> HeartSlice:
    pixels = np.argwhere(mask)
    centre = pixels.mean(axis=0)
    radius = float(np.linalg.norm(pixels - centre, axis=1).mean())
    return HeartSlice(index, height, (float(centre[0]), float(centre[1])), radius)
