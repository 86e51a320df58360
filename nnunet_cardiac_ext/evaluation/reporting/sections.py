"""What each section of the report shows, as plain data for the template; sections without data are empty."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from nnunet_cardiac_ext.evaluation.metrics import METRICS
from nnunet_cardiac_ext.evaluation.quality import CHECKS
from nnunet_cardiac_ext.evaluation.reporting import agreements, scores
from nnunet_cardiac_ext.evaluation.reporting.cases import CaseLine, read_quality
from nnunet_cardiac_ext.evaluation.reporting.cine import volume_curves
from nnunet_cardiac_ext.evaluation.reporting.classifier import read_classification
from nnunet_cardiac_ext.evaluation.reporting.comparisons import read_comparison
from nnunet_cardiac_ext.evaluation.reporting.heart_numbers import heart_numbers
from nnunet_cardiac_ext.evaluation.reporting.run_facts import run_facts
from nnunet_cardiac_ext.evaluation.reporting.sources import Sources
from nnunet_cardiac_ext.evaluation.reporting.training import training_figures
from nnunet_cardiac_ext.evaluation.reporting.training_log import read_trainings
from nnunet_cardiac_ext.evaluation.reporting.walls import bullseyes
from nnunet_cardiac_ext.evaluation.scoring import REGIONS
from nnunet_cardiac_ext.evaluation.tables import Evaluation

MOST_WORTH_A_LOOK = 12
# Lines of the folded list of all cases; beyond, the csv files hold the rest. Half a megabyte.
MOST_LISTED = 1000
MOST_FLAGGED = 15


def sections(sources: Sources, lines: Sequence[CaseLine], shown: Sequence[str]) -> dict[str, Any]:
    """Return the content of the page by the names that its template uses.

    Args:
        sources: What there is.
        lines: All cases, those worth a look first.
        shown: Names of the cases with pictures.

    Raises:
        UsageError: A table is not what it should be.
    """
    trainings = read_trainings(sources.model) if sources.model else []
    subjects = {sources.case_rows[case].subject for case in sources.cases if case in sources.case_rows}
    return {
        "cases": len(sources.cases),
        "subjects": len(subjects),
        "structures": scores.structures(sources.labels),
        "regions": REGIONS,
        "facts": sources.evaluation.facts if sources.evaluation else None,
        "remarks": sources.evaluation.facts["remarks"] if sources.evaluation else sources.remarks,
        "worth_a_look": lines[:MOST_WORTH_A_LOOK],
        "listed": lines[MOST_WORTH_A_LOOK:MOST_LISTED],
        "unlisted": max(0, len(lines) - MOST_LISTED),
        "has_reference": sources.reference is not None,
        "numbers": heart_numbers(sources.measured),
        "bullseyes": bullseyes(sources.measured),
        "cine": _cine(sources, shown),
        "quality": _quality(sources),
        "comparison": read_comparison(sources.comparison) if sources.comparison else None,
        "classification": read_classification(sources.classification) if sources.classification else None,
        "trainings": trainings,
        "training_figures": training_figures(trainings) if trainings else [],
        "run_facts": run_facts(sources, trainings),
    } | _scores(sources.evaluation)


def _scores(found: Evaluation | None) -> dict[str, Any]:
    if found is None:
        empty = ("overlap", "ejection", "curves", "agreements", "groups", "metrics", "quantities")
        return {name: [] for name in empty}
    return {
        "overlap": scores.overlap_table(found),
        "ejection": agreements.ejection_fractions(found),
        "curves": scores.curves(found),
        "agreements": agreements.agreements(found),
        "groups": scores.group_tables(found),
        "metrics": [METRICS[name] for name in ("dice", *scores.DISTANCES)],
        "quantities": agreements.quantities(found),
    }


def _cine(sources: Sources, shown: Sequence[str]) -> dict[str, Any]:
    first = [sources.case_rows[case].subject if case in sources.case_rows else case for case in shown]
    figures, subjects = volume_curves(sources.measured, first)
    return {"figures": figures, "subjects": subjects, "sides": list(sources.measured)}


def _quality(sources: Sources) -> dict[str, Any] | None:
    """The flagged cases, and how often each check flagged one."""
    if sources.quality is None:
        return None
    rows = read_quality(sources.quality)
    meanings = {check.name: check.meaning for check in CHECKS}
    found = [name for row in rows for name in row.checks.split()]
    checks = Counter(found).most_common()
    flagged = sorted((row for row in rows if row.score), key=lambda row: -row.score)
    return {
        "cases": len(rows), "flagged": len(flagged), "rows": flagged[:MOST_FLAGGED],
        "checks": [{"name": n, "n": k, "meaning": meanings.get(n, "")} for n, k in checks],
    }  # fmt: skip
