"""Scores a folder of segmentations against a folder of references and writes the tables."""

from __future__ import annotations

import platform
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from nnunet_cardiac_ext import case_table
from nnunet_cardiac_ext.case_table import CaseRow
from nnunet_cardiac_ext.errors import UsageError, WorkError
from nnunet_cardiac_ext.evaluation.clinical import check_phases, clinical_table
from nnunet_cardiac_ext.evaluation.inputs import Pairing, find_labels, pair_cases
from nnunet_cardiac_ext.evaluation.profiles import PROFILE_POINTS
from nnunet_cardiac_ext.evaluation.scoring import WHOLE, CaseScore, MetricRow
from nnunet_cardiac_ext.evaluation.scoring_pool import score_pairs
from nnunet_cardiac_ext.evaluation.summary import SummaryRow, check_columns, summarise
from nnunet_cardiac_ext.files import remove, write_csv, write_json
from nnunet_cardiac_ext.processes import available_cores
from nnunet_cardiac_ext.progress import progress

METRICS_FILE = "metrics.csv"
SUMMARY_FILE = "summary.csv"
CLINICAL_FILE = "clinical.csv"
PROFILES_FILE = "profiles.csv"
FACTS_FILE = "evaluation.json"
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
        remarks: One line each: odd cases, predictions without a reference, cases that the case table does not have.
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
        workers: Number of processes; by default one per core, fewer where there are few cases. A script that calls
            this with more than one guards its own start by `if __name__ == "__main__"`.
        quiet: No progress bar.

    Returns:
        The rows, and what failed. Failed cases are not in the tables.

    Raises:
        UsageError: Folders, labels, case table or columns do not fit together.
        WorkError: No case could be scored, or a worker process died.
    """
    pairing = pair_cases(reference, prediction)
    labels = dict(labels) if labels else find_labels(reference, prediction)
    cases = cases or _cases_beside(reference)
    table = case_table.read_case_table(cases) if cases else []
    check_columns(table, by)
    check_phases(table, pairing.pairs)
    outcomes = sorted(  # as if scored one after the other, whatever worker was faster
        progress(
            score_pairs(pairing.pairs, labels, workers=_number_of_workers(workers, len(pairing.pairs))),
            label="evaluating", total=len(pairing.pairs), quiet=quiet,
        ),
        key=lambda outcome: outcome.case,
    )  # fmt: skip
    scores = [outcome.score for outcome in outcomes if outcome.score]
    failures = {outcome.case: outcome.failure for outcome in outcomes if outcome.failure}
    if not scores:
        raise WorkError(f"no case could be scored; the first: {next(iter(failures.values()))}")
    result = _result(output, scores, failures, pairing, table, by)
    _write(result, scores, table)
    write_json(output / FACTS_FILE, _facts(result, reference, prediction, labels, cases, by))
    return result


def _cases_beside(reference: Path) -> Path | None:
    path = reference.resolve().parent / case_table.FILE_NAME
    return path if path.is_file() else None


def _number_of_workers(workers: int | None, cases: int) -> int:
    if workers is not None and workers < 1:
        raise UsageError(f"-np: expected at least 1 process, got {workers}")
    return workers or max(1, min(available_cores(), cases // CASES_WORTH_A_WORKER))


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
    remarks += _not_in_table([score.case for score in scores], table)
    return EvaluationResult(
        output, rows, summarise(rows, table, by), tuple(score.case for score in scores), failures, remarks,
        pairing.unpredicted,
    )  # fmt: skip


def _not_in_table(cases: Sequence[str], table: Sequence[CaseRow]) -> list[str]:
    unknown = sorted(set(cases) - {row.case for row in table}) if table else []
    if not unknown:
        return []
    others = f" and {len(unknown) - 1} more" if len(unknown) > 1 else ""
    return [f"{unknown[0]}{others}: no line in the case table, so in no group and without a phase"]


def _write(result: EvaluationResult, scores: Sequence[CaseScore], table: Sequence[CaseRow]) -> None:
    lines, header = clinical_table(result.metrics, table)
    # Made as they are written: with 50,000 hearts a list of them would need gigabytes.
    profiles = (
        {"case": score.case, "structure": structure} | {str(i): f"{value:.6g}" for i, value in enumerate(profile)}
        for score in scores
        for structure, profile in score.profiles.items()
    )
    positions = [str(i) for i in range(PROFILE_POINTS)]
    # Written last and removed first: tables without it are those of an interrupted run.
    remove(result.output / FACTS_FILE)
    write_csv(result.output / METRICS_FILE, (row._asdict() for row in result.metrics), MetricRow._fields)
    write_csv(result.output / SUMMARY_FILE, (row._asdict() for row in result.summary), SummaryRow._fields)
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
        "case_table": str(cases.resolve()) if cases else "",
        "labels": dict(labels),
        "by": list(by),
        "cases": len(result.cases),
        "failures": dict(result.failures),
        "remarks": list(result.remarks),
        "unpredicted": list(result.unpredicted),
        "versions": {"python": platform.python_version()} | {name: version(name) for name in packages},
    }
