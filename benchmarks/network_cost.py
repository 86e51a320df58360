"""What the benchmarks of networks share: steps in turn, and the peak memory of one step."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable
from pathlib import Path

import torch

MIB = 2**20


def in_turn(steps: dict[str, Callable[[], None]], turns: int, device: str) -> dict[str, list[float]]:
    """Return the milliseconds of each step, all steps once per turn, after a first turn that does not count.

    On the CPU it is processor time of all threads, which other programs on the machine disturb least.
    """
    clock = time.perf_counter if device == "cuda" else time.process_time
    times: dict[str, list[float]] = {name: [] for name in steps}
    for turn in range(turns + 1):
        for name, step in steps.items():
            start = clock()
            step()
            if device == "cuda":
                torch.cuda.synchronize()
            if turn:
                times[name].append(1000 * (clock() - start))
    return times


def peak_memory(build: Callable[..., Callable[[], None]], *arguments: object, device: str) -> float:
    """Return the MiB that the step of `build(*arguments)` needs at its peak beyond what it starts with.

    On the CPU each runs in a process of its own, whose resident memory is read.
    """
    if device == "cuda":
        step = build(*arguments)
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated()
        step()
        return (torch.cuda.max_memory_allocated() - before) / MIB
    context = multiprocessing.get_context("spawn")
    with context.Pool(1, initializer=torch.set_num_threads, initargs=(torch.get_num_threads(),)) as pool:
        return pool.apply(_resident_peak, (build, *arguments))


def ratios(values: list[float], others: list[float]) -> list[float]:
    """Return `others` over `values`, turn by turn: above 1, `values` is the faster one."""
    return [other / value for value, other in zip(values, others, strict=True)]


def _resident_peak(build: Callable[..., Callable[[], None]], *arguments: object) -> float:
    step = build(*arguments)
    # Not getrusage: its peak is handed down by the process that started this one.
    Path("/proc/self/clear_refs").write_text("5")
    before = _resident("VmRSS")
    step()
    return (_resident("VmHWM") - before) / 1024


def _resident(name: str) -> int:
    """Return KiB of resident memory of this process (Linux): now (VmRSS) or at most since the last reset (VmHWM)."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:"))
