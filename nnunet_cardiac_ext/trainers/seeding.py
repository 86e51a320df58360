"""Seeds that depend on the epoch and the process, so that a resumed training draws what an uninterrupted one would."""

from __future__ import annotations

import random

import numpy as np
import torch

# Parts of a training that draw random numbers of their own.
START, TRAINING, VALIDATION, TRAINING_WORKERS, VALIDATION_WORKERS = range(5)


def seed_process(seed: int, epoch: int, part: int, rank: int = 0) -> None:
    """Seed Python, numpy and torch of this process for one part of one epoch.

    Args:
        seed: The seed of the training.
        epoch: Epoch, counted from 0.
        part: One of the parts named in this module.
        rank: Rank of the process in distributed training.
    """
    numbers = np.random.SeedSequence((seed, epoch, part, rank)).generate_state(3)
    random.seed(int(numbers[0]))
    np.random.seed(numbers[1])  # noqa: NPY002  nnU-Net's loaders and transforms draw from the global state
    torch.manual_seed(int(numbers[2]))


def worker_seeds(count: int, seed: int | None, epoch: int, part: int, rank: int = 0) -> list[int]:
    """Return a seed of its own for each worker process; from the system's entropy where `seed` is None."""
    entropy = None if seed is None else (seed, epoch, part, rank)
    return [int(number) for number in np.random.SeedSequence(entropy).generate_state(count)]
