"""A raw and preprocessed nnU-Net data set of random ellipses on which a tiny 2D network trains in seconds."""

import json
import os
import shutil
from pathlib import Path

import numpy as np
import SimpleITK
import torch
from helpers.tiny_plans import tiny_dataset_json, tiny_plans
from nnunetv2.preprocessing.preprocessors.default_preprocessor import DefaultPreprocessor
from nnunetv2.utilities.plans_handling.plans_handler import PlansManager

NAME = "Dataset999_Tiny"
CASES = tuple(f"case{index}" for index in range(5))
VALIDATION = CASES[:1]
SPACING = (1.5, 1.5, 10.0)

# A whole training of two epochs of two iterations.
SHORT = {"num_epochs": 2, "iterations_per_epoch": 2, "val_iterations_per_epoch": 1}


def write_preprocessed_dataset(root, *, ignore_label=False, **cardiac):
    """Write `NAME` below root/raw and root/preprocessed, `cardiac` as the settings of configuration 2d_test.

    With `ignore_label` label 4 is nnU-Net's ignore label and covers all but a few slices' lower halves.
    """
    raw, preprocessed = root / "raw" / NAME, root / "preprocessed" / NAME
    plans, dataset = tiny_plans(**cardiac), tiny_dataset_json() | {"numTraining": len(CASES)}
    if ignore_label:
        dataset["labels"]["ignore"] = 4
    for folder in (raw / "imagesTr", raw / "labelsTr", preprocessed):
        folder.mkdir(parents=True)
    for folder in (raw, preprocessed):
        (folder / "dataset.json").write_text(json.dumps(dataset))
    (preprocessed / "nnUNetPlans.json").write_text(json.dumps(plans))
    (preprocessed / "dataset_fingerprint.json").write_text("{}")
    split = {"train": [case for case in CASES if case not in VALIDATION], "val": list(VALIDATION)}
    (preprocessed / "splits_final.json").write_text(json.dumps([split]))
    for seed, case in enumerate(CASES):
        _write_case(raw, case, np.random.default_rng(seed), ignore_label=ignore_label)
    _preprocess(raw, preprocessed, plans, dataset)
    return preprocessed


def build_trainer(trainer_class, preprocessed, configuration="2d_test", **cardiac):
    """A trainer as nnU-Net builds it, on the CPU; `cardiac` is put over the settings of the plans."""
    plans = json.loads((preprocessed / "nnUNetPlans.json").read_text())
    plans["configurations"][configuration].setdefault("cardiac", {}).update(cardiac)
    dataset = json.loads((preprocessed / "dataset.json").read_text())
    return trainer_class({**plans, "continue_training": False}, configuration, 0, dataset, torch.device("cpu"))


def weights(trainer):
    """All weights of a trainer's network as one vector."""
    return torch.cat([parameter.detach().flatten() for parameter in trainer.network.parameters()])


def _write_case(raw, case, random, *, ignore_label):
    labels = _ellipses(random)
    image = 100 * labels + random.normal(0, 20, labels.shape) + 50
    if ignore_label:
        labels[:, :16] = 4
        labels[3] = 4
    for folder, name, array in (("imagesTr", f"{case}_0000", image.astype(np.float32)), ("labelsTr", case, labels)):
        volume = SimpleITK.GetImageFromArray(array)
        volume.SetSpacing(SPACING)
        SimpleITK.WriteImage(volume, str(raw / folder / f"{name}.nii.gz"))


def _ellipses(random):
    """Seven slices of 36x36: RV, MYO and LV ellipses in slices 1 to 5, smaller from slice to slice."""
    labels = np.zeros((7, 36, 36), dtype=np.uint8)
    rows, columns = np.mgrid[:36, :36]
    centre = random.uniform(15, 20, 2)
    for index in range(1, 6):
        radius = 12 - 1.5 * index + random.uniform(-0.5, 0.5)
        for label, scale, shift in ((1, 1.0, -5), (2, 1.0, 2), (3, 0.6, 2)):
            inside = ((rows - centre[0]) / 1.1) ** 2 + (columns - centre[1] - shift) ** 2 <= (scale * radius) ** 2
            labels[index][inside] = label
    return labels


def _preprocess(raw, preprocessed, plans, dataset):
    manager = PlansManager(plans)
    configuration = manager.get_configuration("2d")
    stacks = preprocessed / configuration.data_identifier
    stacks.mkdir()
    preprocessor = DefaultPreprocessor(verbose=False)
    for case in CASES:
        files = [str(raw / "imagesTr" / f"{case}_0000.nii.gz")], str(raw / "labelsTr" / f"{case}.nii.gz")
        preprocessor.run_case_save(str(stacks / case), *files, manager, configuration, dataset)
    shutil.copytree(raw / "labelsTr", preprocessed / "gt_segmentations")


def results_folder(trainer_name, configuration="2d_test"):
    """Where nnU-Net puts the models of a trainer."""
    return Path(os.environ["nnUNet_results"]) / NAME / f"{trainer_name}__nnUNetPlans__{configuration}"
