"""nnU-Net's own check of a raw data set, in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

_SCRIPT = (
    "import sys; "
    "from nnunetv2.experiment_planning.verify_dataset_integrity import verify_dataset_integrity; "
    "verify_dataset_integrity(sys.argv[1], int(sys.argv[2]))"
)


def integrity_problems(folder: Path, workers: int) -> list[str]:
    """Run nnU-Net's check; it reports by printing and by failing in many ways, hence the process.

    Args:
        folder: The raw data set.
        workers: Its worker processes.

    Returns:
        Nothing, or one line with what it said last.
    """
    result = subprocess.run(
        [sys.executable, "-c", _SCRIPT, str(folder), str(workers)],
        env=os.environ | {"PYTHONWARNINGS": "ignore"}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    errors = [line for line in result.stdout.splitlines() if line.startswith(("Error", "Missing", "ERROR"))]
    if result.returncode == 0 and not errors:
        return []
    said = errors or result.stderr.strip().splitlines()[-1:] or ["it failed without a word"]
    return [f"{folder.name}: nnU-Net's integrity check: {said[-1].strip()}"]
