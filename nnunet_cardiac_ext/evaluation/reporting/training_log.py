"""nnU-Net's training logs, read as text: a checkpoint may hold anything, a log holds lines."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from nnunet_cardiac_ext.errors import UsageError

_LINE = re.compile(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d+)?: (.*)$")
_NUMBER = re.compile(r"-?(?:nan|inf|\d+(?:\.\d+)?(?:e[-+]?\d+)?)(?=[,)\]\s]|$)")


@dataclass
class Training:
    """What nnU-Net logged of one fold, by epoch.

    Attributes:
        fold: Name of the fold ("0", "all").
        train_loss: Loss of the training batches.
        val_loss: Loss of the validation batches.
        dice: Mean over the classes of nnU-Net's pseudo Dice (of validation patches as one).
        learning_rate: Learning rate.
        seconds: Duration of the epoch.
    """

    fold: str
    train_loss: dict[int, float] = field(default_factory=dict)
    val_loss: dict[int, float] = field(default_factory=dict)
    dice: dict[int, float] = field(default_factory=dict)
    learning_rate: dict[int, float] = field(default_factory=dict)
    seconds: dict[int, float] = field(default_factory=dict)

    @property
    def epochs(self) -> int:
        """Number of logged epochs."""
        return len(self.train_loss)


def read_trainings(model: Path) -> list[Training]:
    """Return the trainings of a model folder by fold.

    Several logs of a fold (a resumed training) count in the order of their names, which is that of time; what a later
    one says of an epoch replaces what an earlier one said.

    Args:
        model: nnU-Net's folder TRAINER__PLANS__CONFIGURATION.

    Raises:
        UsageError: There is no log of an epoch.
    """
    found = [_read_fold(folder) for folder in sorted(model.glob("fold_*"))]
    trainings = [training for training in found if training.epochs]
    if not trainings:
        raise UsageError(f"{model}: expected fold_X/training_log_*.txt of nnU-Net with an epoch, found none")
    return trainings


def _read_fold(folder: Path) -> Training:
    training = Training(folder.name.removeprefix("fold_"))
    try:
        for path in sorted(folder.glob("training_log_*.txt")):
            read_log(path.read_text(encoding="utf-8", errors="replace").splitlines(), training)
    except OSError as error:
        raise UsageError(f"{folder}: its training logs cannot be read ({error.strerror or error})") from error
    return training


def read_log(lines: Iterable[str], training: Training) -> None:
    """Add what the lines of a log say to a training."""
    takers: dict[str, tuple[dict[int, float], Callable[[list[float]], float]]] = {
        "train_loss ": (training.train_loss, _first), "val_loss ": (training.val_loss, _first),
        "Pseudo dice ": (training.dice, _mean), "Current learning rate: ": (training.learning_rate, _first),
        "Epoch time: ": (training.seconds, _first),
    }  # fmt: skip
    epoch = -1
    for line in lines:
        match = _LINE.match(line)
        if match is None:
            continue
        text = match[1].strip()
        if re.fullmatch(r"Epoch \d+", text):
            epoch = int(text.split()[1])
        start = next((start for start in takers if text.startswith(start)), None)
        if start and epoch >= 0:
            target, reduce = takers[start]
            values = [float(value) for value in _NUMBER.findall(text[len(start) :])]
            if values:
                target[epoch] = reduce(values)


def _first(values: list[float]) -> float:
    return values[0]


def _mean(values: list[float]) -> float:
    known = [value for value in values if math.isfinite(value)]
    return sum(known) / len(known) if known else math.nan
