"""Mixtures of several networks' class probabilities, kept as logits so that nnU-Net can export them."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch.nn.functional import logsigmoid


class ProbabilityMixture:
    """A weighted mean of probabilities per slice, computed in logarithms: tiny probabilities stay what they are.

    `logits` are such that nnU-Net's nonlinearity gives the mean of the probabilities: its logarithm for softmax, its
    log odds for the sigmoid of region-based labels. With one network of weight 1 that is as good as its own logits:
    softmax does not see what a voxel's logits have in common, before interpolation or after it.

    Args:
        shape: Classes, slices, rows and columns.
        sigmoid: Whether each class has a probability of its own (region-based labels).
    """

    def __init__(self, shape: Sequence[int], *, sigmoid: bool) -> None:
        self._sigmoid = sigmoid
        self._yes = torch.full(tuple(shape), -math.inf)
        # Of the complement; softmax needs none.
        self._no = torch.full(tuple(shape), -math.inf) if sigmoid else None

    def add(self, slices: Sequence[int], logits: torch.Tensor, weights: torch.Tensor) -> None:
        """Add a network's answer to some slices.

        Args:
            slices: Their indices.
            logits: Its logits (class, slice, row, column), one slice per index.
            weights: Its weight in each of them, above 0, shape (slice,); over the networks they sum to 1 per slice.
        """
        index = list(slices)
        log_weights = weights.float().log()[:, None, None]
        logits = logits.float()
        yes = logsigmoid(logits) if self._sigmoid else logits.log_softmax(dim=0)
        self._yes[:, index] = torch.logaddexp(self._yes[:, index], yes + log_weights)
        if self._no is not None:
            self._no[:, index] = torch.logaddexp(self._no[:, index], logsigmoid(-logits) + log_weights)

    @property
    def logits(self) -> torch.Tensor:
        """The mixture, float32 (class, slice, row, column); every slice must have got an answer."""
        return self._yes if self._no is None else self._yes - self._no
