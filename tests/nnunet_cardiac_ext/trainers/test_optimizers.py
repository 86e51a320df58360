"""The optimiser that the settings name."""

import pytest
import torch

from nnunet_cardiac_ext.settings import read_settings
from nnunet_cardiac_ext.trainers.optimizers import build_optimizer


@pytest.mark.parametrize(
    ("block", "kind", "expected"),
    [
        ({}, torch.optim.SGD, {"lr": 0.01, "weight_decay": 3e-5, "momentum": 0.99, "nesterov": True}),
        ({"momentum": 0}, torch.optim.SGD, {"momentum": 0, "nesterov": False}),
        ({"optimizer": "adam", "initial_lr": 5e-4}, torch.optim.Adam, {"lr": 5e-4, "betas": (0.9, 0.999)}),
        ({"optimizer": "adamw", "weight_decay": 0.1}, torch.optim.AdamW, {"weight_decay": 0.1}),
    ],
)
def test_kind_and_values_are_those_of_the_settings(block, kind, expected):
    optimizer = build_optimizer([torch.nn.Parameter(torch.zeros(1))], read_settings(block))
    assert type(optimizer) is kind
    assert {key: optimizer.defaults[key] for key in expected} == expected
