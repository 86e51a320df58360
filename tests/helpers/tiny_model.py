"""A model folder as nnU-Net leaves it after training, with random weights, and images to predict with it."""

import copy
import json
from pathlib import Path

import numpy as np
import SimpleITK
import torch
from helpers.tiny_plans import tiny_dataset_json, tiny_plans
from nnunetv2.training.nnUNetTrainer.nnUNetTrainer import nnUNetTrainer
from nnunetv2.utilities.plans_handling.plans_handler import PlansManager
from scipy.ndimage import gaussian_filter

REGIONS = {"background": 0, "heart": [1, 2, 3], "left": [2, 3], "LV": 3}


def write_tiny_model(
    results,
    *,
    folds=(0,),
    mirror_axes=(0, 1),
    channels=1,
    labels=None,
    patch_size=(32, 32),
    three_d=False,
    trainer=nnUNetTrainer,
    configuration=None,
    seed=0,
    edit=None,
):
    """Write `nnUNetTrainer__nnUNetPlans__2d` with a checkpoint per fold below `results`/Dataset999_Tiny; returns it.

    Weights depend on `seed` and fold. `edit` is called with the plans; a `configuration` other than nnU-Net's inherits
    2d.
    """
    plans = _plans(channels, patch_size, three_d=three_d)
    configuration = configuration or ("3d_fullres" if three_d else "2d")
    plans["configurations"].setdefault(configuration, {"inherits_from": "2d"})
    if edit:
        edit(plans)
    dataset = tiny_dataset_json() | {"channel_names": {str(c): f"channel{c}" for c in range(channels)}}
    if labels is not None:
        dataset["labels"] = labels
    if any(isinstance(value, list) for value in dataset["labels"].values()):
        dataset["regions_class_order"] = [1, 2, 3]
    folder = Path(results) / "Dataset999_Tiny" / f"{trainer.__name__}__nnUNetPlans__{configuration}"
    for fold in folds:
        (folder / f"fold_{fold}").mkdir(parents=True)
        checkpoint = {
            "network_weights": _weights(
                trainer, plans, configuration, dataset, seed=100 * seed + (99 if fold == "all" else fold)
            ),
            "trainer_name": trainer.__name__,
            "init_args": {"configuration": configuration},
            "inference_allowed_mirroring_axes": mirror_axes or None,
        }
        torch.save(checkpoint, folder / f"fold_{fold}" / "checkpoint_final.pth")
    (folder / "plans.json").write_text(json.dumps(plans))
    (folder / "dataset.json").write_text(json.dumps(dataset))
    return folder


def write_image(folder, name, shape, *, spacing=(10.0, 1.5, 1.5), channels=1, seed=0):
    """Write a smooth random image as `NAME_0000.nii.gz`, ...; spacing and shape are (slice, row, column)."""
    folder.mkdir(parents=True, exist_ok=True)
    generator = np.random.default_rng(seed)
    for channel in range(channels):
        noise = gaussian_filter(generator.normal(100, 30, shape), (0, 3, 3))
        image = SimpleITK.GetImageFromArray(noise.astype(np.float32))
        image.SetSpacing([float(value) for value in reversed(spacing)])
        image.SetOrigin([3.0, -2.0, 7.0])
        SimpleITK.WriteImage(image, str(folder / f"{name}_{channel:04d}.nii.gz"))


def _plans(channels, patch_size, *, three_d):
    plans = copy.deepcopy(tiny_plans())
    intensities = plans["foreground_intensity_properties_per_channel"]["0"]
    plans["foreground_intensity_properties_per_channel"] = {str(c): intensities for c in range(channels)}
    stock = plans["configurations"]["2d"]
    stock["patch_size"] = list(patch_size)
    stock["normalization_schemes"] = ["ZScoreNormalization"] * channels
    stock["use_mask_for_norm"] = [False] * channels
    if three_d:
        volume = copy.deepcopy(stock) | {"patch_size": [4, 32, 32], "spacing": [10.0, 1.5, 1.5]}
        arguments = volume["architecture"]["arch_kwargs"]
        arguments["conv_op"] = "torch.nn.modules.conv.Conv3d"
        arguments["norm_op"] = "torch.nn.modules.instancenorm.InstanceNorm3d"
        arguments["kernel_sizes"] = [[1, 3, 3]] * 3
        arguments["strides"] = [[1, 1, 1], [1, 2, 2], [1, 2, 2]]
        plans["configurations"]["3d_fullres"] = volume
    return plans


def _weights(trainer, plans, configuration, dataset, *, seed):
    torch.manual_seed(seed)
    manager = PlansManager(plans)
    heads = manager.get_label_manager(dataset).num_segmentation_heads
    network = trainer.build_network_architecture(
        manager, manager.get_configuration(configuration), len(dataset["channel_names"]), heads, False
    )
    for name, weight in network.state_dict().items():
        # Random heads with spread make all labels occur; with the initial ones one label fills the image.
        if "seg_layers" in name:
            weight.copy_(torch.randn_like(weight) * (0.5 if weight.ndim > 1 else 0.1))
    return network.state_dict()
