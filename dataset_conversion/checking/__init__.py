"""Check a converted data set: against its source, by nnU-Net's own check, and for what a table shows at a glance."""

from dataset_conversion.checking.dataset import DatasetCheck, check_dataset

__all__ = ["DatasetCheck", "check_dataset"]
