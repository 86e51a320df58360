"""Learning rate schedules that nnU-Net's training loop can drive and that resume."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from torch.optim import Optimizer
from torch.optim.lr_scheduler import ReduceLROnPlateau

from nnunet_cardiac_ext.settings import CardiacSettings

# nnU-Net's exponent of the polynomial decay (Isensee et al. 2020, Nature Methods).
POLY_EXPONENT = 0.9


class Schedule(Protocol):
    """What `CardiacTrainer` asks of a schedule."""

    def step(self, epoch: int) -> None:
        """Set the learning rate at the start of an epoch (counted from 0)."""

    def observe(self, value: float) -> None:
        """Take note of a validation quantity, smaller is better, at the end of an epoch."""

    def state_dict(self) -> dict[str, Any]:
        """Return what a resumed training needs to know."""

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from the state of an earlier training."""


def build_schedule(optimizer: Optimizer, settings: CardiacSettings) -> Schedule:
    """Return the schedule that the settings name."""
    if settings.schedule == "plateau":
        return PlateauSchedule(
            optimizer,
            patience=settings.plateau_patience,
            factor=settings.plateau_factor,
            min_delta=settings.plateau_min_delta,
        )
    last = max(1, settings.num_epochs - 1)
    factors: dict[str, Callable[[int], float]] = {
        "poly": lambda epoch: (1 - epoch / settings.num_epochs) ** POLY_EXPONENT,
        "steps": lambda epoch: settings.step_factor ** sum(epoch >= step for step in settings.step_epochs),
        "exponential": lambda epoch: (settings.final_lr / settings.initial_lr) ** (epoch / last),
        "none": lambda epoch: 1.0,
    }
    return EpochSchedule(optimizer, factors[settings.schedule])


class EpochSchedule:
    """The learning rate of each parameter group is its first one times a factor of the epoch. Has no state."""

    def __init__(self, optimizer: Optimizer, factor: Callable[[int], float]) -> None:
        self._groups = [(group, group["lr"]) for group in optimizer.param_groups]
        self._optimizer = optimizer
        self._factor = factor

    def step(self, epoch: int) -> None:
        """Set the learning rates of an epoch."""
        for group, (_, initial) in zip(self._optimizer.param_groups, self._groups, strict=True):
            group["lr"] = initial * self._factor(epoch)

    def observe(self, value: float) -> None:
        """Nothing depends on the validation."""

    def state_dict(self) -> dict[str, Any]:
        """Return nothing: the epoch says it all."""
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take nothing."""


class PlateauSchedule:
    """The learning rate falls by a factor when the validation quantity has not got smaller for some epochs.

    Args:
        optimizer: Whose learning rates are set.
        patience: Epochs without improvement that are tolerated.
        factor: What the learning rate is multiplied by after that.
        min_delta: By how much a value must lie below the best one to be an improvement.
    """

    def __init__(self, optimizer: Optimizer, *, patience: int, factor: float, min_delta: float) -> None:
        self._plateau = ReduceLROnPlateau(
            optimizer, patience=patience, factor=factor, threshold=min_delta, threshold_mode="abs"
        )

    def step(self, epoch: int) -> None:
        """Leave the learning rate: it changes at the end of an epoch only."""

    def observe(self, value: float) -> None:
        """Compare a validation quantity with the best one so far."""
        self._plateau.step(value)

    def state_dict(self) -> dict[str, Any]:
        """Return the best value and the count of epochs without improvement."""
        return self._plateau.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on counting."""
        self._plateau.load_state_dict(state)
