"""Metrics, regional profiles, clinical numbers, figures and the report."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nnunet_cardiac_ext.evaluation.folder import EvaluationResult, evaluate

if TYPE_CHECKING:
    from nnunet_cardiac_ext.evaluation.reporting.page import report

__all__ = ["EvaluationResult", "evaluate", "report"]


def __getattr__(name: str) -> Any:
    """Load the report only where it is asked for: matplotlib takes longer than the scoring of many a folder."""
    if name == "report":
        from nnunet_cardiac_ext.evaluation.reporting.page import report

        return report
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
