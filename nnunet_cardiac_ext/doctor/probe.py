"""What needs torch and nnU-Net, asked in a process of its own: the search for trainers from elsewhere, and the device.

A fresh process in an empty folder sees what a user's job will see, and a broken torch cannot stop the other checks.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from typing import Any

from nnunet_cardiac_ext.discovery import enable_trainers
from nnunet_cardiac_ext.doctor.check import Check, ok, problem, warning
from nnunet_cardiac_ext.doctor.machine import GIB, available_memory
from nnunet_cardiac_ext.processes import available_cores
from nnunet_cardiac_ext.registry import TRAINERS

# nnU-Net's planner fits its stock configurations into 8 GiB.
ENOUGH_DEVICE_GIB = 8.0
TIMEOUT_SECONDS = 300


def trainers_and_device() -> Iterator[Check]:
    """Yield whether nnU-Net finds every registered trainer from another folder, and what it will compute on."""
    with tempfile.TemporaryDirectory() as elsewhere:
        command = [sys.executable, "-m", __name__]
        try:
            done = subprocess.run(
                command, cwd=elsewhere, capture_output=True, text=True, errors="replace", check=False,
                timeout=TIMEOUT_SECONDS,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            yield problem(f"loading torch and nnU-Net took over {TIMEOUT_SECONDS} s", "install on a local disk")
            return
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
        yield problem(f"torch or nnU-Net cannot be loaded: {reason}", "pip install --force-reinstall torch nnunetv2")
        return
    # What compiled code prints while it loads comes before our line.
    answer = json.loads(done.stdout.splitlines()[-1])
    yield from trainer_findings(answer["trainers"])
    yield device_finding(answer["device"])


def trainer_findings(errors: dict[str, str]) -> Iterator[Check]:
    """Yield one finding per trainer.

    Args:
        errors: What went wrong by trainer; empty text where nnU-Net found it.
    """
    for name, error in errors.items():
        if error:
            yield problem(
                f"{name}: nnU-Net does not find it ({error})", "pip install -e . in the folder of nnunet-cardiac-ext"
            )
        else:
            yield ok(f"{name}: found by nnU-Net from another folder")


def device_finding(device: dict[str, Any]) -> Check:
    """Return the finding about the device.

    Args:
        device: `kind` (cuda, mps or cpu), `name`, and `free` and `total` memory in bytes or None.
    """
    free = device["free"]
    memory = "free memory unknown" if free is None else f"{free / GIB:.1f} GiB free"
    if device["total"]:
        memory += f" of {device['total'] / GIB:.1f}"
    if device["kind"] == "cpu":
        found = f"device: no GPU, CPU with {available_cores()} cores, {memory}"
        return warning(found, "fine for prediction and small networks; train stock networks on a machine with a GPU")
    found = f"device: {device['kind']}, {device['name']}, {memory}"
    if free is not None and free / GIB < ENOUGH_DEVICE_GIB:
        remedy = "end other jobs on it, choose another by CUDA_VISIBLE_DEVICES, or plan --set batch_size=..."
        return warning(f"{found}, {ENOUGH_DEVICE_GIB:g} GiB advised", remedy)
    return ok(found)


def _main() -> None:
    with contextlib.redirect_stdout(sys.stderr):  # nnU-Net reports its search on stdout
        answer = {"trainers": _search(), "device": _device()}
    print(json.dumps(answer))


def _search() -> dict[str, str]:
    from nnunetv2.utilities.find_objects import recursive_find_trainer_class_by_name

    def error_of(name: str) -> str:
        try:
            recursive_find_trainer_class_by_name(name)
        except Exception as error:  # whatever a trainer's module raises is the finding
            return f"{type(error).__name__}: {' '.join(str(error).split())}"
        return ""

    enable_trainers()
    return {name: error_of(name) for name in TRAINERS}


def _device() -> dict[str, Any]:
    import torch

    if torch.cuda.is_available():
        free, total = torch.cuda.mem_get_info()
        return {"kind": "cuda", "name": torch.cuda.get_device_name(), "free": free, "total": total}
    kind = "mps" if torch.backends.mps.is_available() else "cpu"
    return {"kind": kind, "name": "Apple GPU" if kind == "mps" else "CPU", "free": available_memory(), "total": None}


if __name__ == "__main__":
    _main()
