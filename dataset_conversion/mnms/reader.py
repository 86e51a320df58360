"""Find the subjects of M&Ms: the official layout, its parts, flat copies and the challenge's first release.

`OpenDataset/{Training/Labeled, Training/Unlabeled, Validation, Testing}/CODE/` holds the cycle `CODE_sa.nii.gz` and, of
the same shape, `CODE_sa_gt.nii.gz`, which is empty but for the frames of ED and ES (and wholly in Training/Unlabeled).
The csv beside them names these frames, from 0, not always rightly: `frames.settle_frames` looks at the labels.
The first release has the frames as files of three dimensions, `CODE_sa_ED.nii.gz` and `CODE_sa_ED_gt.nii.gz`.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, replace
from pathlib import Path

from dataset_conversion.cases import SourceCase, SourceSubject, VolumeFile
from dataset_conversion.images import SourceError, count_frames, find_nifti
from dataset_conversion.layout import HIDDEN_FILE, failed, files_in, folders_below, searching
from dataset_conversion.mnms.information import Information, find_information, information_of
from dataset_conversion.subject_table import SubjectTable
from nnunet_cardiac_ext.case_table import CaseRow
from nnunet_cardiac_ext.errors import UsageError

CODE = re.compile(r"[A-Z][0-9][A-Z][0-9][A-Z][0-9]")
PHASES = ("ED", "ES")
# The part of the challenge by the folder that holds the subject's; in a flat copy it is unknown.
OFFICIAL_PARTS = {
    "labeled": "training", "labelled": "training", "training": "training",
    "unlabeled": "unlabelled", "unlabelled": "unlabelled", "validation": "validation", "testing": "testing",
}  # fmt: skip
# Subjects lie up to this deep: OpenDataset/Training/Labeled/CODE, given the folder above.
_DEEPEST = 4
# From Training/Labeled the csv lies two folders up.
_PARENTS_WITH_CSV = 2


@dataclass(frozen=True)
class _Subject:
    folder: Path
    source: Path
    official_part: str
    train_on_all: bool
    information: Information

    @property
    def code(self) -> str:
        return self.folder.name

    def part(self, *, labelled: bool) -> str:
        """The part of the raw data set. Without a folder that says so, a subject is for training if it has labels."""
        if self.official_part in ("validation", "testing"):
            return "train" if labelled and self.train_on_all else "test"
        return "train" if labelled else "unlabelled"


def find_subjects(source: Path, *, frames: str = "labelled", train_on: str = "training") -> list[SourceSubject]:
    """Find all subjects.

    Args:
        source: `OpenDataset`, the folder above it, any folder in it, or a folder of subjects.
        frames: "labelled", or "all" for all frames of each cycle as well.
        train_on: "training", or "labelled" to train on the labelled subjects of Validation and Testing too.

    Returns:
        The subjects, sorted. One with a problem (a folder in two parts, no labels in Training/Labeled) carries it and
        has no cases.

    Raises:
        UsageError: An option is unknown, `source` is no folder, or holds no subject.
    """
    if frames not in ("labelled", "all"):
        raise UsageError(f"--frames: expected labelled or all, got {frames!r}")
    if train_on not in ("training", "labelled"):
        raise UsageError(f"--train-on: expected training or labelled, got {train_on!r}")
    with searching(source):
        folders = list(folders_below(source, is_subject=_is_code, deepest=_DEEPEST))
    found: dict[str, list[Path]] = defaultdict(list)
    for folder in (folder for folder in folders if _is_code(folder.name)):
        found[folder.name].append(folder)
    if not found:
        raise UsageError(
            f"{source}: expected M&Ms' OpenDataset folder or one in it, with folders named like A0B1C2; found none"
        )
    above = list(source.absolute().parents)[:_PARENTS_WITH_CSV]
    table = find_information([*(folder for folder in folders if not _is_code(folder.name)), *above])
    return [
        _read_subject(source, code, places, table, frames=frames, train_on_all=train_on == "labelled")
        for code, places in sorted(found.items())
    ]


def _is_code(name: str) -> bool:
    return CODE.fullmatch(name) is not None


def _read_subject(
    source: Path, code: str, places: list[Path], table: SubjectTable, *, frames: str, train_on_all: bool
) -> SourceSubject:
    subject = SourceSubject(code)
    if len(places) > 1:
        found = ", ".join(path.relative_to(source).as_posix() for path in places)
        return failed(subject, f"expected one folder, found {found}", places)
    (folder,) = places
    try:
        one = _Subject(folder, source, _official_part(folder), train_on_all, information_of(code, table))
        cases = _labelled_cases(one)
        if frames == "all":
            cases += _cine_cases(one)
    except (SourceError, ValueError) as error:
        return failed(subject, str(error), [folder])
    subject = replace(subject, cases=tuple(cases))
    ignored = {path: _why_ignored(path) for path in files_in(folder) if path not in subject.files}
    return replace(subject, ignored=ignored)


def _official_part(folder: Path) -> str:
    parent = folder.parent
    names = (parent.absolute().name.casefold(), parent.resolve().name.casefold())
    return next((OFFICIAL_PARTS[name] for name in names if name in OFFICIAL_PARTS), "")


def _labelled_cases(one: _Subject) -> list[SourceCase]:
    """ED and ES, with their labels if there are any."""
    series = find_nifti(one.folder, f"{one.code}_sa")
    if series is None:
        return _cases_of_two_files(one)
    labels = _labels(one, f"{one.code}_sa_gt")
    if labels is None:
        _require_frames(one)
    known = {"ED": one.information.ed, "ES": one.information.es}
    part = one.part(labelled=labels is not None)
    # A frame that the csv does not tell is found in the labels, when they are read.
    return [
        SourceCase(
            _row(one, f"{one.code}_{phase}", phase, known[phase], part, series),
            VolumeFile(series, known[phase] or 0),
            VolumeFile(labels, known[phase] or 0) if labels else None,
            notes=one.information.notes,
        )
        for phase in PHASES
    ]


def _cases_of_two_files(one: _Subject) -> list[SourceCase]:
    images = {phase: find_nifti(one.folder, f"{one.code}_sa_{phase}") for phase in PHASES}
    missing = [phase for phase, image in images.items() if image is None]
    if missing:
        present = ", ".join(path.name for path in files_in(one.folder) if not path.name.startswith("."))
        raise SourceError(f"{one.code}_sa.nii.gz: expected the short-axis series, found {present or 'nothing'}")
    labels = {phase: _labels(one, f"{one.code}_sa_{phase}_gt") for phase in PHASES}
    if len([path for path in labels.values() if path]) == 1:
        phase = next(phase for phase, path in labels.items() if path is None)
        raise SourceError(f"{one.code}_sa_{phase}_gt.nii.gz: expected the labels of {phase}, found none")
    known = {"ED": one.information.ed, "ES": one.information.es}
    part = one.part(labelled=all(labels.values()))
    return [
        SourceCase(
            _row(one, f"{one.code}_{phase}", phase, known[phase], part, image),
            VolumeFile(image),
            VolumeFile(path) if (path := labels[phase]) else None,
            notes=one.information.notes,
        )
        for phase, image in images.items()
        if image
    ]


def _labels(one: _Subject, stem: str) -> Path | None:
    """The file of labels; none where the files of that name are known to be empty."""
    path = None if one.official_part == "unlabelled" else find_nifti(one.folder, stem)
    if path is None and one.official_part == "training":
        raise SourceError(f"{stem}.nii.gz: expected the labels of a subject of Training/Labeled, found none")
    return path


def _require_frames(one: _Subject) -> None:
    """Without labels only the csv can tell ED and ES."""
    ed, es, notes = one.information.ed, one.information.es, one.information.notes
    if ed is None or es is None:
        raise SourceError(f"{notes[0]}; ED and ES of a subject without labels are told by nothing else")
    if ed == es:
        raise SourceError(f"csv: expected ED and ES to be different frames, got {ed} for both")


def _cine_cases(one: _Subject) -> list[SourceCase]:
    """All frames of the cycle, ED and ES included, so that a prediction covers it whole. None in the first release."""
    path = find_nifti(one.folder, f"{one.code}_sa")
    if path is None:
        return []
    phases = {one.information.ed: "ED", one.information.es: "ES"}
    return [
        SourceCase(
            _row(one, f"{one.code}_frame{frame:02d}", phases.get(frame, ""), frame, "cine", path),
            VolumeFile(path, frame),
        )
        for frame in range(count_frames(path))
    ]


def _row(one: _Subject, case: str, phase: str, frame: int | None, part: str, file: Path) -> CaseRow:
    information = one.information
    return CaseRow(
        case=case, subject=one.code, phase=phase, frame=frame, group=information.group, vendor=information.vendor,
        centre=information.centre, part=part, source=file.relative_to(one.source).as_posix(),
        extra={"official_part": one.official_part, **information.extra},
    )  # fmt: skip


def _why_ignored(path: Path) -> str:
    if path.name.startswith("."):
        return HIDDEN_FILE
    if "_gt." in path.name:
        return "a subject of Training/Unlabeled: this file holds no labels"
    return "neither the short-axis series nor its labels"
