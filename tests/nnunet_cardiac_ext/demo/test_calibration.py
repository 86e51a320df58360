"""Minutes become epochs by a time that is measured once."""

import multiprocessing
import os
from pathlib import Path

import pytest
from helpers.tiny_dataset import write_preprocessed_dataset

from nnunet_cardiac_ext.demo.calibration import epochs_for
from nnunet_cardiac_ext.files import read_json, write_json
from nnunet_cardiac_ext.trainers import base


@pytest.fixture
def arguments(nnunet_root, monkeypatch):
    monkeypatch.setenv("nnUNet_n_proc_DA", "0")
    preprocessed = write_preprocessed_dataset(nnunet_root, iterations_per_epoch=10)
    return {
        "plans": preprocessed / "nnUNetPlans.json", "dataset": preprocessed / "dataset.json",
        "configuration": "2d_test", "device": "cpu", "record": nnunet_root / "calibration.json",
    }  # fmt: skip


def test_the_time_of_an_epoch_is_measured_and_kept(arguments):
    epochs = epochs_for(10, **arguments)
    seconds = read_json(arguments["record"])["2d_test on cpu"]
    assert seconds > 0
    assert epochs == int(600 / seconds)
    assert not any(Path(os.environ["nnUNet_results"]).iterdir())


def test_a_known_time_is_not_measured_again(arguments):
    write_json(arguments["record"], {"2d_test on cpu": 7.0})
    assert epochs_for(1, **arguments) == 8
    assert epochs_for(0.01, **arguments) == 1


def test_the_time_is_measured_as_the_training_will_run_and_leaves_no_process(arguments, monkeypatch):
    seen = []
    counted = base.get_allowed_n_proc_DA
    monkeypatch.setattr(base, "get_allowed_n_proc_DA", lambda: seen.append(counted()) or seen[-1])
    results = os.environ["nnUNet_results"]
    epochs_for(10, **arguments, environment={"nnUNet_n_proc_DA": "1"})
    assert seen == [1]
    assert not multiprocessing.active_children()
    assert (os.environ["nnUNet_n_proc_DA"], os.environ["nnUNet_results"]) == ("0", results)
