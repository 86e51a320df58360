"""The optimiser that the settings name."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import nn
from torch.optim import Optimizer

from nnunet_cardiac_ext.settings import CardiacSettings


def build_optimizer(
    parameters: Iterable[nn.Parameter] | Iterable[dict[str, Any]], settings: CardiacSettings
) -> Optimizer:
    """Return stochastic gradient descent with Nesterov momentum, Adam or AdamW over parameters or groups of them."""
    rates = {"lr": settings.initial_lr, "weight_decay": settings.weight_decay}
    if settings.optimizer == "sgd":
        return torch.optim.SGD(parameters, momentum=settings.momentum, nesterov=settings.momentum > 0, **rates)
    return {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}[settings.optimizer](parameters, **rates)
