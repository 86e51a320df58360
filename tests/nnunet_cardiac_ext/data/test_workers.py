"""Batches from this process and from worker processes."""

import numpy as np
import pytest
import torch
from batchgenerators.dataloading.data_loader import DataLoader

from nnunet_cardiac_ext.data.workers import start_workers


class _Draws(DataLoader):
    """Batches of random numbers of numpy and torch."""

    def __init__(self):
        super().__init__(None, 1, infinite=True)

    def generate_train_batch(self):
        return {"numpy": np.random.uniform(), "torch": torch.rand(1).item()}  # noqa: NPY002


def test_without_seeds_the_batches_are_made_in_this_process():
    batches = start_workers(_Draws(), seeds=[], queued=1, pin_memory=False)
    np.random.seed(5)  # noqa: NPY002
    expected = np.random.uniform()  # noqa: NPY002
    np.random.seed(5)  # noqa: NPY002
    assert next(batches)["numpy"] == expected


@pytest.mark.parametrize("key", ["numpy", "torch"])
def test_each_worker_draws_numbers_of_its_own(key):
    batches = start_workers(_Draws(), seeds=[1, 2], queued=4, pin_memory=False)
    try:
        drawn = [next(batches)[key] for _ in range(8)]
    finally:
        batches._finish()
    assert len(set(drawn)) == len(drawn)
