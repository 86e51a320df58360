"""Check a whole converted data set and show it as one table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from dataset_conversion.checking.case import CaseCheck, Converted, check_case
from dataset_conversion.checking.integrity import integrity_problems
from dataset_conversion.conversion import worker_count
from dataset_conversion.raw_dataset import RawDataset
from dataset_conversion.report import FILE_NAME as REPORT
from dataset_conversion.splits import FILE_NAME as SPLITS
from dataset_conversion.splits import Splits, leaks
from nnunet_cardiac_ext import discovery
from nnunet_cardiac_ext.case_table import FILE_NAME as CASE_TABLE
from nnunet_cardiac_ext.case_table import read_case_table
from nnunet_cardiac_ext.errors import UsageError
from nnunet_cardiac_ext.files import read_json
from nnunet_cardiac_ext.processes import run_jobs
from nnunet_cardiac_ext.progress import progress


@dataclass(frozen=True)
class DatasetCheck:
    """The outcome of a check.

    Attributes:
        folder: The raw data set.
        source: What it was converted from; None where that is not there any more.
        cases: What was found out about each case, sorted by name.
        splits: The folds; none where there is no splits_final.json.
        integrity: What nnU-Net's own check said: "passed", "failed" or why it was not run.
        problems: What is wrong, one line each.
    """

    folder: Path
    source: Path | None
    cases: tuple[CaseCheck, ...]
    splits: Splits
    integrity: str
    problems: tuple[str, ...]

    @property
    def leaks(self) -> int:
        """How many subjects have cases on both sides of a fold, summed over the folds."""
        return leaks(self.splits, {case.row.case: case.row.subject for case in self.cases})

    @property
    def exit_code(self) -> int:
        """0 if nothing is wrong, else 1."""
        return 1 if self.problems else 0

    def table(self) -> str:
        """Return what was found as a table of two columns."""
        width = max(len(name) for name, _ in self._lines())
        return "\n".join([self.folder.name, *(f"  {name:<{width}}  {text}" for name, text in self._lines())])

    def _lines(self) -> list[tuple[str, str]]:
        rows = [case.row for case in self.cases]
        parts = Counter(row.part for row in rows)
        compared = sum(case.compared for case in self.cases)
        return [
            ("cases", ", ".join(f"{count} {part}" for part, count in sorted(parts.items())) or "none"),
            ("subjects", str(len({row.subject for row in rows}))),
            ("labels", self._labels()),
            ("slices", _range([row.slices for row in rows])),
            ("slice spacing", f"{_range([row.spacing[0] for row in rows])} mm"),
            ("pixel spacing", f"{_range([value for row in rows for value in row.spacing[1:]])} mm"),
            ("base first", _share([row.base_first for row in rows])),
            ("folds", f"{len(self.splits)}, {self.leaks} subjects on both sides of one"),
            ("source", f"{compared} of {len(rows)} cases compared voxel by voxel with {self.source or 'nothing'}"),
            ("nnU-Net's check", self.integrity),
            ("problems", str(len(self.problems))),
        ]

    def _labels(self) -> str:
        volumes = [case.volumes for case in self.cases if case.volumes]
        names = dict.fromkeys(name for found in volumes for name in found)
        counts = {name: sum(found[name] > 0 for found in volumes) for name in names}
        found = ", ".join(f"{name} in {count}" for name, count in counts.items())
        return f"{found or 'none'} of {len(volumes)} labelled cases"


def check_dataset(
    dataset_id: int, *, integrity: bool = True, workers: int | None = None, quiet: bool = False
) -> DatasetCheck:
    """Check a converted data set.

    Every converted image and label map is read again and compared with cases.csv, conversion_report.json and, where it
    still lies where it did, the source: grey values, voxels per label and volumes in ml must be the same. Cases that
    were prepared (slices interpolated, cropped) differ from their source on purpose and are not compared with it.

    Args:
        dataset_id: nnU-Net's number of the data set.
        integrity: Also run nnU-Net's own check, which takes some seconds to start.
        workers: Worker processes; by default all processors.
        quiet: Show no progress.

    Raises:
        UsageError: There is no such data set, or it is not one of this converter.
    """
    folder = discovery.dataset_folder(discovery.raw_folder(), dataset_id)
    for name in (REPORT, CASE_TABLE):
        if not (folder / name).is_file():
            raise UsageError(f"{folder}: expected {name} of this converter, found none")
    report = read_json(folder / REPORT)
    jobs = _jobs(folder, report)
    processes = worker_count(workers, len(jobs))
    running = run_jobs(check_case, [(job,) for job in jobs], workers=processes)
    found = progress(running, label=f"checking {folder.name}", total=len(jobs), quiet=quiet)
    cases = tuple(sorted(found, key=lambda case: case.row.case))
    splits = read_json(folder / SPLITS) if (folder / SPLITS).exists() else []
    problems = [problem for case in cases for problem in case.problems]
    problems += _fold_problems(splits, cases, leaks_intended=report["leaks_intended"]) + _file_problems(folder, jobs)
    verdict, found_wrong = _integrity(folder, cases, wanted=integrity, workers=processes)
    problems += found_wrong
    source = Path(report["source"])
    return DatasetCheck(folder, source if source.is_dir() else None, cases, splits, verdict, tuple(problems))


def _jobs(folder: Path, report: Mapping[str, Any]) -> list[Converted]:
    dataset, source = RawDataset(folder), Path(report["source"])
    # A case that is both labelled and a frame of the cycle has two entries; its line of cases.csv is the first one's.
    rows = {row.case: row for row in read_case_table(folder / CASE_TABLE)}
    entries: dict[str, Mapping[str, Any]] = {}
    for entry in report["converted"]:
        entries.setdefault(entry["case"], entry)
    if rows.keys() != entries.keys():
        other = min(rows.keys() ^ entries.keys())
        raise UsageError(f"{folder / CASE_TABLE}: expected the cases of {REPORT}, but {other} is in one of them only")
    return [
        Converted(
            row=rows[case],
            image=dataset.image(rows[case]),
            labels=dataset.labels(rows[case]) if entry["labels"] else None,
            source=source if source.is_dir() else None,
            entry=entry,
            label_map=report["label_map"],
            source_labels=report["source_labels"],
            read=report["read"],
        )
        for case, entry in entries.items()
    ]


def _integrity(folder: Path, cases: Sequence[CaseCheck], *, wanted: bool, workers: int) -> tuple[str, list[str]]:
    if not wanted:
        return "not run", []
    if not any(case.row.part == "train" for case in cases):
        return "not run, there is no training case", []
    problems = integrity_problems(folder, workers)
    return "failed" if problems else "passed", problems


def _fold_problems(splits: Splits, cases: Sequence[CaseCheck], *, leaks_intended: bool) -> list[str]:
    training = {case.row.case for case in cases if case.row.part == "train"}
    named = {case for fold in splits for part in fold.values() for case in part}
    problems = [f"{SPLITS}: {case} is no training case" for case in sorted(named - training)]
    if problems:
        return problems
    shared = leaks(splits, {case.row.case: case.row.subject for case in cases})
    wrong = shared and not leaks_intended
    return [f"{SPLITS}: {shared} subjects have cases on both sides of a fold"] if wrong else []


def _file_problems(folder: Path, jobs: Sequence[Converted]) -> list[str]:
    known = {path for job in jobs for path in (job.image, job.labels) if path}
    cine = folder / "imagesCine"  # frames that are labelled cases as well lie there a second time
    foreign = [path for path in RawDataset(folder).files() if path not in known and path.parent != cine]
    return [f"{path.relative_to(folder)}: in the folder, but not in {CASE_TABLE}" for path in foreign]


def _range(values: Sequence[float]) -> str:
    known = np.asarray(values, dtype=float)
    if not len(known):
        return "none"
    low, high = float(np.nanmin(known)), float(np.nanmax(known))
    return f"{low:.4g}" if low == high else f"{low:.4g} to {high:.4g}"


def _share(answers: Sequence[bool | None]) -> str:
    known = [answer for answer in answers if answer is not None]
    if not known:
        return "not known of any case"
    unknown = f", not known of {len(answers) - len(known)}" if len(known) < len(answers) else ""
    return f"{100 * sum(known) / len(known):.0f} % ({sum(known)} of {len(known)} cases{unknown})"
