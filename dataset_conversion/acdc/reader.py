"""Find the patients of ACDC and their frames in the official layout.

`database/{training,testing}/patientNNN/` holds `Info.cfg` (ED, ES, Group, Height, NbFrame, Weight), the frames of ED
and ES with their labels, `patientNNN_frameXX.nii.gz` and `patientNNN_frameXX_gt.nii.gz`, and the whole cycle,
`patientNNN_4d.nii.gz`. Frames count from 1.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from dataset_conversion.cases import SourceCase, SourceSubject, VolumeFile
from dataset_conversion.images import SourceError, count_frames, find_nifti
from dataset_conversion.layout import HIDDEN_FILE, failed, files_in, searching
from nnunet_cardiac_ext.case_table import CaseRow
from nnunet_cardiac_ext.errors import UsageError

PATIENT = re.compile(r"patient\d{3}")
PART_OF_FOLDER = {"training": "train", "testing": "test"}
# The keys of Info.cfg that become columns of cases.csv beyond the common ones.
EXTRA_COLUMNS = {"Height": "height_cm", "Weight": "weight_kg", "NbFrame": "frames_in_cycle"}


@dataclass(frozen=True)
class _Patient:
    folder: Path
    source: Path
    part: str
    info: Mapping[str, str]

    @property
    def name(self) -> str:
        return self.folder.name


def find_subjects(source: Path, *, frames: str = "labelled") -> list[SourceSubject]:
    """Find all patients.

    Args:
        source: `database`, its `training` or `testing`, or the folder above.
        frames: "labelled", or "all" for the frames of the 4-D files as well.

    Returns:
        The patients, sorted. One with a problem (a broken Info.cfg, an absent frame, a folder in both `training` and
        `testing`) carries it and has no cases.

    Raises:
        UsageError: `frames` is unknown, `source` is no folder, or holds no patient.
    """
    if frames not in ("labelled", "all"):
        raise UsageError(f"--frames: expected labelled or all, got {frames!r}")
    folders: dict[str, list[tuple[str, Path]]] = defaultdict(list)
    with searching(source):
        for part, folder in _patient_folders(source):
            folders[folder.name].append((part, folder))
    if not folders:
        raise UsageError(
            f"{source}: expected ACDC's database folder, its training or testing, with folders patientNNN; found none"
        )
    return [_read_patient(source, found, frames) for _, found in sorted(folders.items())]


def _patient_folders(source: Path) -> Iterator[tuple[str, Path]]:
    direct = [folder for folder in sorted(source.iterdir()) if folder.is_dir() and PATIENT.fullmatch(folder.name)]
    is_testing = "testing" in (source.absolute().name, source.resolve().name)
    yield from (("test" if is_testing else "train", folder) for folder in direct)
    for base in (source, source / "database"):
        for name, part in PART_OF_FOLDER.items():
            folders = sorted((base / name).glob("patient*"))
            yield from ((part, folder) for folder in folders if folder.is_dir() and PATIENT.fullmatch(folder.name))


def _read_patient(source: Path, found: list[tuple[str, Path]], frames: str) -> SourceSubject:
    (part, folder), *others = found
    subject = SourceSubject(folder.name)
    if others:
        places = ", ".join(path.relative_to(source).as_posix() for _, path in found)
        return failed(subject, f"expected one folder, found {places}", [path for _, path in found])
    try:
        patient = _Patient(folder, source, part, _read_info(folder / "Info.cfg"))
        cases = _labelled_cases(patient)
        if frames == "all":
            cases += _cine_cases(patient)
    except SourceError as error:
        return failed(subject, str(error), [folder])
    subject = replace(subject, cases=tuple(cases))
    used = {*subject.files, folder / "Info.cfg"}
    return replace(subject, ignored={path: _why_ignored(path) for path in files_in(folder) if path not in used})


def _read_info(path: Path) -> dict[str, str]:
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError as error:
        raise SourceError(f"{path.name}: cannot be read ({error.strerror or error})") from error
    pairs = (line.split(":", 1) for line in lines if ":" in line)
    return {key.strip(): value.strip() for key, value in pairs}


def _frame_number(info: Mapping[str, str], key: str) -> int:
    value = info.get(key)
    if value is None:
        raise SourceError(f"Info.cfg: expected the key {key}, got {', '.join(info) or 'no keys'}")
    if not (value.isascii() and value.isdigit() and int(value) >= 1):
        raise SourceError(f"Info.cfg: expected {key} to be a frame number from 1, got {value!r}")
    return int(value)


def _labelled_cases(patient: _Patient) -> list[SourceCase]:
    numbers = {phase: _frame_number(patient.info, phase) for phase in ("ED", "ES")}
    if numbers["ED"] == numbers["ES"]:
        raise SourceError(f"Info.cfg: expected ED and ES to be different frames, got {numbers['ED']} for both")
    cases = [_labelled_case(patient, phase, number) for phase, number in numbers.items()]
    unlabelled = [case for case in cases if case.labels is None]
    # The first release of ACDC had no labels in testing; labels of one frame only are an incomplete download.
    if unlabelled and (patient.part == "train" or len(unlabelled) < len(cases)):
        row = unlabelled[0].row
        raise SourceError(f"{row.case}_gt.nii.gz: expected the labels of {row.phase}, found none")
    return cases


def _labelled_case(patient: _Patient, phase: str, number: int) -> SourceCase:
    stem = f"{patient.name}_frame{number:02d}"
    image, labels = find_nifti(patient.folder, stem), find_nifti(patient.folder, f"{stem}_gt")
    if image is None:
        present = sorted(path.name for path in patient.folder.glob("patient*_frame*") if "_gt" not in path.name)
        found = ", ".join(present) or "no frame"
        raise SourceError(f"{stem}.nii.gz: expected the {phase} frame of Info.cfg, found {found}")
    row = _row(patient, number, phase, patient.part, image)
    return SourceCase(row, VolumeFile(image), VolumeFile(labels) if labels else None)


def _cine_cases(patient: _Patient) -> list[SourceCase]:
    """All frames of the 4-D file, ED and ES included, so that a prediction covers the whole cycle. None without it."""
    path = find_nifti(patient.folder, f"{patient.name}_4d")
    if path is None:
        return []
    count = count_frames(path)
    if patient.info.get("NbFrame", str(count)) != str(count):
        raise SourceError(f"{path.name}: expected {patient.info['NbFrame']} frames as in Info.cfg, got {count}")
    phases = {_frame_number(patient.info, phase): phase for phase in ("ED", "ES")}
    return [
        SourceCase(_row(patient, number, phases.get(number, ""), "cine", path), VolumeFile(path, number - 1))
        for number in range(1, count + 1)
    ]


def _row(patient: _Patient, number: int, phase: str, part: str, file: Path) -> CaseRow:
    return CaseRow(
        case=f"{patient.name}_frame{number:02d}",
        subject=patient.name,
        phase=phase,
        frame=number,
        group=patient.info.get("Group", ""),
        part=part,
        source=file.relative_to(patient.source).as_posix(),
        extra={column: patient.info.get(key, "") for key, column in EXTRA_COLUMNS.items()},
    )


def _why_ignored(path: Path) -> str:
    if path.name.startswith("."):
        return HIDDEN_FILE
    if "_4d." in path.name:
        return "whole cycle, read with --frames all"
    return "neither ED nor ES nor their labels"
