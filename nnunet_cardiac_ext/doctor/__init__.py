"""What this machine lacks for training and prediction, and how to mend it."""

from nnunet_cardiac_ext.doctor.check import Check
from nnunet_cardiac_ext.doctor.examine import examine

__all__ = ["Check", "examine"]
