"""A stock 3D configuration for the tiny data set, whose stacks serve 2D and 3D alike."""

import copy
import json

# Anisotropic, as nnU-Net plans short-axis stacks: slices are halved late, the first level convolves within them.
STRIDES = [[1, 1, 1], [1, 2, 2], [2, 2, 2]]
KERNELS = [[1, 3, 3], [3, 3, 3], [3, 3, 3]]
PATCH = [4, 16, 16]
SPACING = [10.0, 1.5, 1.5]


def with_3d_configuration(plans):
    """The plans of `tiny_plans` with a configuration 3d_fullres of the same preprocessed data."""
    plans = copy.deepcopy(plans)
    volume = copy.deepcopy(plans["configurations"]["2d"])
    volume |= {"patch_size": PATCH, "spacing": SPACING, "median_image_size_in_voxels": [6.0, 32.0, 32.0]}
    volume |= {"batch_dice": False}
    volume["architecture"]["arch_kwargs"] |= {
        "conv_op": "torch.nn.modules.conv.Conv3d",
        "norm_op": "torch.nn.modules.instancenorm.InstanceNorm3d",
        "kernel_sizes": KERNELS,
        "strides": STRIDES,
    }
    plans["configurations"]["3d_fullres"] = volume
    return plans


def add_3d_configuration(preprocessed):
    """Write it into the plans file of a preprocessed data set."""
    path = preprocessed / "nnUNetPlans.json"
    path.write_text(json.dumps(with_3d_configuration(json.loads(path.read_text()))))
