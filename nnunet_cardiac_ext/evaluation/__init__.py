"""Metrics, regional profiles, clinical numbers, figures and the report."""

from nnunet_cardiac_ext.evaluation.folder import EvaluationResult, evaluate
from nnunet_cardiac_ext.evaluation.page import report

__all__ = ["EvaluationResult", "evaluate", "report"]
