"""conversion_report.json: what became of every file of the source."""

from __future__ import annotations

import platform
import shlex
import sys
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

from dataset_conversion.cases import DataSetFacts, SourceSubject, VolumeFile
from dataset_conversion.raw_dataset import IMAGE_FOLDERS, RawDataset
from dataset_conversion.splits import Splits, leaks
from dataset_conversion.subject import ConvertedCase, SubjectResult
from nnunet_cardiac_ext.case_table import CaseRow
from nnunet_cardiac_ext.files import write_json

FILE_NAME = "conversion_report.json"


@dataclass
class ConversionReport:
    """The outcome of a conversion.

    Attributes:
        folder: The raw data set.
        source: The folder that was converted.
        facts: What is known of the data set.
        subjects: The subjects found.
        results: What became of each of them, in the same order.
        settings: What the conversion was asked for.
        splits: The folds.
        remarks: What a reader has to know of this conversion (an assumed spacing), one line each.
        leaks_intended: Whether the folds were asked to have subjects on both sides, as a paper had it.
        problems: Failures that are not a subject's (folds that differ from those on disk), one line each.
    """

    folder: Path
    source: Path
    facts: DataSetFacts
    subjects: list[SourceSubject]
    results: list[SubjectResult]
    settings: Mapping[str, Any]
    problems: list[str] = field(default_factory=list)
    splits: Splits = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    leaks_intended: bool = False

    @property
    def cases(self) -> list[ConvertedCase]:
        """The converted cases, each case once: one that is both labelled and a cine frame counts as labelled."""
        unique: dict[str, ConvertedCase] = {}
        for result in self.results:
            for case in result.cases:
                unique.setdefault(case.row.case, case)
        return list(unique.values())

    @property
    def rows(self) -> list[CaseRow]:
        """The lines of cases.csv."""
        return [case.row for case in self.cases]

    @property
    def failures(self) -> list[str]:
        """One line for each subject that failed and for each other failure."""
        return [f"{r.subject}: {r.problem}" for r in self.results if r.problem] + self.problems

    @property
    def exit_code(self) -> int:
        """0 if everything went well, else 1."""
        return 1 if self.failures else 0

    def summary(self) -> str:
        """Return the outcome in a few lines."""
        parts = Counter(row.part for row in self.rows)
        cases = ", ".join(f"{parts[part]} {part}" for part in IMAGE_FOLDERS if parts[part]) or "0"
        failed = sum(bool(result.problem) for result in self.results)
        notes = sum(len(case.notes) for case in self.cases)
        subjects, done = {row.subject for row in self.rows}, len(self.results) - failed
        # Where a subject is scanned several times, it is scans that are converted as a whole and counted below.
        scans = f" in {done} scans" if len(subjects) < done else ""
        return (
            f"{self.folder.name}: {cases} cases of {len(subjects)} subjects{scans}"
            f" ({sum(result.unchanged for result in self.results)} unchanged since an earlier run), {failed} failed\n"
            f"splits_final.json: {len(self.splits)} folds, "
            f"{leaks(self.splits, {row.case: row.subject for row in self.rows})} subjects on both sides of one\n"
            f"{self.folder / FILE_NAME}: what became of each file, {notes} notes"
            + "".join(f"\n{remark}" for remark in self.remarks)
        )

    def write(self) -> None:
        """Write conversion_report.json into the data set's folder."""
        write_json(self.folder / FILE_NAME, self._content())

    def _content(self) -> dict[str, Any]:
        dataset = RawDataset(self.folder)
        done = [(s, r) for s, r in zip(self.subjects, self.results, strict=True) if not r.problem]
        return {
            "command": shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]]),
            "source": str(self.source.absolute()),
            "settings": dict(self.settings),
            "label_map": self.facts.label_map,
            "source_labels": dict(self.facts.source_labels),
            "read": f"{self.facts.read.__module__}.{self.facts.read.__qualname__}",
            "versions": _versions(),
            "folds": len(self.splits),
            "remarks": self.remarks,
            "leaks_intended": self.leaks_intended,
            "problems": self.problems,
            "failed": [
                {"subject": s.name, "reason": r.problem, "files": [self._relative(path) for path in s.files]}
                for s, r in zip(self.subjects, self.results, strict=True)
                if r.problem
            ],
            "converted": [
                {
                    "case": converted.row.case,
                    "image": self._place(case.image, converted.frames[0]),
                    "labels": self._place(case.labels, converted.frames[1])
                    if case.labels and converted.voxels
                    else None,
                    "prepared": type(case.prepare).__name__ if case.prepare else None,
                    "written": dataset.image(converted.row).relative_to(self.folder).as_posix(),
                    "unchanged": result.unchanged,
                    "voxels": dict(converted.voxels),
                    "notes": list(converted.notes),
                }
                for subject, result in done
                for case, converted in zip(subject.cases, result.cases, strict=True)
            ],
            "ignored": [
                {"file": self._relative(path), "reason": reason}
                for subject in self.subjects
                for path, reason in sorted(subject.ignored.items())
            ],
        }

    def _place(self, volume: VolumeFile, frame: int | None) -> dict[str, Any]:
        return {"file": self._relative(volume.path), "frame": frame, "content": volume.content}

    def _relative(self, path: Path) -> str:
        # A csv may list files that lie elsewhere.
        return (path.relative_to(self.source) if path.is_relative_to(self.source) else path).as_posix()


def _versions() -> dict[str, str]:
    packages = ("nnunet-cardiac-ext", "nnunetv2", "nibabel", "numpy")
    return {"python": platform.python_version()} | {package: version(package) for package in packages}
