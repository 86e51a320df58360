"""A scan of a mouse: one visit of one animal, the frames of it that are annotated, and what they are called."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dataset_conversion.cases import SourceCase, SourceSubject, VolumeFile
from nnunet_cardiac_ext.case_table import CaseRow

# Rows run down and columns to the right, as the source shows them; in SimpleITK's coordinates the identity.
UPRIGHT = np.diag([-1.0, -1.0, 1.0])
# The last part of a file's name that tells a visit: pre, pre-op, baseline, day7, d07, week2, scan3.
_TIME_POINT = re.compile(r"(pre|post)(-?op)?|base(line)?|(d|day|w|wk|week|m|month|t|tp|scan|visit)-?\d+", re.IGNORECASE)


@dataclass(frozen=True)
class Frame:
    """A frame of a cine series.

    Attributes:
        number: As the source counts it; None where it does not.
        phase: "ED", "ES", or "".
        image: Where its image is.
        labels: Where its labels are; None if it has none.
        stack: Which of several stacks of a file, for the case's name; "" if there is one.
    """

    number: int | None
    phase: str
    image: VolumeFile
    labels: VolumeFile | None
    stack: str = ""


@dataclass(frozen=True)
class Visit:
    """Whose scan it is.

    Attributes:
        animal: Name of the animal.
        time_point: When it was scanned, "" where there was one visit.
        group: Study group, "" if unknown.
    """

    animal: str
    time_point: str = ""
    group: str = ""

    @property
    def name(self) -> str:
        """The scan's part of a case's name: letters, digits and hyphens, an underscore between its parts."""
        return "_".join(plain(part) for part in (self.animal, self.time_point) if part)


@dataclass(frozen=True)
class Scan:
    """What is known of a scan before its images are read.

    Attributes:
        visit: Whose it is.
        files: The files that it comes from, the first one for `cases.csv`.
        frames: Its annotated frames.
        problem: Why it cannot be converted, one line, or empty.
    """

    visit: Visit
    files: tuple[Path, ...]
    frames: tuple[Frame, ...] = ()
    problem: str = ""


def plain(name: str) -> str:
    """Return a name for files: what is neither letter nor digit becomes a hyphen."""
    return re.sub(r"[\W_]+", "-", name).strip("-")


def visit_of(path: Path, source: Path) -> Visit:
    """Tell animal and time point by a file's place: `ANIMAL/TIMEPOINT.mat`, `ANIMAL_TIMEPOINT.mat` or `ANIMAL.mat`."""
    folders = path.relative_to(source).parent.parts
    if folders:
        return Visit(folders[0], "_".join((*folders[1:], path.stem)))
    animal, _, last = path.stem.rpartition("_")
    return Visit(animal, last) if animal and _TIME_POINT.fullmatch(last) else Visit(path.stem)


def subjects_of(scans: Sequence[Scan], source: Path) -> list[SourceSubject]:
    """Return what `convert_subjects` takes: a scan is converted as a whole, its cases belong to its animal.

    Two scans of one name, and an animal in two groups, become a problem of theirs.
    """
    by_name: dict[str, list[Scan]] = {}
    groups: dict[str, set[str]] = {}
    for scan in scans:
        by_name.setdefault(scan.visit.name, []).append(scan)
        groups.setdefault(plain(scan.visit.animal), set()).add(scan.visit.group)
    return [_subject(name, found, groups, source) for name, found in sorted(by_name.items(), key=_in_natural_order)]


def _subject(name: str, scans: list[Scan], groups: Mapping[str, set[str]], source: Path) -> SourceSubject:
    scan, *others = scans
    group = sorted(groups[plain(scan.visit.animal)])
    if others:
        files = ", ".join(sorted(_relative(s.files[0], source) for s in scans))
        return _failed(name, scans, f"expected one scan of this name, found {files}")
    if scan.problem:
        return _failed(name, scans, scan.problem)
    if len(group) > 1:
        return _failed(name, scans, f"expected one group per animal, got {' and '.join(map(repr, group))}")
    cases = tuple(_case(name, scan, frame, source) for frame in scan.frames)
    names = [case.row.case for case in cases]
    twice = sorted({case for case in names if names.count(case) > 1})
    if twice:
        return _failed(name, scans, f"expected each frame once, found {twice[0]} twice")
    return SourceSubject(name, cases)


def _failed(name: str, scans: list[Scan], problem: str) -> SourceSubject:
    files = {path: "left out with its scan" for scan in scans for path in scan.files}
    return SourceSubject(name, problem=problem, ignored=files)


def _case(name: str, scan: Scan, frame: Frame, source: Path) -> SourceCase:
    number = "" if frame.number is None else f"frame{frame.number:02d}"
    row = CaseRow(
        case="_".join(part for part in (name, frame.stack, number) if part),
        subject=plain(scan.visit.animal),
        phase=frame.phase,
        frame=frame.number,
        group=scan.visit.group,
        part="train" if frame.labels else "unlabelled",
        source=_relative(frame.image.path, source),
        extra={"time_point": scan.visit.time_point},
    )
    return SourceCase(row, frame.image, frame.labels)


def _relative(path: Path, source: Path) -> str:
    return (path.relative_to(source) if path.is_relative_to(source) else path).as_posix()


def _in_natural_order(item: tuple[str, list[Scan]]) -> list[tuple[int, str]]:
    """Mouse2 comes before Mouse10: text and numbers take turns."""
    parts = re.split(r"(\d+)", item[0])
    return [(int(part) if index % 2 else 0, part) for index, part in enumerate(parts)]
