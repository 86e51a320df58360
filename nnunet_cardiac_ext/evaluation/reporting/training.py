"""Training curves: loss, pseudo Dice and learning rate of each fold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from nnunet_cardiac_ext.evaluation.reporting.svg import LINE_COLOURS, as_svg, drawn
from nnunet_cardiac_ext.evaluation.reporting.training_log import Training
from nnunet_cardiac_ext.evaluation.reporting.words import count, number, significant

# Of a thousand epochs and more: a figure is some 300 points wide.
MOST_POINTS = 300
DASHED = (0, (3, 2))


def training_figures(trainings: Sequence[Training]) -> list[dict[str, Any]]:
    """Return the three figures with their titles."""
    return [
        {"title": "Loss", "figure": _losses(trainings)},
        {"title": "Pseudo Dice", "figure": _one(trainings, "dice", "pseudo Dice")},
        {"title": "Learning rate", "figure": _one(trainings, "learning_rate", "learning rate")},
    ]


def _losses(trainings: Sequence[Training]) -> str:
    words = []
    with drawn(3.3, 2.6) as (figure, axes):
        for training, colour in zip(trainings, _colours(trainings), strict=True):
            label = "" if len(trainings) == 1 else f"fold {training.fold}, "
            _line(axes, training.train_loss, color=colour, label=f"{label}training")
            _line(axes, training.val_loss, color=colour, linestyle=DASHED, label=f"{label}validation")
            words.append(
                f"fold {training.fold} ends at {_last(training.train_loss)} training, {_last(training.val_loss)} "
                f"validation after {count(training.epochs, 'epoch')}"
            )
        axes.set(xlabel="epoch", ylabel="loss")
        if len(trainings) == 1:
            axes.legend()
        return as_svg(figure, f"Loss by epoch: {'; '.join(words)}")


def _one(trainings: Sequence[Training], name: str, title: str) -> str:
    words = []
    with drawn(3.3, 2.6) as (figure, axes):
        for training, colour in zip(trainings, _colours(trainings), strict=True):
            values: Mapping[int, float] = getattr(training, name)
            _line(axes, values, color=colour, label=f"fold {training.fold}")
            words.append(f"fold {training.fold} ends at {_last(values)}")
        axes.set(xlabel="epoch", ylabel=title)
        axes.set_ylim(bottom=0)
        if name == "dice":
            axes.set_ylim(top=1)
        if len(trainings) > 1:
            axes.legend(ncols=2)
        return as_svg(figure, f"{title[0].upper()}{title[1:]} by epoch: {'; '.join(words)}")


def _colours(trainings: Sequence[Training]) -> list[str]:
    return [LINE_COLOURS[k % len(LINE_COLOURS)] for k in range(len(trainings))]


def _line(axes: Axes, values: Mapping[int, float], **style: Any) -> None:
    epochs = np.array(sorted(values), dtype=int)
    if len(epochs) > MOST_POINTS:
        epochs = epochs[np.unique(np.linspace(0, len(epochs) - 1, MOST_POINTS).round().astype(int))]
    # A short training is a few points, which a line alone would hide.
    marker = "o" if len(epochs) < 4 else ""
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=6))
    axes.plot(epochs, [values[int(epoch)] for epoch in epochs], linewidth=1.4, marker=marker, markersize=3, **style)


def _last(values: Mapping[int, float]) -> str:
    if not values:
        return number(float("nan"))
    return significant(values[max(values)])
