"""Weights of the losses at the decoder's outputs: nnU-Net's own or given ones, and what distributed training needs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nnunet_cardiac_ext.errors import UsageError

# Under DDP every output needs some gradient, else its parameters count as unused and the training stops.
TINY_WEIGHT = 1e-6


def deep_supervision_weights(
    n_outputs: int, given: Sequence[float] | None = None, *, every_output: bool = False
) -> np.ndarray:
    """Return the weight of the loss at each output of the decoder, finest first.

    nnU-Net's weights halve from output to output, the coarsest is left out and the others sum to 1.

    Args:
        n_outputs: Number of outputs.
        given: Weights to take as they are, not normalised, instead of nnU-Net's.
        every_output: No weight may be 0, as DDP needs it; `TINY_WEIGHT` stands in.

    Raises:
        UsageError: `given` has another length than there are outputs.
    """
    nothing = TINY_WEIGHT if every_output else 0.0
    if given is not None:
        if len(given) != n_outputs:
            raise UsageError(
                f"cardiac.deep_supervision_weights: expected {n_outputs} numbers, one for each output of this network, "
                f"got {len(given)}"
            )
        return np.maximum(np.asarray(given, dtype=float), nothing)
    weights = 0.5 ** np.arange(n_outputs)
    if n_outputs > 1:
        weights[-1] = nothing
    return weights / weights.sum()
