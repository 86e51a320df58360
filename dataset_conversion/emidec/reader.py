"""Find the cases of EMIDEC in the official layout.

`emidec-dataset-1.0.1/` holds a folder per case, `Case_N006` (normal) or `Case_P001` (pathological), with
`Images/Case_N006.nii.gz` and `Contours/Case_N006.nii.gz`, and the clinical data in `Case N006.txt` beside it. The test
set is a folder of its own; its cases, `Case_118`, tell no group and have no contours.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, replace
from pathlib import Path

from dataset_conversion.cases import SourceCase, SourceSubject, VolumeFile
from dataset_conversion.emidec.clinical import read_clinical
from dataset_conversion.images import SourceError, find_nifti
from dataset_conversion.layout import HIDDEN_FILE, failed, files_in, folders_below, searching
from nnunet_cardiac_ext.case_table import CaseRow
from nnunet_cardiac_ext.errors import UsageError

CASE = re.compile(r"Case_([NP]?)(\d{3})")
# An archive unpacks into a folder of its name, which browsers put into another one.
_DEEPEST = 3


@dataclass(frozen=True)
class _Case:
    folder: Path
    source: Path

    @property
    def name(self) -> str:
        return self.folder.name

    @property
    def group(self) -> str:
        """N, P, or nothing for the test cases."""
        match = CASE.fullmatch(self.name)
        return match[1] if match else ""


def find_subjects(source: Path) -> list[SourceSubject]:
    """Find all cases; each is one patient.

    Args:
        source: The folder of the cases, or one above it; both parts of the data set may lie below it.

    Returns:
        The patients, sorted. One with a problem (contours of a training case missing, a case that is there twice)
        carries it and has no cases.

    Raises:
        UsageError: `source` is no folder, cannot be read, or holds no case.
    """
    folders: dict[str, list[Path]] = defaultdict(list)
    with searching(source):
        for folder in folders_below(source, is_subject=_is_case, deepest=_DEEPEST):
            if _is_case(folder.name) and folder != source:
                folders[folder.name].append(folder)
    if not folders:
        raise UsageError(
            f"{source}: expected EMIDEC's folder with Case_N006, Case_P001 and so on, or the one above it; found none"
        )
    return [_read_patient(source, found) for _, found in sorted(folders.items())]


def _is_case(name: str) -> bool:
    return CASE.fullmatch(name) is not None


def _read_patient(source: Path, found: list[Path]) -> SourceSubject:
    folder, *others = found
    subject = SourceSubject(folder.name)
    if others:
        places = ", ".join(path.relative_to(source).as_posix() for path in found)
        return failed(subject, f"expected one folder, found {places}", found)
    case = _Case(folder, source)
    text = _clinical_file(case)
    try:
        subject = replace(subject, cases=(_source_case(case, text),))
    except SourceError as error:
        return failed(subject, str(error), found)
    used = {*subject.files, text}
    return replace(subject, ignored={path: _why_ignored(path) for path in _files(folder) if path not in used})


def _source_case(case: _Case, text: Path | None) -> SourceCase:
    image, labels = _volume(case, "Images"), _volume(case, "Contours")
    if image is None:
        raise SourceError(f"Images/{case.name}.nii.gz: expected the image, found {_listed(case, 'Images')}")
    if labels is None and case.group:
        raise SourceError(f"Contours/{case.name}.nii.gz: expected the contours, found {_listed(case, 'Contours')}")
    row = CaseRow(
        case=case.name,
        subject=case.name,
        group=case.group,
        part="train" if case.group else "test",
        source=image.relative_to(case.source).as_posix(),
        extra=read_clinical(text),
    )
    return SourceCase(row, VolumeFile(image), VolumeFile(labels) if labels else None)


def _volume(case: _Case, name: str) -> Path | None:
    folder = _subfolder(case, name)
    return find_nifti(folder, case.name) if folder else None


def _subfolder(case: _Case, name: str) -> Path | None:
    """The test set has been seen with `images` in small letters."""
    return next((path for path in files_in(case.folder) if path.name.casefold() == name.casefold()), None)


def _listed(case: _Case, name: str) -> str:
    folder = _subfolder(case, name)
    if folder is None:
        return "no such folder"
    return ", ".join(path.name for path in files_in(folder) if not path.name.startswith(".")) or "none"


def _clinical_file(case: _Case) -> Path | None:
    names = (f"{case.name.replace('_', ' ')}.txt", f"{case.name}.txt")
    places = (folder / name for folder in (case.folder.parent, case.folder) for name in names)
    return next((path for path in places if path.is_file()), None)


def _files(folder: Path) -> list[Path]:
    return [file for path in files_in(folder) for file in (files_in(path) if path.is_dir() else [path])]


def _why_ignored(path: Path) -> str:
    return HIDDEN_FILE if path.name.startswith(".") else "neither image nor contours nor clinical data of this case"
