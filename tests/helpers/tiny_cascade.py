"""The five models of the region cascade with random weights, and answers of the classifier that a test decides."""

import numpy as np
import SimpleITK
import torch
from helpers.tiny_model import write_image, write_tiny_model

from inference_pipelines import cascade_models
from nnunet_cardiac_ext.region_order import FILE_NAME, RegionOrder
from nnunet_cardiac_ext.region_table import read_region_table
from nnunet_cardiac_ext.regions import Region
from nnunet_cardiac_ext.trainers.base import CardiacTrainer
from nnunet_cardiac_ext.trainers.region_classifier import RegionClassifierTrainer
from nnunet_cardiac_ext.trainers.region_specific import ApexRegionTrainer, BaseRegionTrainer, MiddleRegionTrainer

TRAINERS = {
    "baseline": CardiacTrainer,
    "classifier": RegionClassifierTrainer,
    "base": BaseRegionTrainer,
    "middle": MiddleRegionTrainer,
    "apex": ApexRegionTrainer,
}
# Those that segment, and the region whose slices they get.
SEGMENTING = {"baseline": Region.NON_CARDIAC, "base": Region.BASE, "middle": Region.MIDDLE, "apex": Region.APEX}
# Regions of the slices that `heart_answer` stretches to any length.
HEART = [0, 1, 2, 2, 3, 0]
# Stacks as a short heart has them, from base to apex.
STACKS = [[0, 1, 2, 2, 3, 0], [1, 2, 2, 2, 3], [0, 0, 1, 2, 2, 3]]


def write_tiny_cascade(results, *, only=tuple(TRAINERS), folds=(0,), prefix="2d_cascade", **options):
    """Write the models; returns their folders by name. Options are those of `write_tiny_model`."""
    folders = {}
    for seed, name in enumerate(TRAINERS, start=1):
        if name in only:
            folders[name] = write_tiny_model(
                results, folds=folds, trainer=TRAINERS[name], configuration=f"{prefix}_{name}", seed=seed,
                **({"edit": small_backbone} if name == "classifier" else {}) | options,
            )  # fmt: skip
    for fold in folds:
        if "classifier" in folders:
            order = RegionOrder.estimate([np.array(stack) for stack in STACKS])
            order.write(folders["classifier"] / f"fold_{fold}" / FILE_NAME)
    return folders


def small_backbone(plans):
    """Let the classifier be the smallest of the seven."""
    for configuration in plans["configurations"].values():
        if "inherits_from" in configuration:
            configuration["cardiac"] = {"backbone": "squeezenet"}


def answer(monkeypatch, probabilities):
    """Let the classifier answer `probabilities(stack)`, shape (slice, 4), for a preprocessed stack."""

    def classify(network, stack, size, *, mirror_axes=(), batch_size=32):
        return torch.as_tensor(np.array(probabilities(stack)), dtype=torch.float32)

    monkeypatch.setattr(cascade_models, "classify_slices", classify)


def certain(*regions, certainty=0.9):
    """Probabilities of a classifier that is rather certain of these regions, one per slice."""
    rest = (1 - certainty) / 3
    return np.where(np.eye(4)[list(regions)] > 0, certainty, rest)


def heart_answer(stack):
    """The classifier's answer for a stack of any length: a heart from base to apex, one stray slice in its middle."""
    slices = stack.shape[1]
    regions = np.array(HEART)[np.linspace(0, len(HEART) - 1, slices).round().astype(int)]
    if slices > 4:
        regions[slices // 2] = 1
    return certain(*regions, certainty=0.7)


def write_case(folder, name, shape=(6, 40, 36), *, empty=(), rim=0, seed=0, **geometry):
    """An image with some empty slices and an empty rim, which nnU-Net cuts off."""
    write_image(folder, name, shape, seed=seed, **geometry)
    path = folder / f"{name}_0000.nii.gz"
    image = SimpleITK.ReadImage(str(path))
    array = SimpleITK.GetArrayFromImage(image)
    array[list(empty)] = 0
    array[:, :rim] = array[:, :, : 2 * rim] = 0
    changed = SimpleITK.GetImageFromArray(array)
    changed.CopyInformation(image)
    SimpleITK.WriteImage(changed, str(path))


def table_of(out, case=None):
    """The rows of the table of all cases, or of one."""
    return read_region_table(out / "regions.csv" if case is None else out / "regions" / f"{case}.csv")
