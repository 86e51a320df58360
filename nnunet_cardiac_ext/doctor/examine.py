"""All checks in the order in which one would mend them."""

from __future__ import annotations

from collections.abc import Iterator

from nnunet_cardiac_ext.doctor import installation, machine, probe
from nnunet_cardiac_ext.doctor.check import Check


def examine() -> Iterator[Check]:
    """Yield the findings as they come; loading torch and searching the trainers takes some seconds."""
    yield from installation.versions()
    yield from installation.directories()
    yield from machine.disk_space()
    yield from machine.workers()
    yield from machine.shared_memory()
    yield installation.exported_trainer_folder()
    yield from probe.trainers_and_device()
