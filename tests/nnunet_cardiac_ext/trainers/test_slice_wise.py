"""Trainers of 2D networks refuse 3D configurations before anything starts."""

import json

import pytest
from helpers.tiny_dataset import SHORT, build_trainer, write_preprocessed_dataset

from nnunet_cardiac_ext.errors import UsageError
from nnunet_cardiac_ext.trainers.region_specific import ApexRegionTrainer
from nnunet_cardiac_ext.trainers.slice_wise import SliceWiseTrainer


@pytest.mark.parametrize("trainer_class", [SliceWiseTrainer, ApexRegionTrainer])
def test_a_3d_configuration_is_refused_in_one_line(nnunet_root, trainer_class):
    preprocessed = write_preprocessed_dataset(nnunet_root, **SHORT)
    plans = json.loads((preprocessed / "nnUNetPlans.json").read_text())
    plans["configurations"]["3d_fullres"] = {"inherits_from": "2d", "patch_size": [8, 32, 32]}
    (preprocessed / "nnUNetPlans.json").write_text(json.dumps(plans))
    message = rf"^{trainer_class.__name__}: expected a 2D configuration, got 3d_fullres, patches \[8, 32, 32\]$"
    with pytest.raises(UsageError, match=message):
        build_trainer(trainer_class, preprocessed, configuration="3d_fullres")
    assert build_trainer(trainer_class, preprocessed, configuration="2d_test").settings.num_epochs == 2
