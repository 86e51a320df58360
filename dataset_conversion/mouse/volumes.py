"""Measure the myocardium of every scan before the conversion: the partition goes by it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from dataset_conversion.cases import SourceSubject
from dataset_conversion.images import SourceError, Stack
from dataset_conversion.mouse.labels import MYOCARDIUM
from dataset_conversion.mouse.partition import AnimalVolume
from nnunet_cardiac_ext.anatomy import CUBIC_MM_PER_ML
from nnunet_cardiac_ext.processes import run_jobs
from nnunet_cardiac_ext.progress import progress

Read = Callable[[Path, str], Stack]


def measure_animals(
    subjects: Sequence[SourceSubject], read: Read, *, workers: int, quiet: bool
) -> tuple[list[SourceSubject], list[AnimalVolume]]:
    """Count the myocardium of all labelled cases, scans in parallel.

    Args:
        subjects: The scans.
        read: Reads what a `VolumeFile` names; a function of a module.
        workers: Worker processes.
        quiet: Show no progress.

    Returns:
        The scans, one that cannot be read with its problem, and the animals of those that can, sorted.
    """
    running = run_jobs(_measure, [(subject, read) for subject in subjects], workers=workers)
    found = dict(progress(running, label="measuring myocardium", total=len(subjects), quiet=quiet))
    animals: dict[str, list[float]] = {}
    checked = []
    for subject in subjects:
        volumes = found[subject.name]
        checked.append(replace(subject, problem=volumes) if isinstance(volumes, str) else subject)
        if not isinstance(volumes, str) and volumes:
            animals.setdefault(subject.cases[0].row.subject, []).extend(volumes)
    return checked, [AnimalVolume(name, tuple(volumes)) for name, volumes in sorted(animals.items())]


def _measure(subject: SourceSubject, read: Read) -> tuple[str, list[float] | str]:
    """Return the name of a scan and the volumes of its labelled cases in ml, or why they cannot be read."""
    if subject.problem:
        return subject.name, subject.problem
    stacks: dict[tuple[Path, str], Stack] = {}
    volumes = []
    try:
        for labels in (case.labels for case in subject.cases if case.labels):
            key = labels.path, labels.content
            stacks[key] = stacks.get(key) or read(*key)
            voxels = int((stacks[key].volume(labels.frame) == MYOCARDIUM).sum())
            volumes.append(voxels * float(np.prod(stacks[key].geometry.spacing)) / CUBIC_MM_PER_ML)
    except SourceError as error:
        return subject.name, str(error)
    return subject.name, volumes
