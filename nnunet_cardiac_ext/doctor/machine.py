"""Checks of the machine: disk space, worker processes against cores and memory, shared memory."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from nnunet_cardiac_ext.discovery import DIRECTORY_VARIABLES
from nnunet_cardiac_ext.doctor.check import Check, ok, problem, warning
from nnunet_cardiac_ext.processes import available_cores

GIB = 2**30
# nnU-Net's stock 2D network with 7 stages has 33 million parameters: 0.25 GiB per checkpoint with its momentum, two
# checkpoints per fold. Ten folds with room for the data need 10 GiB; below 1 GiB not even one fold is safe.
ENOUGH_DISK_GIB = 10.0
LEAST_DISK_GIB = 1.0
# A process that has imported nnU-Net's trainer holds 0.9 GiB, most of it shared between forked workers.
WORKER_GIB = 1.0
# Augmented batches travel through shared memory; Docker's default of 64 MiB holds two or three stock 2D batches.
ENOUGH_SHARED_GIB = 1.0
# Variable, nnU-Net's default, what the workers do.
WORKER_VARIABLES = (
    ("nnUNet_def_n_proc", 8, "preprocessing and export"),
    ("nnUNet_n_proc_DA", 12, "augmentation"),
)
SHARED_MEMORY = Path("/dev/shm")


def disk_space() -> Iterator[Check]:
    """Yield the free space of each of nnU-Net's directories that exists."""
    for variable in DIRECTORY_VARIABLES:
        folder = os.environ.get(variable)
        if not folder or not Path(folder).is_dir():
            continue
        free = shutil.disk_usage(folder).free / GIB
        found = f"{variable}: {free:.1f} GiB free"
        remedy = "free some, or set the variable to a folder on a larger disk"
        if free >= ENOUGH_DISK_GIB:
            yield ok(f"{found} (at least {ENOUGH_DISK_GIB:g} GiB advised)")
        elif free >= LEAST_DISK_GIB:
            yield warning(f"{found}, {ENOUGH_DISK_GIB:g} GiB advised", remedy)
        else:
            yield problem(f"{found}, less than {LEAST_DISK_GIB:g} GiB", remedy)


def workers() -> Iterator[Check]:
    """Yield whether nnU-Net's numbers of worker processes fit the cores and the memory."""
    cores, memory = available_cores(), available_memory()
    most = max(1, min(cores, int(memory / GIB / WORKER_GIB)) if memory is not None else cores)
    room = f"{cores} cores" + (f" and {memory / GIB:.1f} GiB of free memory" if memory is not None else "")
    for variable, default, use in WORKER_VARIABLES:
        text = os.environ.get(variable, "")
        if text and not text.isdecimal():
            yield problem(f"{variable}={text!r} is no number of processes", f"export {variable}={most}")
            continue
        # nnU-Net caps only the augmentation workers, and by all cores of the machine, not by those of this job.
        count = int(text) if text else default
        if variable == "nnUNet_n_proc_DA":
            count = min(count, os.cpu_count() or count)
        found = f"{variable}: {count} processes for {use}" + ("" if text else " (nnU-Net's default)")
        fits = count <= most
        yield ok(f"{found}, {room}") if fits else warning(f"{found}, but {room}", f"export {variable}={most}")


def shared_memory() -> Iterator[Check]:
    """Yield the size of the shared memory where the system has a mount for it (containers often have 64 MiB)."""
    if not SHARED_MEMORY.is_dir():
        return
    size = shutil.disk_usage(SHARED_MEMORY).total / GIB
    if size >= ENOUGH_SHARED_GIB:
        yield ok(f"shared memory: {size:.1f} GiB")
    else:
        remedy = "docker run --ipc=host (or --shm-size=8g), or export nnUNet_n_proc_DA=0"
        yield warning(f"shared memory: {size:.2f} GiB, {ENOUGH_SHARED_GIB:g} GiB advised", remedy)


def available_memory() -> int | None:
    """Return the free memory in bytes, no more than a container's limit; None where the system does not tell."""
    sizes = [size for size in (_free_of_machine(), _limit_of_container()) if size is not None]
    return min(sizes) if sizes else None


def _free_of_machine() -> int | None:
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    fields = {name: rest.split()[0] for name, _, rest in (line.partition(":") for line in lines) if rest}
    return int(fields["MemAvailable"]) * 1024 if "MemAvailable" in fields else None


def _limit_of_container() -> int | None:
    try:
        limit = Path("/sys/fs/cgroup/memory.max").read_text(encoding="ascii").strip()
    except OSError:
        return None
    return int(limit) if limit.isdecimal() else None
