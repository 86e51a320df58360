"""Learning rates over the epochs, against nnU-Net's and by hand."""

import pytest
import torch
from nnunetv2.training.lr_scheduler.polylr import PolyLRScheduler

from nnunet_cardiac_ext.settings import read_settings
from nnunet_cardiac_ext.trainers.schedules import build_schedule


def _optimizer(rate=0.1):
    return torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], rate)


def _rates(epochs, values=None, **block):
    optimizer = _optimizer()
    schedule = build_schedule(optimizer, read_settings(block))
    rates = []
    for epoch in range(epochs):
        schedule.step(epoch)
        rates.append(optimizer.param_groups[0]["lr"])
        schedule.observe(values[epoch] if values else 0.0)
    return rates


def test_poly_is_that_of_nnunet():
    optimizer = _optimizer()
    stock = PolyLRScheduler(optimizer, 0.1, 5)
    expected = []
    for epoch in range(5):
        stock.step(epoch)
        expected.append(optimizer.param_groups[0]["lr"])
    assert _rates(5, num_epochs=5) == expected


def test_none_keeps_the_rate():
    assert _rates(3, schedule="none") == [0.1] * 3


def test_steps_lower_the_rate_from_their_epoch_on():
    assert _rates(4, schedule="steps", step_epochs=[1, 3], step_factor=0.5) == [0.1, 0.05, 0.05, 0.025]


def test_the_exponential_falls_by_the_same_factor_to_the_last_epochs_rate():
    rates = _rates(5, schedule="exponential", num_epochs=5, initial_lr=0.1, final_lr=1e-5)
    assert rates == pytest.approx([1e-1, 1e-2, 1e-3, 1e-4, 1e-5])
    assert _rates(1, schedule="exponential", num_epochs=1, initial_lr=0.1) == [0.1]


def test_the_plateau_waits_for_its_patience_and_ignores_small_gains():
    block = {"schedule": "plateau", "plateau_patience": 1, "plateau_factor": 0.5, "plateau_min_delta": 0.1}
    # 1.0 is the best; 0.95 gains too little; so does 0.92: the second epoch in a row, one more than the patience.
    assert _rates(5, [1.0, 0.95, 0.92, 0.5, 0.5], **block) == [0.1, 0.1, 0.1, 0.05, 0.05]


def test_each_parameter_group_keeps_its_own_rate():
    first, second = (torch.nn.Parameter(torch.zeros(1)) for _ in range(2))
    optimizer = torch.optim.SGD([{"params": [first], "lr": 1.0}, {"params": [second], "lr": 0.1}], 1.0)
    schedule = build_schedule(optimizer, read_settings({"schedule": "steps", "step_epochs": [1], "step_factor": 0.5}))
    schedule.step(1)
    assert [group["lr"] for group in optimizer.param_groups] == [0.5, 0.05]


def test_a_restored_plateau_goes_on_counting():
    settings = read_settings({"schedule": "plateau", "plateau_patience": 1, "plateau_factor": 0.5})
    first = build_schedule(_optimizer(), settings)
    for value in (1.0, 2.0):
        first.observe(value)
    optimizer = _optimizer()
    restored = build_schedule(optimizer, settings)
    restored.load_state_dict(first.state_dict())
    restored.observe(2.0)
    assert optimizer.param_groups[0]["lr"] == pytest.approx(0.05)
