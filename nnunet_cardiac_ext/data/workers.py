"""Start nnU-Net's background workers on a loader."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from batchgenerators.dataloading.nondet_multi_threaded_augmenter import NonDetMultiThreadedAugmenter
from batchgenerators.dataloading.single_threaded_augmenter import SingleThreadedAugmenter
from nnunetv2.training.dataloading.data_loader import nnUNetDataLoader

# How long a worker sleeps between two looks at a full or empty queue, in seconds; nnU-Net's value.
WAIT_SECONDS = 0.002


def start_workers(
    loader: nnUNetDataLoader, *, seeds: Sequence[int], queued: int, pin_memory: bool
) -> Iterator[dict[str, Any]]:
    """Return an endless iterator over batches, its workers running.

    Args:
        loader: The loader, copied into each worker.
        seeds: One per worker process; without any the batches are made in this process when they are asked for.
        queued: Finished batches that wait at most.
        pin_memory: Put batches into page-locked memory, for CUDA.
    """
    if not seeds:
        batches = SingleThreadedAugmenter(loader, None)
    else:
        batches = NonDetMultiThreadedAugmenter(
            loader, None, len(seeds), queued, seeds=list(seeds), pin_memory=pin_memory, wait_time=WAIT_SECONDS
        )
    # The first batch starts the processes, so that they run before the device is busy and fail early.
    next(batches)
    return batches
