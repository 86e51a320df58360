"""How long one training iteration takes here, so that `--minutes` can be turned into a number of epochs."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from nnunet_cardiac_ext import discovery
from nnunet_cardiac_ext.files import read_json, write_json

WARM_UP_ITERATIONS = 5
TIMED_ITERATIONS = 20


def epochs_for(
    minutes: float,
    *,
    plans: Path,
    dataset: Path,
    configuration: str,
    device: str,
    record: Path,
    environment: Mapping[str, str] | None = None,
) -> int:
    """Return the number of epochs that fit into a training time, at least 1.

    The time is measured once with the real loader and network and kept in `record`, so that a repeated demo plans the
    same training and resumes it.

    Args:
        minutes: Training time wanted.
        plans: The plans file.
        dataset: The `dataset.json`.
        configuration: A configuration of the plans.
        device: cpu, cuda or mps.
        record: JSON file that keeps the measured time.
        environment: Variables under which the training will run, such as nnU-Net's number of loader processes.
    """
    key = f"{configuration} on {device}"
    known = read_json(record) if record.is_file() else {}
    if key not in known:
        # A trainer makes its results folder when it is built; nobody wants that of a measurement.
        with tempfile.TemporaryDirectory() as folder, _set({**(environment or {}), discovery.RESULTS: folder}):
            known[key] = _seconds_per_epoch(read_json(plans), read_json(dataset), configuration, device)
        write_json(record, known)
    return max(1, int(minutes * 60 / known[key]))


@contextmanager
def _set(variables: Mapping[str, str]) -> Iterator[None]:
    """Set environment variables for as long as this lasts."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _seconds_per_epoch(plans: dict, dataset: dict, configuration: str, device: str) -> float:
    import torch
    from batchgenerators.dataloading.nondet_multi_threaded_augmenter import NonDetMultiThreadedAugmenter

    from nnunet_cardiac_ext.trainers.base import CardiacTrainer

    trainer = CardiacTrainer(plans | {"continue_training": False}, configuration, 0, dataset, torch.device(device))
    trainer.on_train_start()
    trainer.on_train_epoch_start()
    start = 0.0
    try:
        for iteration in range(WARM_UP_ITERATIONS + TIMED_ITERATIONS):
            if iteration == WARM_UP_ITERATIONS:
                start = time.monotonic()
            float(trainer.train_step(next(trainer.dataloader_train))["loss"])
        seconds = (time.monotonic() - start) / TIMED_ITERATIONS
    finally:
        # Else the loaders' processes would go on beside the training.
        for batches in (trainer.dataloader_train, trainer.dataloader_val):
            if isinstance(batches, NonDetMultiThreadedAugmenter):
                batches._finish()
    # A validation iteration has no backward pass: about a third of the work.
    return seconds * (trainer.num_iterations_per_epoch + trainer.num_val_iterations_per_epoch / 3)
