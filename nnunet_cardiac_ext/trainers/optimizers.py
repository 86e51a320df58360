"""The optimiser that the settings name."""

from __future__ import annotations

import torch
from torch.optim import Optimizer
from torch.optim.optimizer import ParamsT

from nnunet_cardiac_ext.settings import CardiacSettings


def build_optimizer(parameters: ParamsT, settings: CardiacSettings) -> Optimizer:
    """Return stochastic gradient descent with Nesterov momentum, Adam or AdamW over parameters or groups of them."""
    rates = {"lr": settings.initial_lr, "weight_decay": settings.weight_decay}
    if settings.optimizer == "sgd":
        return torch.optim.SGD(parameters, momentum=settings.momentum, nesterov=settings.momentum > 0, **rates)
    return {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}[settings.optimizer](parameters, **rates)
