"""The registry names only what exists."""

import importlib
import importlib.util
from pathlib import Path

import pytest

from nnunet_cardiac_ext import registry
from nnunet_cardiac_ext.anatomy import LABEL_MAPS

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("trainer", registry.TRAINERS.values(), ids=lambda trainer: trainer.name)
def test_every_trainer_exists_and_has_a_page(trainer):
    assert hasattr(importlib.import_module(trainer.module), trainer.name)
    assert (ROOT / trainer.page).is_file()
    assert trainer.paper in ("", *registry.PAPERS)


@pytest.mark.parametrize("data_set", registry.DATA_SETS.values(), ids=lambda data_set: data_set.name)
def test_every_data_set_has_converter_phantom_labels_and_page(data_set):
    assert callable(importlib.import_module(data_set.package).convert)
    assert callable(importlib.import_module(data_set.phantom).write_phantoms)
    assert data_set.label_map in LABEL_MAPS
    assert (ROOT / data_set.page).is_file()


@pytest.mark.parametrize("preset", registry.PRESETS.values(), ids=lambda preset: preset.name)
def test_every_preset_names_a_trainer_that_exists(preset):
    assert preset.trainer in registry.TRAINERS


@pytest.mark.parametrize("group", registry.PRESET_GROUPS.values(), ids=lambda group: group.name)
def test_every_preset_group_is_of_presets_and_of_no_presets_name(group):
    assert set(group.members.values()) <= registry.PRESETS.keys()
    assert group.name not in registry.PRESETS
    assert group.name in registry.PIPELINES


@pytest.mark.parametrize("pipeline", registry.PIPELINES.values(), ids=lambda pipeline: pipeline.name)
def test_every_pipeline_exists_and_has_a_page(pipeline):
    assert importlib.util.find_spec(pipeline.module)
    assert (ROOT / pipeline.page).is_file()
