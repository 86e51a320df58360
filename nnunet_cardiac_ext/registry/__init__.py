"""What exists: papers, data sets, trainers, presets and pipelines. Feeds the command line, the docs and the tests.

Only what works is listed. Importing this package loads neither torch nor nnU-Net.
"""

from nnunet_cardiac_ext.registry.data_sets import DATA_SETS
from nnunet_cardiac_ext.registry.kinds import DataSet, Paper, Pipeline, Preset, PresetGroup, Trainer
from nnunet_cardiac_ext.registry.papers import PAPERS
from nnunet_cardiac_ext.registry.pipelines import PIPELINES
from nnunet_cardiac_ext.registry.presets import PRESET_GROUPS, PRESETS
from nnunet_cardiac_ext.registry.trainers import TRAINERS

__all__ = [
    "DATA_SETS", "PAPERS", "PIPELINES", "PRESETS", "PRESET_GROUPS", "TRAINERS",
    "DataSet", "Paper", "Pipeline", "Preset", "PresetGroup", "Trainer",
]  # fmt: skip
