"""How likely each slice of a labelled stack is drawn: the two approaches of paper 002."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nnunet_cardiac_ext.regions import quadratic_slice_weights

# A class of a data set: a label, or in region-based data sets several of them.
Label = int | tuple[int, ...]


@dataclass(frozen=True)
class SliceLaw:
    """Probabilities of the slices of one case.

    Attributes:
        random: For a patch anywhere, shape (slice,), sums to 1.
        foreground: For a patch that is certain to hold foreground, shape (slice,), sums to 1; None without any.
        classes: Weight of each class as the centre of such a patch, shape (class, slice), where a slice that is drawn
            has one above 0; None where all classes of a slice are equally likely.
    """

    random: np.ndarray
    foreground: np.ndarray | None
    classes: np.ndarray | None = None

    def draw(self, foreground: bool) -> int:
        """Draw a slice from numpy's global random state, which nnU-Net's workers seed.

        Args:
            foreground: Whether the slice must hold foreground; where none does, any slice may come.
        """
        law = self.foreground if foreground and self.foreground is not None else self.random
        # searchsorted on the cumulative sum is several times faster than numpy's choice with p. Dividing by its last
        # value makes that exactly 1, above every uniform number.
        cumulative = np.cumsum(law)
        return int(np.searchsorted(cumulative / cumulative[-1], np.random.uniform(), side="right"))  # noqa: NPY002

    def draw_classes(self, slice_index: int, count: int) -> np.ndarray:
        """Draw in which order the classes of a slice are tried as the centre of a foreground patch, as their indices.

        Args:
            slice_index: The slice.
            count: Number of classes.

        Returns:
            All classes in a random order; where the classes have weights, the one that was drawn by them alone.
        """
        weights = None if self.classes is None else self.classes[:, slice_index]
        if weights is None or not weights.any():
            return np.random.permutation(count)  # noqa: NPY002
        return np.random.choice(count, size=1, p=weights / weights.sum())  # noqa: NPY002


def region_aware_law(labels: np.ndarray, ratio: float, *, ignore_label: int | None = None) -> SliceLaw:
    """Return the law of a case: slices at both ends of the heart more often, non-cardiac slices as before.

    With N slices of which n are cardiac, each non-cardiac slice keeps 1/N and cardiac slice k gets (n/N) w_k, where
    w are the quadratic weights over the n cardiac slices in their order (`regions.quadratic_slice_weights`). The
    foreground part follows w alone.

    Args:
        labels: Shape (slice, row, column); values of 0 and below are background.
        ratio: Largest weight over smallest.
        ignore_label: The label of pixels that nobody has annotated. Slices of nothing else are never drawn and do not
            count among the N, since nnU-Net centres its patches on annotated pixels in such data sets.

    Returns:
        The law; uniform over the slices and without foreground where nothing is segmented.
    """
    drawable = np.ones(len(labels), dtype=bool)
    foreground = labels > 0
    if ignore_label is not None:
        annotated = labels != ignore_label
        drawable = annotated.any(axis=(1, 2))
        foreground &= annotated
        if not drawable.any():
            drawable[:] = True
    cardiac = np.flatnonzero(foreground.any(axis=(1, 2)))
    probabilities = drawable / drawable.sum()
    if len(cardiac) == 0:
        return SliceLaw(probabilities, None)
    weights = np.zeros(len(labels))
    weights[cardiac] = quadratic_slice_weights(len(cardiac), ratio)
    probabilities[cardiac] = probabilities[cardiac].sum() * weights[cardiac]
    return SliceLaw(probabilities, weights)


def region_law(labels: np.ndarray, slices: np.ndarray, classes: Sequence[Label]) -> SliceLaw | None:
    """Return nnU-Net's own law restricted to some slices: region-specific training of paper 002, approach 2.

    A patch anywhere takes each of the slices equally often. A foreground patch is centred on a pixel of a class: each
    class that these slices hold is equally likely, however rare, and so is each of its pixels in them.

    Args:
        labels: Shape (slice, row, column).
        slices: Which slices may be drawn, booleans, shape (slice,).
        classes: The data set's foreground classes.

    Returns:
        The law; None where no slice may be drawn.
    """
    if not slices.any():
        return None
    areas = np.array([np.isin(labels, label).sum(axis=(1, 2)) * slices for label in classes], dtype=float)
    present = areas[areas.any(axis=1)]
    foreground = None
    if len(present):
        foreground = (present / present.sum(axis=1, keepdims=True)).mean(axis=0)
    shares = areas / np.maximum(areas.sum(axis=1, keepdims=True), 1)
    return SliceLaw(slices / slices.sum(), foreground, shares)
