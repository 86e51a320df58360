"""Work on several processes: how many there may be, results as they come, and an end without leftovers."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.context import BaseContext
from typing import Any, TypeVar

from nnunet_cardiac_ext.errors import UsageError, WorkError

Result = TypeVar("Result")

# Windows can wait for no more at once; Python refuses a larger pool there.
MOST_ON_WINDOWS = 61


def available_cores() -> int:
    """Return the number of cores that this process may use: on a cluster those of the job, not of the machine."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def number_of_workers(asked: int | None, jobs: int, *, jobs_per_worker: int) -> int:
    """Return how many processes work on some jobs: as many as asked for, else one per core where it pays.

    Args:
        asked: What the user wants (`-np`); None leaves it to this function.
        jobs: Number of jobs.
        jobs_per_worker: So many jobs pay for the start of a process.

    Raises:
        UsageError: Fewer than one is asked for.
    """
    if asked is not None and asked < 1:
        raise UsageError(f"-np: expected at least 1 process, got {asked}")
    return asked or max(1, min(available_cores(), jobs // jobs_per_worker))


def run_jobs(
    function: Callable[..., Result],
    jobs: Sequence[tuple[Any, ...]],
    *,
    workers: int,
    context: BaseContext | None = None,
    initializer: Callable[[], None] | None = None,
) -> Iterator[Result]:
    """Yield `function(*job)` of each job: in order in this process for one worker or one job, else as they come.

    On an interruption or a failure what has not begun is dropped, and what has is waited for.

    Args:
        function: A function of a module, so that a worker finds it by name.
        jobs: The arguments of each call.
        workers: Number of processes; never more than there are jobs.
        context: How processes start; by default they are spawned, so a script needs `if __name__ == "__main__":`.
        initializer: Called once in each worker.

    Raises:
        WorkError: A worker process died.
    """
    count = min(workers, len(jobs), MOST_ON_WINDOWS if sys.platform == "win32" else workers)
    if count <= 1:
        yield from (function(*job) for job in jobs)
        return
    context = context or multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(count, mp_context=context, initializer=_start, initargs=(initializer,)) as pool:
        futures = {pool.submit(function, *job) for job in jobs}
        try:
            for future in as_completed(futures):
                # A future keeps its result; those handed out are let go, or thousands of them would fill the memory.
                futures.discard(future)
                yield future.result()
        except BrokenProcessPool as error:
            raise WorkError("a worker process died, probably for lack of memory; try a smaller -np") from error
        finally:
            for future in futures:
                future.cancel()


def _start(initializer: Callable[[], None] | None) -> None:
    # Ctrl-C reaches every process of the terminal; the parent alone says so and ends the others.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if initializer:
        initializer()
