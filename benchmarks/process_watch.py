"""Run a command and watch it: wall time, peak memory of all its processes together, load of the GPU."""

from __future__ import annotations

import contextlib
import os
import shutil
import statistics
import subprocess
import threading
import time
from pathlib import Path
from typing import NamedTuple

INTERVAL_SECONDS = 0.2


class Watched(NamedTuple):
    """What a command took.

    Attributes:
        seconds: Wall time from start to end.
        megabytes: Largest memory at one time of the process and all its children; a page that several share counts
            once (PSS). Looked at five times a second.
        gpu_percent: Mean of the GPU's utilisation as nvidia-smi has it; NaN without one.
    """

    seconds: float
    megabytes: float
    gpu_percent: float


def watch(command: list[str], *, gpu: bool = False) -> Watched:
    """Run a command to its end; a failure ends the benchmark with its last lines."""
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, errors="replace")
    said: list[str] = []
    reader = threading.Thread(target=lambda: said.extend(process.stderr or ()))
    reader.start()
    peak, loads = 0.0, []
    while process.poll() is None:
        peak = max(peak, sum(map(_megabytes, _tree(process.pid))))
        if gpu:
            loads.append(_gpu_load())
        time.sleep(INTERVAL_SECONDS)
    reader.join()
    if process.returncode:
        raise SystemExit(f"{' '.join(command)}: exit code {process.returncode}\n{''.join(said[-10:])}")
    return Watched(time.perf_counter() - start, peak, statistics.fmean(loads) if loads else float("nan"))


def _tree(root: int) -> list[int]:
    parents: dict[int, int] = {}
    for entry in os.scandir("/proc"):
        if entry.name.isdigit():
            with contextlib.suppress(OSError, ValueError):
                # The name in brackets may hold anything; the parent is the second word behind it.
                parents[int(entry.name)] = int(Path(entry.path, "stat").read_text().rpartition(")")[2].split()[1])
    found = [root]
    for number in found:
        found += [child for child, parent in parents.items() if parent == number]
    return found


def _megabytes(number: int) -> float:
    with contextlib.suppress(OSError, ValueError):
        for line in Path(f"/proc/{number}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) / 1024
    return 0.0


def _gpu_load() -> float:
    if shutil.which("nvidia-smi") is None:
        return float("nan")
    query = ["nvidia-smi", "--query-gpu=utilization.gpu", "--format=csv,noheader,nounits"]
    return float(subprocess.run(query, capture_output=True, text=True, check=True).stdout.split()[0])
