"""Class weights over a training, as a csv beside the checkpoints: what a network that makes them has settled on."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor, distributed

from nnunet_cardiac_ext.files import read_csv, write_csv
from nnunet_cardiac_ext.losses.soft_targets import class_shares

FILE_NAME = "class_weights.csv"
COLUMNS = ("epoch", "class", "weight", "frequency")


class ClassWeightLog:
    """Mean weight and frequency of each class, epoch by epoch.

    The file has a row per epoch and class: `weight`, the mean over the training images of the epoch, and `frequency`,
    the share of the class among their voxels. A resumed training goes on with it.

    Args:
        folder: Where the file is.
        classes: Names of the classes, the background first.
    """

    def __init__(self, folder: Path, classes: Sequence[str]) -> None:
        self._file = folder / FILE_NAME
        self._classes = list(classes)
        self._sums: Tensor | None = None

    def add(self, weights: Tensor, target: Tensor) -> None:
        """Take note of a batch.

        Args:
            weights: Shape (B, C).
            target: Labels (B, 1, [D,] H, W) or shares (B, C, [D,] H, W).
        """
        frequency = class_shares(target, len(self._classes)).flatten(2).mean(dim=-1)
        # Stays on the device: reading it here would make the device wait.
        sums = torch.stack(
            [weights.detach().sum(dim=0), frequency.sum(dim=0), torch.full_like(weights[0], len(weights))]
        )
        self._sums = sums if self._sums is None else self._sums + sums

    def means(self, *, all_processes: bool) -> list[tuple[str, float, float]]:
        """Return name, mean weight and frequency of each class since the last call, and begin anew.

        Args:
            all_processes: Take the means over all processes of a distributed training.
        """
        if self._sums is None:
            return []
        sums, self._sums = self._sums, None
        if all_processes:
            distributed.all_reduce(sums)
        weights, frequencies = (sums[:2] / sums[2]).tolist()
        return list(zip(self._classes, weights, frequencies, strict=True))

    def write(self, epoch: int, means: Sequence[tuple[str, float, float]]) -> None:
        """Put an epoch's means into the file, in the place of what it held of this epoch and later ones."""
        earlier = read_csv(self._file) if epoch > 0 and self._file.is_file() else []
        rows: list[dict[str, object]] = [dict(row) for row in earlier if int(row["epoch"]) < epoch]
        for name, weight, frequency in means:
            rows.append(dict(zip(COLUMNS, (epoch, name, f"{weight:.6g}", f"{frequency:.6g}"), strict=True)))
        write_csv(self._file, rows, COLUMNS)
