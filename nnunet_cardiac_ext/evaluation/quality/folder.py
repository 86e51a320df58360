"""Checks a folder of labels without a reference and writes the list of cases worth a look."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from nnunet_cardiac_ext import case_table
from nnunet_cardiac_ext.case_table import CaseRow
from nnunet_cardiac_ext.errors import CardiacError, WorkError
from nnunet_cardiac_ext.evaluation.inputs import find_labels, image_files, read_labels, remark_on_labels
from nnunet_cardiac_ext.evaluation.quality.check import Flag
from nnunet_cardiac_ext.evaluation.quality.checks import check_phases, check_stack
from nnunet_cardiac_ext.evaluation.quality.phases import PhasePair, StackFacts, stack_facts
from nnunet_cardiac_ext.evaluation.quality.ranking import RankedCase, rank_cases
from nnunet_cardiac_ext.evaluation.quality.stack import LabelStack
from nnunet_cardiac_ext.files import remove, write_csv
from nnunet_cardiac_ext.processes import number_of_workers, run_jobs
from nnunet_cardiac_ext.progress import progress

QUALITY_FILE = "quality.csv"
FLAGS_FILE = "flags.csv"
# A case takes some hundredths of a second, a worker process a second to start.
CASES_WORTH_A_WORKER = 50


class CaseQuality(NamedTuple):
    """What is odd about one image, what its other phase is compared with, or why it could not be checked."""

    case: str
    flags: list[Flag]
    facts: StackFacts | None
    failure: str = ""


@dataclass(frozen=True)
class QualityResult:
    """What was checked.

    Attributes:
        output: The folder with the tables.
        ranking: The rows of `quality.csv`, the worst case first.
        flags: The rows of `flags.csv`.
        failures: One line by case that could not be read.
        remarks: One line each: checks that had to be left out.
    """

    output: Path
    ranking: list[RankedCase]
    flags: list[Flag]
    failures: Mapping[str, str]
    remarks: Sequence[str]


def check_quality(
    folder: Path,
    output: Path,
    *,
    labels: Mapping[str, int] | None = None,
    cases: Path | None = None,
    workers: int | None = None,
    quiet: bool = False,
) -> QualityResult:
    """Check every label image of a folder and write `quality.csv` and `flags.csv`.

    Args:
        folder: Label images, predicted or drawn.
        output: Folder for the tables.
        labels: Label value by structure; by default those of a `dataset.json` beside or in the folder or beside the
            case table, or cine's, which is remarked.
        cases: Case table; by default `cases.csv` beside the folder, where it exists. Its phases make pairs of ED and
            ES, its `base_first` tells which end is the base.
        workers: Number of processes; by default one per core, fewer where there are few cases.
        quiet: No progress bar.

    Returns:
        The ranked cases and their flags. Files that cannot be read are in `failures` and in no table.

    Raises:
        UsageError: Folder, labels or case table do not fit.
        WorkError: No image could be read, or a worker process died.
    """
    files = image_files(folder)
    cases = cases or _cases_beside(folder)
    near = folder, cases.parent if cases else folder
    remarks = [] if labels else remark_on_labels(*near)
    labels = dict(labels) if labels else find_labels(*near)
    table = {row.case: row for row in case_table.read_case_table(cases)} if cases else {}
    jobs = [(case, path, labels, table[case].base_first if case in table else None) for case, path in files.items()]
    checked = progress(
        run_jobs(check_file, jobs, workers=number_of_workers(workers, len(jobs), jobs_per_worker=CASES_WORTH_A_WORKER)),
        label="checking", total=len(jobs), quiet=quiet,
    )  # fmt: skip
    results = {result.case: result for result in sorted(checked, key=lambda result: result.case)}
    read = [result for result in results.values() if not result.failure]
    failures = {case: result.failure for case, result in results.items() if result.failure}
    if not read:
        raise WorkError(f"no image could be checked; the first: {next(iter(failures.values()))}")
    pairs = list(_pairs(read, table))
    flags = [flag for result in read for flag in result.flags]
    flags += [flag for names, pair in pairs for flag in check_phases(names, pair)]
    flags.sort(key=lambda flag: flag.case)
    subjects = [(result.case, table[result.case].subject if result.case in table else "") for result in read]
    ranking = rank_cases(subjects, flags)
    _write(output, ranking, flags)
    remarks += [] if pairs else [_remark(table)]
    return QualityResult(output, ranking, flags, failures, remarks)


def check_file(case: str, path: Path, labels: Mapping[str, int], base_first: bool | None) -> CaseQuality:
    """Check one label image; one that cannot be read has a failure instead of flags."""
    try:
        volume = read_labels(path, labels)
    except CardiacError as error:
        return CaseQuality(case, [], None, str(error))
    stack = LabelStack(volume.array, volume.spacing, labels, base_first)
    # A slice alone tells no volume.
    facts = stack_facts(stack) if len(stack.array) > 1 else None
    return CaseQuality(case, list(check_stack(case, stack)), facts)


def _cases_beside(folder: Path) -> Path | None:
    path = folder.resolve().parent / case_table.FILE_NAME
    return path if path.is_file() else None


def _pairs(
    results: Sequence[CaseQuality], table: Mapping[str, CaseRow]
) -> Iterator[tuple[tuple[str, str], PhasePair]]:
    """Yield ED and ES of each subject's visit; visits with two images of a phase are left out."""
    visits: dict[str, dict[str, list[tuple[str, StackFacts]]]] = defaultdict(lambda: defaultdict(list))
    for result in results:
        row = table.get(result.case)
        if row and result.facts:
            visits[row.visit][row.phase].append((result.case, result.facts))
    for phases in visits.values():
        if len(phases["ED"]) == len(phases["ES"]) == 1:
            (diastole, first), (systole, second) = *phases["ED"], *phases["ES"]
            yield (diastole, systole), PhasePair(first, second)


def _remark(table: Mapping[str, CaseRow]) -> str:
    reason = "the case table pairs no ED with an ES" if table else "no case table (--cases) tells ED from ES"
    return f"{reason}; ejection fraction, mass and order of the phases were not checked"


def _write(output: Path, ranking: Sequence[RankedCase], flags: Sequence[Flag]) -> None:
    # Written last and removed first: a folder without it is that of an interrupted run.
    remove(output / QUALITY_FILE)
    write_csv(output / FLAGS_FILE, (_cells(flag) for flag in flags), Flag._fields)
    write_csv(output / QUALITY_FILE, (row._asdict() for row in ranking), RankedCase._fields)


def _cells(flag: Flag) -> dict[str, object]:
    return flag._asdict() | {"slice": "" if flag.slice is None else flag.slice, "value": f"{flag.value:.6g}"}
