"""Random numbers that depend on seed, epoch, part and rank alone."""

import random

import numpy as np
import torch

from nnunet_cardiac_ext.trainers.seeding import TRAINING, VALIDATION, seed_process, worker_seeds


def _draws(*arguments):
    seed_process(*arguments)
    return random.random(), np.random.uniform(), torch.rand(1).item()  # noqa: NPY002


def test_the_same_epoch_draws_the_same():
    assert _draws(1, 5, TRAINING) == _draws(1, 5, TRAINING)


def test_another_seed_epoch_part_or_rank_draws_otherwise():
    first = (1, 5, TRAINING, 0)
    arguments = (first, (2, 5, TRAINING, 0), (1, 6, TRAINING, 0), (1, 5, VALIDATION, 0), (1, 5, TRAINING, 1))
    for drawn in zip(*(_draws(*each) for each in arguments), strict=True):
        assert len(set(drawn)) == len(arguments)


def test_workers_have_different_seeds_that_repeat_only_with_a_seed():
    assert worker_seeds(3, 1, 0, TRAINING) == worker_seeds(3, 1, 0, TRAINING)
    assert len({*worker_seeds(3, 1, 0, TRAINING), *worker_seeds(3, 1, 1, TRAINING)}) == 6
    assert worker_seeds(3, None, 0, TRAINING) != worker_seeds(3, None, 0, TRAINING)
    assert worker_seeds(0, 1, 0, TRAINING) == []
