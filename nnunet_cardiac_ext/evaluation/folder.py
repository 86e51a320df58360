"""Scores a folder of segmentations against a folder of references and writes the tables."""

from __future__ import annotations

import multiprocessing
import os
import platform
import shlex
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from nnunet_cardiac_ext import case_table
from nnunet_cardiac_ext.case_table import CaseRow
from nnunet_cardiac_ext.errors import CardiacError, UsageError, WorkError
from nnunet_cardiac_ext.evaluation.clinical import clinical_table
from nnunet_cardiac_ext.evaluation.inputs import Pairing, find_labels, format_numbers, pair_cases, read_labels
from nnunet_cardiac_ext.evaluation.profiles import PROFILE_POINTS
from nnunet_cardiac_ext.evaluation.scoring import WHOLE, CaseScore, MetricRow, score_case
from nnunet_cardiac_ext.evaluation.summary import SummaryRow, summarise
from nnunet_cardiac_ext.files import write_csv, write_json
from nnunet_cardiac_ext.progress import progress

METRICS_FILE = "metrics.csv"
SUMMARY_FILE = "summary.csv"
CLINICAL_FILE = "clinical.csv"
PROFILES_FILE = "profiles.csv"
FACTS_FILE = "evaluation.json"
# Headers are rounded to float32 by some writers; a real difference of voxel size is far larger.
SPACING_TOLERANCE = 1e-3
# A worker process takes seconds to start (torch); below this number of cases it does not pay.
CASES_WORTH_A_WORKER = 8


@dataclass(frozen=True)
class EvaluationResult:
    """What was scored, and what was not.

    Attributes:
        output: The folder with the tables.
        metrics: The rows of `metrics.csv`.
        summary: The rows of `summary.csv`.
        cases: Names of the scored cases.
        failures: One line by case that could not be scored.
        remarks: One line each: odd cases and predictions without a reference.
        unpredicted: Cases of the reference without a prediction; they are not scored.
    """

    output: Path
    metrics: list[MetricRow]
    summary: list[SummaryRow]
    cases: tuple[str, ...]
    failures: Mapping[str, str]
    remarks: Sequence[str]
    unpredicted: tuple[str, ...]

    def mean(self, metric: str, structure: str, region: str = WHOLE) -> float:
        """Return the mean over all cases; NaN where nothing is defined."""
        wanted = ("", structure, region, metric)
        found = [r.mean for r in self.summary if (r.column, r.structure, r.region, r.metric) == wanted]
        return found[0] if found else float("nan")


def evaluate(
    reference: Path,
    prediction: Path,
    output: Path,
    *,
    labels: Mapping[str, int] | None = None,
    cases: Path | None = None,
    by: Sequence[str] = (),
    workers: int | None = None,
    quiet: bool = False,
) -> EvaluationResult:
    """Score segmentations and write `metrics.csv`, `summary.csv`, `clinical.csv`, `profiles.csv`, `evaluation.json`.

    Files are matched by name without ending. The reference may hold more cases than were predicted.

    Args:
        reference: Folder of reference labels.
        prediction: Folder of predicted labels.
        output: Folder for the tables.
        labels: Label value by structure in both folders; by default those of the data set's `dataset.json`, or cine's.
        cases: Case table; by default `cases.csv` beside the reference folder, where it exists.
        by: Columns of the case table to summarise by.
        workers: Number of processes; by default one per core, fewer where there are few cases.
        quiet: No progress bar.

    Returns:
        The rows, and what failed. Failed cases are not in the tables.

    Raises:
        UsageError: Folders, labels, case table or columns do not fit together.
        WorkError: No case could be scored, or a worker process died.
    """
    pairing = pair_cases(reference, prediction)
    labels = dict(labels) if labels else find_labels(reference, prediction)
    table = _read_cases(reference, cases)
    summarise([], table, by)  # a wrong column shall not cost the time of the scoring
    outcomes = sorted(
        progress(
            _outcomes(pairing, labels, _number_of_workers(workers, len(pairing.pairs))),
            label="evaluating", total=len(pairing.pairs), quiet=quiet,
        ),
        key=lambda outcome: outcome[0],
    )  # fmt: skip
    scores = [score for _, score, _ in outcomes if score]
    failures = {case: failure for case, _, failure in outcomes if failure}
    if not scores:
        raise WorkError(f"no case could be scored; the first: {next(iter(failures.values()))}")
    result = _result(output, scores, failures, pairing, table, by)
    _write(result, scores, table)
    write_json(output / FACTS_FILE, _facts(result, reference, prediction, labels, cases, by))
    return result


def _read_cases(reference: Path, path: Path | None) -> list[CaseRow]:
    if path is not None:
        return case_table.read_case_table(path)
    beside = reference.resolve().parent / case_table.FILE_NAME
    return case_table.read_case_table(beside) if beside.is_file() else []


def _number_of_workers(workers: int | None, cases: int) -> int:
    if workers is not None and workers < 1:
        raise UsageError(f"-np: expected at least 1 process, got {workers}")
    return workers or max(1, min(os.cpu_count() or 1, cases // CASES_WORTH_A_WORKER))


Outcome = tuple[str, "CaseScore | None", str]


def _outcomes(pairing: Pairing, labels: Mapping[str, int], workers: int) -> Iterator[Outcome]:
    tasks = [(case, *paths, labels) for case, paths in pairing.pairs.items()]
    if workers == 1:
        yield from (_score_files(*task) for task in tasks)
        return
    # One server process imports torch once, its forks share it; plain forks of this process could inherit locks.
    method = "forkserver" if "forkserver" in multiprocessing.get_all_start_methods() else "spawn"
    context: Any = multiprocessing.get_context(method)
    if method == "forkserver":
        context.set_forkserver_preload(["monai.metrics.utils", __name__])
    with ProcessPoolExecutor(workers, mp_context=context, initializer=_use_one_thread) as pool:
        try:
            for future in as_completed([pool.submit(_score_files, *task) for task in tasks]):
                yield future.result()
        except BrokenProcessPool as error:
            raise WorkError("a worker process died, probably for want of memory: expected to go through with -np 1") from error


def _use_one_thread() -> None:
    import torch

    torch.set_num_threads(1)


def _score_files(case: str, reference: Path, prediction: Path, labels: Mapping[str, int]) -> Outcome:
    try:
        expected, predicted = read_labels(reference, labels), read_labels(prediction, labels)
        if expected.array.shape != predicted.array.shape:
            shapes = format_numbers(predicted.array.shape), format_numbers(expected.array.shape)
            raise WorkError(f"{prediction}: expected {shapes[1]} voxels (slice, row, column) as in the reference, got {shapes[0]}")
        score = score_case(case, expected.array, predicted.array, spacing=expected.spacing, labels=labels)
    except CardiacError as error:
        return case, None, str(error)
    if not np.allclose(expected.spacing, predicted.spacing, rtol=SPACING_TOLERANCE, atol=0):
        score.remarks.append(
            f"{prediction}: spacing {format_numbers(predicted.spacing)} mm differs from the reference's "
            f"{format_numbers(expected.spacing)} mm, which was used"
        )
    return case, score, ""


def _result(
    output: Path,
    scores: Sequence[CaseScore],
    failures: Mapping[str, str],
    pairing: Pairing,
    table: Sequence[CaseRow],
    by: Sequence[str],
) -> EvaluationResult:
    rows = [row for score in scores for row in score.rows]
    remarks = [remark for score in scores for remark in score.remarks]
    remarks += [f"{case}: predicted, but there is no reference; left out" for case in pairing.unreferenced]
    return EvaluationResult(
        output, rows, summarise(rows, table, by), tuple(score.case for score in scores), failures, remarks,
        pairing.unpredicted,
    )  # fmt: skip


def _write(result: EvaluationResult, scores: Sequence[CaseScore], table: Sequence[CaseRow]) -> None:
    lines, header = clinical_table(result.metrics, table)
    profiles = [
        {"case": score.case, "structure": structure} | {str(i): f"{value:.6g}" for i, value in enumerate(profile)}
        for score in scores
        for structure, profile in score.profiles.items()
    ]
    positions = [str(i) for i in range(PROFILE_POINTS)]
    write_csv(result.output / METRICS_FILE, [row._asdict() for row in result.metrics], MetricRow._fields)
    write_csv(result.output / SUMMARY_FILE, [row._asdict() for row in result.summary], SummaryRow._fields)
    write_csv(result.output / CLINICAL_FILE, lines, header)
    write_csv(result.output / PROFILES_FILE, profiles, ["case", "structure", *positions])


def _facts(
    result: EvaluationResult,
    reference: Path,
    prediction: Path,
    labels: Mapping[str, int],
    cases: Path | None,
    by: Sequence[str],
) -> dict[str, Any]:
    command = ["nnunet-cardiac", "evaluate", "-ref", str(reference), "-pred", str(prediction), "-o", str(result.output)]
    command += ["--labels", ",".join(f"{name}={value}" for name, value in labels.items())]
    command += ["--cases", str(cases)] if cases else []
    command += ["--by", *by] if by else []
    packages = ("nnunet-cardiac-ext", "nnunetv2", "monai", "numpy", "scipy", "SimpleITK")
    return {
        "created": datetime.now().astimezone().isoformat(timespec="seconds"),
        "command": shlex.join(command),
        "reference": str(reference.resolve()),
        "prediction": str(prediction.resolve()),
        "labels": dict(labels),
        "by": list(by),
        "cases": len(result.cases),
        "failures": dict(result.failures),
        "remarks": list(result.remarks),
        "unpredicted": list(result.unpredicted),
        "versions": {"python": platform.python_version()} | {name: version(name) for name in packages},
    }
