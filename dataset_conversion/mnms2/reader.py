"""The cases of one view of M&Ms-2.

`NNN/NNN_{SA,LA}_{ED,ES}.nii.gz` are the frames, `..._gt.nii.gz` their labels, `NNN_{SA,LA}_CINE.nii.gz` the cycle.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from dataset_conversion.cases import SourceCase, SourceSubject, VolumeFile
from dataset_conversion.images import SourceError, count_frames, find_nifti
from dataset_conversion.layout import HIDDEN_FILE, failed, files_in
from dataset_conversion.mnms2.source import FoundSubject, Source
from dataset_conversion.mnms2.stacks import series
from nnunet_cardiac_ext.case_table import CaseRow
from nnunet_cardiac_ext.errors import UsageError

PHASES = ("ED", "ES")


def find_subjects(source: Source, *, view: str, frames: str = "labelled") -> list[SourceSubject]:
    """Return the subjects with their cases in a view.

    Args:
        source: The download.
        view: "sa" or "la".
        frames: "labelled", or "all" for all frames of each cycle as well.

    Returns:
        The subjects, sorted. One with a problem (a folder in two parts, an absent frame, a training subject without
        labels) carries it and has no cases.

    Raises:
        UsageError: `frames` is unknown.
    """
    if frames not in ("labelled", "all"):
        raise UsageError(f"--frames: expected labelled or all, got {frames!r}")
    return [_read_subject(source.folder, found, view.upper(), frames) for found in source.subjects]


def _read_subject(source: Path, found: FoundSubject, view: str, frames: str) -> SourceSubject:
    subject = SourceSubject(found.code)
    if found.problem:
        return failed(subject, found.problem, found.folders)
    (folder,) = found.folders
    try:
        cases = _labelled_cases(source, found, view)
        if frames == "all":
            cases += _cine_cases(source, found, view)
    except SourceError as error:
        return failed(subject, str(error), [folder])
    subject = replace(subject, cases=tuple(cases))
    ignored = {path: _why_ignored(path, view) for path in files_in(folder) if path not in subject.files}
    return replace(subject, ignored=ignored)


def _labelled_cases(source: Path, found: FoundSubject, view: str) -> list[SourceCase]:
    """ED and ES, with their labels if there are any."""
    (folder,) = found.folders
    stems = {phase: f"{found.code}_{view}_{phase}" for phase in PHASES}
    images = {phase: find_nifti(folder, stem) for phase, stem in stems.items()}
    labels = {phase: find_nifti(folder, f"{stem}_gt") for phase, stem in stems.items()}
    for phase, stem in stems.items():
        if images[phase] is None:
            present = ", ".join(path.name for path in files_in(folder) if f"_{view}_" in path.name)
            raise SourceError(f"{stem}.nii.gz: expected the frame of {phase}, found {present or f'no {view} file'}")
        if labels[phase] is None and (any(labels.values()) or found.official_part == "training"):
            raise SourceError(f"{stem}_gt.nii.gz: expected the labels of {phase}, found none")
    part = found.part if all(labels.values()) or found.part != "train" else _part_without_labels(found)
    return [
        SourceCase(
            _row(source, found, stems[phase], phase, None, part, image),
            VolumeFile(image),
            VolumeFile(path) if (path := labels[phase]) else None,
            notes=found.information.notes,
        )
        for phase, image in images.items()
        if image
    ]


def _part_without_labels(found: FoundSubject) -> str:
    """Where only the other view has labels: a test subject again, or an unlabelled one."""
    return "test" if found.official_part else "unlabelled"


def _cine_cases(source: Path, found: FoundSubject, view: str) -> list[SourceCase]:
    """All frames of the cycle, ED and ES included, so that a prediction covers it whole. None without its file."""
    path = find_nifti(found.folders[0], f"{found.code}_{view}_CINE")
    if path is None:
        return []
    return [
        SourceCase(
            _row(source, found, f"{found.code}_{view}_frame{frame:02d}", "", frame, "cine", path), series(path, frame)
        )
        for frame in range(count_frames(path))
    ]


def _row(
    source: Path, found: FoundSubject, case: str, phase: str, frame: int | None, part: str, file: Path
) -> CaseRow:
    information = found.information
    return CaseRow(
        case=case, subject=found.code, phase=phase, frame=frame, group=information.group, vendor=information.vendor,
        part=part, source=file.relative_to(source).as_posix(),
        extra={"official_part": found.official_part, **information.extra},
    )  # fmt: skip


def _why_ignored(path: Path, view: str) -> str:
    if path.name.startswith("."):
        return HIDDEN_FILE
    if f"_{view}_CINE." in path.name:
        return "whole cycle, read with --frames all"
    return "neither ED nor ES of this view nor their labels"
