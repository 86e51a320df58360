"""Convert one subject: what a worker process does."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from dataset_conversion.cases import DataSetFacts, SourceCase, SourceSubject, Stacks, Volume, VolumeFile, as_found
from dataset_conversion.images import (
    SourceError,
    Stack,
    check_image,
    check_labels,
    check_same_grid,
    shown_name,
    write_volume,
)
from dataset_conversion.raw_dataset import RawDataset
from nnunet_cardiac_ext.anatomy import LABEL_MAPS, LabelMap
from nnunet_cardiac_ext.case_table import CaseRow
from nnunet_cardiac_ext.errors import CardiacError
from nnunet_cardiac_ext.files import read_json, remove, write_json
from nnunet_cardiac_ext.regions import base_is_first

# To be raised when the same source would give other files or another state: subjects of earlier runs are then
# converted again.
FORMAT = 2


@dataclass(frozen=True)
class ConvertedCase:
    """A case that lies in the raw data set.

    Attributes:
        row: Its complete line of cases.csv.
        voxels: Number of voxels by structure; empty without labels.
        notes: What was repaired.
        frames: Index of the image and of the labels in their files, as `DataSetFacts.settle` left them.
    """

    row: CaseRow
    voxels: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    frames: tuple[int | None, int | None] = (None, None)


@dataclass(frozen=True)
class SubjectResult:
    """What became of a subject.

    Attributes:
        subject: Its name.
        cases: Its converted cases; none if it failed.
        unchanged: Whether an earlier run had converted it from the same files.
        problem: Why it failed, one line, or empty.
    """

    subject: str
    cases: tuple[ConvertedCase, ...] = ()
    unchanged: bool = False
    problem: str = ""


def convert_subject(subject: SourceSubject, dataset: RawDataset, facts: DataSetFacts) -> SubjectResult:
    """Convert all cases of a subject, unless an earlier run has done so from the same files.

    Everything is read and checked before anything is written. A subject that fails leaves no file behind.

    Raises:
        WorkError: The output cannot be written; no other subject would fare better.
    """
    state = _read_state(dataset, subject.name)
    digest = _digest(subject, facts)
    if not subject.problem and state.get("digest") == digest and _is_complete(dataset, state):
        return SubjectResult(subject.name, _cases_from(state), unchanged=True)
    _remove_outputs(dataset, subject, state)
    try:
        if subject.problem:
            raise SourceError(subject.problem)
        volumes = _read_cases(subject, facts)
    except SourceError as error:
        return SubjectResult(subject.name, problem=str(error))
    files: dict[str, int] = {}
    if facts.settle is not as_found:  # a run that is killed below must know files whose names only the source told
        write_json(dataset.state(subject.name), {"files": _promised(dataset, volumes)})
    for case, volume in volumes:
        write_volume(dataset.image(case.row), volume.image, volume.geometry)
        files |= _sizes(dataset, dataset.image(case.row))
        if volume.labels is not None:
            write_volume(dataset.labels(case.row), volume.labels, volume.geometry)
            files |= _sizes(dataset, dataset.labels(case.row))
    cases = tuple(case for case, _ in volumes)
    write_json(dataset.state(subject.name), {"digest": digest, "files": files, "cases": [asdict(c) for c in cases]})
    return SubjectResult(subject.name, cases)


def output_files(dataset: RawDataset, subject: SourceSubject) -> list[Path]:
    """Return the files that a subject gives."""
    images = [dataset.image(case.row) for case in subject.cases]
    return images + [dataset.labels(case.row) for case in subject.cases if case.labels]


def finished_files(dataset: RawDataset, subject: str) -> list[Path]:
    """Return the files that an earlier run has written for a subject; none if it did not finish it."""
    return [dataset.folder / name for name in _read_state(dataset, subject).get("files", {})]


def _read_cases(subject: SourceSubject, facts: DataSetFacts) -> list[tuple[ConvertedCase, Volume]]:
    """Read each file of the subject once: a cine series holds many of its cases."""
    stacks: dict[tuple[Path, str], Stack] = {}
    for volume in subject.volumes:
        key = volume.path, volume.content
        stacks[key] = stacks.get(key) or facts.read(*key)
    subject = facts.settle(subject, stacks)
    return [_described(case, _read_case(case, stacks, facts), facts) for case in subject.cases]


def _read_case(case: SourceCase, stacks: Stacks, facts: DataSetFacts) -> Volume:
    stack = _stack(stacks, case.image)
    image = check_image(shown_name(case.image.path), stack.volume(case.image.frame))
    notes = case.notes + _header_notes(stack)
    labels = None
    if case.labels is not None:
        label_stack = _stack(stacks, case.labels)
        notes += _header_notes(label_stack) + check_same_grid(stack, label_stack)
        labels = _canonical_labels(label_stack, case.labels, facts)
    volume = Volume(image, labels, stack.geometry, notes)
    return case.prepare(volume) if case.prepare else volume


def _described(case: SourceCase, volume: Volume, facts: DataSetFacts) -> tuple[ConvertedCase, Volume]:
    row = replace(case.row, spacing=volume.geometry.spacing, slices=len(volume.image))
    frames = case.image.frame, case.labels.frame if case.labels else None
    if volume.labels is None:
        return ConvertedCase(row, notes=volume.notes, frames=frames), volume
    label_map = LABEL_MAPS[facts.label_map]
    voxels = {name: int((volume.labels == label_map.values[name]).sum()) for name in label_map.structures}
    row = replace(row, base_first=_base_first(volume.labels, label_map))
    return ConvertedCase(row, voxels, volume.notes, frames), volume


def _stack(stacks: Stacks, volume: VolumeFile) -> Stack:
    return stacks[volume.path, volume.content]


def _header_notes(stack: Stack) -> tuple[str, ...]:
    return tuple(f"{shown_name(stack.path)}: {note}" for note in stack.geometry.notes)


def _canonical_labels(stack: Stack, file: VolumeFile, facts: DataSetFacts) -> np.ndarray:
    labels = check_labels(shown_name(stack.path), stack.volume(file.frame))
    try:
        return LABEL_MAPS[facts.label_map].remap(labels, facts.source_labels)
    except ValueError as error:
        raise SourceError(f"{shown_name(stack.path)}: {error}") from error


def _base_first(labels: np.ndarray, label_map: LabelMap) -> bool | None:
    try:
        return base_is_first(labels, label_map=label_map)
    except ValueError:  # a single segmented slice has no two ends
        return None


def _digest(subject: SourceSubject, facts: DataSetFacts) -> str:
    """Fingerprint of the source files and of all that decides what is made of them."""
    stats = {_named(path): (s.st_size, s.st_mtime_ns) for path in subject.files if path.exists() for s in [path.stat()]}
    preparations = [type(case.prepare).__name__ for case in subject.cases]
    said = asdict(subject) | {"ignored": {}}
    content = [FORMAT, said, preparations, facts.label_map, dict(facts.source_labels), stats]
    return hashlib.sha256(json.dumps(content, sort_keys=True, default=_named).encode()).hexdigest()


def _named(value: object) -> str:
    """Return a path as it is called from anywhere: the same folder may be given relative to another one."""
    return str(value.absolute()) if isinstance(value, Path) else str(value)


def _read_state(dataset: RawDataset, subject: str) -> dict[str, Any]:
    path = dataset.state(subject)
    try:
        state = read_json(path) if path.exists() else {}
    except CardiacError:  # damaged from outside: convert again
        return {}
    return state if isinstance(state, dict) else {}


def _is_complete(dataset: RawDataset, state: Mapping[str, Any]) -> bool:
    paths = {dataset.folder / name: size for name, size in state["files"].items()}
    return all(path.is_file() and path.stat().st_size == size for path, size in paths.items())


def _cases_from(state: Mapping[str, Any]) -> tuple[ConvertedCase, ...]:
    return tuple(
        ConvertedCase(
            CaseRow(**(case["row"] | {"spacing": tuple(case["row"]["spacing"])})),
            case["voxels"],
            tuple(case["notes"]),
            tuple(case["frames"]),
        )
        for case in state["cases"]
    )


def _remove_outputs(dataset: RawDataset, subject: SourceSubject, state: Mapping[str, Any]) -> None:
    files = {*output_files(dataset, subject), *(dataset.folder / name for name in state.get("files", {}))}
    # The state goes first: a run that is killed here must not leave one that promises files.
    for path in (dataset.state(subject.name), *sorted(files)):
        remove(path)


def _promised(dataset: RawDataset, volumes: Sequence[tuple[ConvertedCase, Volume]]) -> dict[str, int]:
    paths = [dataset.image(case.row) for case, _ in volumes]
    paths += [dataset.labels(case.row) for case, volume in volumes if volume.labels is not None]
    return {path.relative_to(dataset.folder).as_posix(): -1 for path in paths}


def _sizes(dataset: RawDataset, path: Path) -> dict[str, int]:
    return {path.relative_to(dataset.folder).as_posix(): path.stat().st_size}
