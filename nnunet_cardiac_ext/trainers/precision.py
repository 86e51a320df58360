"""Losses in float32 where the network computes in bfloat16."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn


class InFullPrecision(nn.Module):
    """Compute a loss in float32, whatever the type of the network's outputs.

    bfloat16 has 8 significant bits: the sums over a patch that make up a Dice would be off in the third digit.

    Args:
        loss: Called with outputs and targets.
        device_type: Where it is computed ("cpu", "cuda").
    """

    def __init__(self, loss: nn.Module, device_type: str) -> None:
        super().__init__()
        self.loss = loss
        self.device_type = device_type

    def forward(self, outputs: Any, targets: Any, *more: Any) -> torch.Tensor:
        """Return the loss of one output or, as lists, of several; `more` is handed to the loss as it is."""
        with torch.autocast(self.device_type, enabled=False):
            return self.loss(_as_float32(outputs), targets, *more)


def _as_float32(outputs: Any) -> Any:
    if isinstance(outputs, list | tuple):
        return [output.float() for output in outputs]
    return outputs.float()
