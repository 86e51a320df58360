"""Where networks compute in bfloat16, and losses in float32 beside them."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn


def computes_bfloat16(device_type: str) -> bool:
    """Tell whether a device has arithmetic for bfloat16.

    An x86 processor without it imitates it: a step of a small U-Net took 2.3 times as long as in float32, and with
    torch 2.14 some convolutions with the channels last wrote beyond their memory.

    Args:
        device_type: "cpu", "cuda" or "mps"; only an x86 processor is looked at, torch itself sees to the rest.
    """
    known: dict[str, Any] = getattr(torch.cpu, "get_capabilities", dict)()
    if device_type != "cpu" or known.get("architecture") != "x86_64":
        return True
    return bool(known.get("avx512_bf16") or known.get("amx_bf16"))


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
