"""Writes the tables of an evaluation in one pass over the scores, of which it holds one case at a time."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nnunet_cardiac_ext.case_table import CaseRow
from nnunet_cardiac_ext.evaluation.agreement import agreement_table
from nnunet_cardiac_ext.evaluation.clinical import CASE_QUANTITIES, QUANTITIES, clinical_table
from nnunet_cardiac_ext.evaluation.profiles import PROFILE_POINTS
from nnunet_cardiac_ext.evaluation.scoring import CaseScore, MetricRow
from nnunet_cardiac_ext.evaluation.slices import SliceRow
from nnunet_cardiac_ext.evaluation.summary import SummaryRow, Values
from nnunet_cardiac_ext.files import remove, write_csv, written_whole

METRICS_FILE = "metrics.csv"
SUMMARY_FILE = "summary.csv"
CLINICAL_FILE = "clinical.csv"
AGREEMENT_FILE = "agreement.csv"
PROFILES_FILE = "profiles.csv"
SLICES_FILE = "slices.csv"
FACTS_FILE = "evaluation.json"
PROFILE_COLUMNS = ("case", "structure", *map(str, range(PROFILE_POINTS)))


@dataclass(frozen=True)
class Written:
    """What was learnt while the tables were written.

    Attributes:
        summary: The rows of `summary.csv`.
        remarks: What was odd in the cases, one line each.
        other_labels: Label values that were taken for background, of all cases.
    """

    summary: list[SummaryRow]
    remarks: list[str]
    other_labels: tuple[int, ...]


def write_tables(
    output: Path, scores: Iterable[CaseScore], table: Sequence[CaseRow], by: Sequence[str], *, slices: bool
) -> Written:
    """Write `metrics`, `profiles`, `summary`, `clinical`, `agreement.csv`, and `slices.csv` where slices were scored.

    Args:
        output: The folder.
        scores: The scores in the order of the tables.
        table: The case table, or nothing.
        by: Its columns to summarise by.
        slices: Whether there is a `slices.csv`; else one of an earlier evaluation is removed.

    Raises:
        WorkError: A table cannot be written.
    """
    # Written last and removed first: tables without it are those of an interrupted run.
    for stale in (FACTS_FILE, SLICES_FILE):
        remove(output / stale)
    values, volumes, remarks, others = Values(), list[MetricRow](), list[str](), set[int]()
    with ExitStack() as stack:
        write_metric = stack.enter_context(_table(output / METRICS_FILE, MetricRow._fields))
        write_profile = stack.enter_context(_table(output / PROFILES_FILE, PROFILE_COLUMNS))
        write_slice = stack.enter_context(_table(output / SLICES_FILE, SliceRow._fields)) if slices else None
        for score in scores:
            for row in score.rows:
                write_metric(row)
                values.add(row)
            for structure, profile in score.profiles.items():
                write_profile([score.case, structure, *(f"{value:.6g}" for value in profile)])
            if write_slice:
                for line in score.slices:
                    write_slice(line)
            volumes += score.volumes
            remarks += score.remarks
            others.update(score.other_labels)
    return Written(_write_summaries(output, values, volumes, table, by), remarks, tuple(sorted(others)))


def _write_summaries(
    output: Path, values: Values, volumes: Iterable[MetricRow], table: Sequence[CaseRow], by: Sequence[str]
) -> list[SummaryRow]:
    summary = values.summarise(table, by)
    lines, header = clinical_table(volumes, table)
    write_csv(output / SUMMARY_FILE, (row._asdict() for row in summary), SummaryRow._fields)
    write_csv(output / CLINICAL_FILE, lines, header)
    write_csv(output / AGREEMENT_FILE, *agreement_table(lines, QUANTITIES if "subject" in header else CASE_QUANTITIES))
    return summary


@contextmanager
def _table(path: Path, header: Sequence[str]) -> Iterator[Callable[[Sequence[Any]], Any]]:
    """Yield a function that writes a line of a csv; the file appears when all lines are written."""
    with written_whole(path) as partial, partial.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(header)
        yield writer.writerow
