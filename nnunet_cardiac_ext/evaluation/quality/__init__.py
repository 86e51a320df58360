"""Quality control without a reference: what is odd about labels, with a reason, and which cases to look at first."""

from nnunet_cardiac_ext.evaluation.quality.checks import CHECKS
from nnunet_cardiac_ext.evaluation.quality.folder import QualityResult, check_quality

__all__ = ["CHECKS", "QualityResult", "check_quality"]
