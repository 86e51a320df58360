"""Find the subjects of M&Ms-2 and which part each belongs to, in the official layout and the challenge's copies.

The official `MnM2/dataset/001` to `360` lie in one folder; their numbers tell training, validation and testing. The
challenge gave them out as `training/001-160`, `validation/161-200` (without labels then) and `test/201-360`.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from dataset_conversion.layout import files_in, folders_below, searching
from dataset_conversion.mnms2.information import Information, find_table
from nnunet_cardiac_ext.case_table import CaseRow
from nnunet_cardiac_ext.errors import UsageError

CODE = re.compile(r"\d{3}")
# The part by the folder that holds the subject's.
PART_OF_FOLDER: Mapping[str, str] = MappingProxyType(
    {"training": "training", "train": "training", "validation": "validation", "test": "testing", "testing": "testing"}
)
# Where one folder holds them all, the part by the highest number in it.
HIGHEST_NUMBER: Mapping[str, int] = MappingProxyType({"training": 160, "validation": 200, "testing": 360})
# Subjects lie up to this deep: download/MnM2/dataset/001, given the folder above.
_DEEPEST = 4
# From MnM2/training the csv lies one folder up, from a subject's folder two.
_PARENTS_WITH_CSV = 2


@dataclass(frozen=True)
class FoundSubject:
    """A subject whose files are not looked at yet.

    Attributes:
        code: Its number, three digits.
        folders: Where it lies; more than one is a problem.
        official_part: "training", "validation" or "testing"; empty for a number beyond the official ones.
        part: The part of the raw data set for its labelled images.
        information: Its row of the csv.
        problem: What is wrong with it whatever the view, or empty.
    """

    code: str
    folders: tuple[Path, ...]
    official_part: str
    part: str
    information: Information
    problem: str = ""


@dataclass(frozen=True)
class Source:
    """A download.

    Attributes:
        folder: What was searched.
        subjects: The subjects, sorted.
    """

    folder: Path
    subjects: tuple[FoundSubject, ...]

    @property
    def roster(self) -> list[CaseRow]:
        """One row per training subject that may be converted, the same for both views: the folds are drawn from it."""
        return [
            CaseRow(subject.code, subject.code, group=subject.information.group, vendor=subject.information.vendor)
            for subject in self.subjects
            if subject.part == "train" and not subject.problem
        ]


def find_source(folder: Path, *, train_on: str = "training") -> Source:
    """Find the subjects.

    Args:
        folder: `MnM2`, its `dataset`, one of the challenge's parts, or a folder above them.
        train_on: "training", or "labelled" to train on the labelled subjects of validation and testing too.

    Raises:
        UsageError: `train_on` is unknown, `folder` is no folder, or holds no subject.
    """
    if train_on not in ("training", "labelled"):
        raise UsageError(f"--train-on: expected training or labelled, got {train_on!r}")
    with searching(folder):
        folders = list(folders_below(folder, is_subject=_is_code, deepest=_DEEPEST))
    places: dict[str, list[Path]] = defaultdict(list)
    for path in folders:
        if _is_code(path.name) and path != folder:
            places[path.name].append(path)
    if not places:
        raise UsageError(f"{folder}: expected M&Ms-2's folder MnM2 or one in it, with folders 001 to 360; found none")
    above = list(folder.absolute().parents)[:_PARENTS_WITH_CSV]
    table = find_table([*(path for path in folders if not _is_code(path.name)), *above])
    subjects = []
    for code, found in sorted(places.items()):
        information, problem = Information(), ""
        try:
            information = table.of(code)
        except ValueError as error:
            problem = str(error)
        if len(found) > 1:
            problem = f"expected one folder, found {', '.join(path.relative_to(folder).as_posix() for path in found)}"
        official = official_part(found[0])
        part = _part(found[0], official, train_on)
        subjects.append(FoundSubject(code, tuple(found), official, part, information, problem))
    return Source(folder, tuple(subjects))


def official_part(folder: Path) -> str:
    """Return the challenge's part of a subject: by the folder around its own, else by its number."""
    parent = folder.parent
    named = [PART_OF_FOLDER.get(name.casefold()) for name in (parent.absolute().name, parent.resolve().name)]
    return next((part for part in named if part), None) or part_of_number(int(folder.name))


def part_of_number(number: int) -> str:
    """Return the official part of a subject's number: 1 to 160 training, to 200 validation, to 360 testing, else ""."""
    return next((part for part, highest in HIGHEST_NUMBER.items() if 1 <= number <= highest), "")


def _part(folder: Path, official: str, train_on: str) -> str:
    """A number beyond the official ones is somebody's own subject: for training if it has labels."""
    labelled = any("_gt." in path.name for path in files_in(folder))
    if official in ("validation", "testing"):
        return "train" if labelled and train_on == "labelled" else "test"
    return "train" if labelled or official == "training" else "unlabelled"


def _is_code(name: str) -> bool:
    return CODE.fullmatch(name) is not None
