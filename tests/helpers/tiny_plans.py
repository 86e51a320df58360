"""Smallest plans, dataset.json and data that nnU-Net's trainers accept: a 2D U-Net of three stages on one channel.

Not two stages: then nnU-Net's deep supervision gives its only output the weight 0 / 0 and the loss is NaN.
"""

import json

import numpy as np
from nnunetv2.preprocessing.preprocessors.default_preprocessor import DefaultPreprocessor
from nnunetv2.training.dataloading.nnunet_dataset import nnUNetDatasetBlosc2


def tiny_plans(**cardiac):
    """Plans with the configurations `2d` and `2d_test`, which inherits it and holds `cardiac` as its settings block."""
    kernels = {"kernel_sizes": [[3, 3]] * 3, "strides": [[1, 1], [2, 2], [2, 2]]}
    architecture = {
        "network_class_name": "dynamic_network_architectures.architectures.unet.PlainConvUNet",
        "arch_kwargs": kernels
        | {
            "n_stages": 3,
            "features_per_stage": [4, 8, 8],
            "n_conv_per_stage": [1, 1, 1],
            "n_conv_per_stage_decoder": [1, 1],
            "conv_op": "torch.nn.modules.conv.Conv2d",
            "conv_bias": True,
            "norm_op": "torch.nn.modules.instancenorm.InstanceNorm2d",
            "norm_op_kwargs": {"eps": 1e-5, "affine": True},
            "dropout_op": None,
            "dropout_op_kwargs": None,
            "nonlin": "torch.nn.LeakyReLU",
            "nonlin_kwargs": {"inplace": True},
        },
        "_kw_requires_import": ["conv_op", "norm_op", "dropout_op", "nonlin"],
    }
    resampling = {
        f"resampling_fn_{kind}": "resample_data_or_seg_to_shape" for kind in ("data", "seg", "probabilities")
    } | {
        "resampling_fn_data_kwargs": {"is_seg": False, "order": 3, "order_z": 0, "force_separate_z": None},
        "resampling_fn_seg_kwargs": {"is_seg": True, "order": 1, "order_z": 0, "force_separate_z": None},
        "resampling_fn_probabilities_kwargs": {"is_seg": False, "order": 1, "order_z": 0, "force_separate_z": None},
    }
    stock = resampling | {
        "data_identifier": "nnUNetPlans_2d",
        "preprocessor_name": "DefaultPreprocessor",
        "batch_size": 2,
        "patch_size": [32, 32],
        "median_image_size_in_voxels": [32.0, 32.0],
        "spacing": [1.5, 1.5],
        "normalization_schemes": ["ZScoreNormalization"],
        "use_mask_for_norm": [False],
        "batch_dice": True,
        "architecture": architecture,
    }
    intensities = dict.fromkeys(("max", "mean", "median", "min", "percentile_00_5", "percentile_99_5", "std"), 1.0)
    return {
        "dataset_name": "Dataset999_Tiny",
        "plans_name": "nnUNetPlans",
        "original_median_spacing_after_transp": [10.0, 1.5, 1.5],
        "original_median_shape_after_transp": [6, 32, 32],
        "image_reader_writer": "SimpleITKIO",
        "transpose_forward": [0, 1, 2],
        "transpose_backward": [0, 1, 2],
        "experiment_planner_used": "ExperimentPlanner",
        "label_manager": "LabelManager",
        "foreground_intensity_properties_per_channel": {"0": intensities},
        "configurations": {"2d": stock, "2d_test": {"inherits_from": "2d", "cardiac": dict(cardiac)}},
    }


def tiny_dataset_json():
    """A `dataset.json` of a cine data set in the canonical labels, without cases."""
    return {
        "channel_names": {"0": "cine"},
        "labels": {"background": 0, "RV": 1, "MYO": 2, "LV": 3},
        "numTraining": 0,
        "file_ending": ".nii.gz",
    }


def write_tiny_dataset(preprocessed, *, cases=4, slices=6, seed=0, **cardiac):
    """Preprocessed stacks of Dataset999_Tiny below nnUNet_preprocessed, ready for a trainer; returns its folder.

    Each stack holds one empty slice at either end and nested squares (RV, MYO, LV) that shrink towards the last slice.
    """
    folder = preprocessed / "Dataset999_Tiny"
    stacks = folder / "nnUNetPlans_2d"
    stacks.mkdir(parents=True)
    (folder / "nnUNetPlans.json").write_text(json.dumps(tiny_plans(**cardiac)))
    (folder / "dataset_fingerprint.json").write_text("{}")
    (folder / "dataset.json").write_text(json.dumps(tiny_dataset_json()))
    names = [f"case{index}" for index in range(cases)]
    splits = [{"train": names[1:], "val": names[:1]}] * 5
    (folder / "splits_final.json").write_text(json.dumps(splits))
    random = np.random.default_rng(seed)
    labels = _shrinking_heart(slices)
    locations = DefaultPreprocessor._sample_foreground_locations(labels[None], [1, 2, 3])
    for name in names:
        image = (labels + random.normal(0, 0.5, labels.shape)).astype(np.float32)
        layout = {"chunks": (1, *labels.shape), "blocks": (1, *labels.shape)}
        properties = {"class_locations": locations, "spacing": [10.0, 1.5, 1.5]}
        nnUNetDatasetBlosc2.save_case(image[None], labels[None], properties, str(stacks / name), **layout)
    return folder


def _shrinking_heart(slices):
    labels = np.zeros((slices, 32, 32), dtype=np.int16)
    for index in range(1, slices - 1):
        half = 10 - 6 * (index - 1) // max(1, slices - 3)
        labels[index, 16 - half : 16 + half, 6 - half // 2 : 16] = 1
        labels[index, 16 - half : 16 + half, 16 - half // 2 : 20 + half] = 2
        labels[index, 18 - half : 14 + half, 18 - half // 2 : 18 + half] = 3
    return labels
