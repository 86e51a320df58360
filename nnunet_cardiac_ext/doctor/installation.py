"""Checks of what is installed and set: versions, nnU-Net's directories, the folder of trainers."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import tempfile
from collections.abc import Iterator
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import SpecifierSet

from nnunet_cardiac_ext.discovery import DIRECTORY_VARIABLES, TRAINER_VARIABLE, trainer_folder
from nnunet_cardiac_ext.doctor.check import Check, ok, problem, warning

DISTRIBUTION = "nnunet-cardiac-ext"
EXPORT = 'eval "$(nnunet-cardiac env --root DIR)"'


def versions() -> Iterator[Check]:
    """Yield Python's and each required package's version against the range that this package declares."""
    try:
        metadata = importlib.metadata.metadata(DISTRIBUTION)
    except importlib.metadata.PackageNotFoundError:
        yield problem(f"{DISTRIBUTION} runs from a folder, it is not installed", "pip install -e . in that folder")
        return
    yield _python((metadata.get_all("Requires-Python") or [""])[0])
    yield from (_package(requirement) for requirement in _requirements(metadata.get_all("Requires-Dist") or []))


def directories() -> Iterator[Check]:
    """Yield whether each of nnU-Net's three directories is set, there and writable."""
    for variable in DIRECTORY_VARIABLES:
        value = os.environ.get(variable)
        if not value:
            yield problem(f"{variable} is not set", EXPORT)
        elif not Path(value).is_dir():
            yield problem(f"{variable}={value} is no folder", f"mkdir -p '{value}', or {EXPORT}")
        elif not _writable(Path(value)):
            yield problem(f"{variable}={value} cannot be written", f"change its rights, or {EXPORT}")
        else:
            yield ok(f"{variable}={value}")


def exported_trainer_folder() -> Check:
    """Return whether nnU-Net's own commands will find the trainers; ours set the folder themselves."""
    folders = [Path(part) for part in os.environ.get(TRAINER_VARIABLE, "").split(os.pathsep) if part.strip()]
    if trainer_folder() in folders:
        return ok(f"{TRAINER_VARIABLE} names {trainer_folder()}")
    state = "is not set" if not folders else "does not name our folder"
    return warning(f"{TRAINER_VARIABLE} {state}: plain nnUNetv2_train and nnUNetv2_predict miss our trainers", EXPORT)


def _python(declared: str) -> Check:
    version = platform.python_version()
    if SpecifierSet(declared).contains(version, prereleases=True):
        return ok(f"python {version} (needs {declared or 'any'})")
    return problem(f"python {version}, needs {declared}", f"make an environment with python{declared}")


def _requirements(lines: list[str]) -> Iterator[Requirement]:
    """Yield what is needed here without extras; a requirement's marker may rule it out on this system."""
    for line in lines:
        try:
            requirement = Requirement(line)
        except InvalidRequirement:
            continue
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
            yield requirement


def _package(requirement: Requirement) -> Check:
    wanted = f"{requirement.name}{requirement.specifier}"
    try:
        version = importlib.metadata.version(requirement.name)
    except importlib.metadata.PackageNotFoundError:
        return problem(f"{requirement.name} is not installed", f"pip install '{wanted}'")
    if requirement.specifier.contains(version, prereleases=True):
        return ok(f"{requirement.name} {version} (needs {requirement.specifier or 'any'})")
    return problem(f"{requirement.name} {version}, needs {requirement.specifier}", f"pip install '{wanted}'")


def _writable(folder: Path) -> bool:
    # Asking the file system is the only sure test: access rights say nothing of quotas and read-only mounts.
    try:
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False
