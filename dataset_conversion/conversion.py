"""Convert the subjects that a reader has found: in parallel, resumable, one broken subject at a time."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from dataset_conversion.cases import DataSetFacts, SourceSubject
from dataset_conversion.raw_dataset import RawDataset, open_dataset, require_own_files, write_dataset_json
from dataset_conversion.report import ConversionReport
from dataset_conversion.splits import Splits, split_by_subject, write_splits
from dataset_conversion.subject import convert_subject, finished_files, output_files
from nnunet_cardiac_ext import discovery
from nnunet_cardiac_ext.case_table import FILE_NAME as CASE_TABLE
from nnunet_cardiac_ext.case_table import CaseRow, write_case_table
from nnunet_cardiac_ext.errors import CardiacError, UsageError
from nnunet_cardiac_ext.processes import available_cores, run_jobs
from nnunet_cardiac_ext.progress import progress

DEFAULT_FOLDS = 5
DEFAULT_SEED = 12345
Splitter = Callable[[Sequence[CaseRow]], Splits]


def convert_subjects(
    facts: DataSetFacts,
    subjects: Sequence[SourceSubject],
    source: Path,
    dataset_id: int,
    *,
    folds: int = DEFAULT_FOLDS,
    seed: int = DEFAULT_SEED,
    splitter: Splitter | None = None,
    remarks: Sequence[str] = (),
    leaks_intended: bool = False,
    overwrite_splits: bool = False,
    workers: int | None = None,
    quiet: bool = False,
) -> ConversionReport:
    """Write an nnU-Net raw data set with cases.csv, splits_final.json and conversion_report.json.

    A subject that cannot be read is reported and left out; the others are converted. Subjects that an earlier run
    has converted from the same files are skipped. Worker processes are spawned, so a script that calls this needs
    the usual `if __name__ == "__main__":`.

    Args:
        facts: What is known of the data set.
        subjects: Its subjects, as a reader found them.
        source: The folder that they lie in.
        dataset_id: nnU-Net's number of the data set.
        folds: Number of folds of the cross-validation.
        seed: Seed of the folds.
        splitter: Makes the folds of the training cases instead (leave one vendor out); `folds` and `seed` then say
            nothing.
        remarks: What a reader has to know of this conversion, one line each, for the summary.
        leaks_intended: Whether `splitter` puts subjects on both sides of a fold on purpose; a remark should say so.
        overwrite_splits: Replace different folds that lie there already.
        workers: Worker processes; None takes all processors that this process may use.
        quiet: Show no progress.

    Returns:
        The report, which is written as well. Its exit code is 1 if a subject failed.

    Raises:
        UsageError: The id belongs to another data set, its folder holds other files, or `folds` is below 2.
        WorkError: The output cannot be written.
    """
    if folds < 2:
        raise UsageError(f"--folds: expected at least 2, got {folds}")
    processes = worker_count(workers, len(subjects))
    dataset = open_dataset(facts.name, dataset_id)
    _require_own_files(dataset, subjects, source)
    running = run_jobs(convert_subject, [(subject, dataset, facts) for subject in subjects], workers=processes)
    done = progress(running, label=f"converting {facts.name}", total=len(subjects), quiet=quiet)
    results = {result.subject: result for result in done}
    outcomes = [results[subject.name] for subject in subjects]
    settings = {"dataset_id": dataset_id, "folds": folds, "seed": seed}
    report = ConversionReport(
        dataset.folder, source, facts, list(subjects), outcomes, settings,
        remarks=list(remarks), leaks_intended=leaks_intended,
    )  # fmt: skip
    splitter = splitter or partial(split_by_subject, folds=folds, seed=seed)
    _describe(dataset, facts, report, splitter=splitter, overwrite_splits=overwrite_splits)
    report.write()
    return report


def worker_count(workers: int | None, jobs: int) -> int:
    """Return how many worker processes take some jobs: as many as asked for, else one per processor.

    Raises:
        UsageError: Fewer than one is asked for.
    """
    if workers is not None and workers < 1:
        raise UsageError(f"-np: expected at least 1 worker, got {workers}")
    return max(1, min(workers or available_cores(), jobs))


def _describe(
    dataset: RawDataset, facts: DataSetFacts, report: ConversionReport, *, splitter: Splitter, overwrite_splits: bool
) -> None:
    training = [row for row in report.rows if row.part == "train"]
    write_case_table(dataset.folder / CASE_TABLE, report.rows)
    write_dataset_json(dataset, facts, len(training))
    folders = [dataset.folder]
    if os.environ.get(discovery.PREPROCESSED):
        folders.append(discovery.preprocessed_folder() / dataset.folder.name)
    try:
        report.splits = splitter(training)
        write_splits(report.splits, folders, overwrite=overwrite_splits)
    except CardiacError as error:
        report.problems.append(str(error))
    except ValueError as error:
        report.problems.append(f"splits_final.json: {error}")


def _require_own_files(dataset: RawDataset, subjects: Sequence[SourceSubject], source: Path) -> None:
    expected = [path for subject in subjects for path in output_files(dataset, subject)]
    expected += [path for subject in subjects for path in finished_files(dataset, subject.name)]
    require_own_files(dataset, expected, [subject.name for subject in subjects], source)
