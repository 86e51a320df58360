"""A paper's tables and figures from trained, or to be trained, models: `nnunet-cardiac reproduce`."""

from nnunet_cardiac_ext.reproduce.run import reproduce
from nnunet_cardiac_ext.reproduce.study import Study

__all__ = ["Study", "reproduce"]
