"""How likely each slice of a labelled stack is drawn: region-aware sampling of paper 002, approach 1."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nnunet_cardiac_ext.regions import quadratic_slice_weights


@dataclass(frozen=True)
class SliceLaw:
    """Probabilities of the slices of one case.

    Attributes:
        random: For a patch anywhere, shape (slice,), sums to 1.
        foreground: For a patch that is certain to hold foreground, shape (slice,), sums to 1; None without any.
    """

    random: np.ndarray
    foreground: np.ndarray | None

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
