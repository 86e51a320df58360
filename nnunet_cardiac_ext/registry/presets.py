"""The configurations that `nnunet-cardiac plan --preset` writes."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from nnunet_cardiac_ext.registry.kinds import Preset, PresetGroup, by_name

# Training of paper 003. An epoch is one pass over its 288 of 360 subjects at two phases, 8 images at a time.
_CROCNET_SETTINGS: Mapping[str, Any] = MappingProxyType(
    {
        "num_epochs": 500,
        "iterations_per_epoch": 72,
        "val_iterations_per_epoch": 18,
        "optimizer": "adam",
        "initial_lr": 1e-4,
        "weight_decay": 0.0,
        "schedule": "steps",
        "step_epochs": (100, 200),
        "step_factor": 0.1,
        "deep_supervision": False,
        "augmentation": "one-of",
    }
)

# Paper 004.
_ADAM_200 = MappingProxyType(
    {
        "num_epochs": 200, "optimizer": "adam", "initial_lr": 1e-4, "weight_decay": 0.0, "schedule": "none",
        "deep_supervision": False,
    }
)  # fmt: skip

PRESETS: Mapping[str, Preset] = by_name(
    Preset("baseline", "CardiacTrainer", "2d", "2d_baseline", "nnU-Net's own 2D training, open to --set"),
    Preset("baseline-3d", "CardiacTrainer", "3d_fullres", "3d_baseline", "nnU-Net's own 3D training, open to --set"),
    Preset(
        "attention-mnet",
        "AttMnetDDLTrainer",
        "3d_fullres",
        "3d_attention_mnet",
        "attention M-net on patches of 36 x 96 x 96, distance-derived loss",
        # An epoch of the paper is one pass over 700 volumes for training and 200 for validation, 8 at a time.
        settings=MappingProxyType(
            {
                "num_epochs": 150,
                "iterations_per_epoch": 88,
                "val_iterations_per_epoch": 25,
                "optimizer": "adam",
                "initial_lr": 1e-4,
                "weight_decay": 0.0,
                "schedule": "plateau",
                "plateau_patience": 8,
                "plateau_factor": 0.5,
                "plateau_min_delta": 1e-4,
                "augmentation": "rigid",
                "gdl_weight": 1.0,
                "bce_weight": 1.0,
                "ddl_weight": 3.0,
            }
        ),
        overrides=MappingProxyType({"network": "attention-mnet", "patch_size": (36, 96, 96), "batch_size": 8}),
    ),
    Preset(
        "anatomy-prior",
        "AnatomyPriorTrainer",
        "2d",
        "2d_anatomy_prior",
        "infarct and no-reflow: batches of 16, Adam, pathology mixup; serves the ablations too",
        # An epoch of the paper is one pass over 639 slices for training and 69 for validation, 16 at a time.
        settings=MappingProxyType(
            {
                "num_epochs": 400,
                "iterations_per_epoch": 40,
                "val_iterations_per_epoch": 5,
                "optimizer": "adam",
                "initial_lr": 0.01,
                "weight_decay": 0.0,
                "schedule": "exponential",
                "final_lr": 1e-6,
                "deep_supervision": False,
                "mixup_probability": 0.5,
            }
        ),
        overrides=MappingProxyType({"batch_size": 16}),
    ),
    Preset(
        "region-sampling",
        "RegionSamplingTrainer",
        "2d",
        "2d_region_sampling",
        "region-aware slice sampling, ratio 20",
        settings=MappingProxyType({"sampling_ratio": 20.0}),
    ),
    Preset(
        "region-classifier",
        "RegionClassifierTrainer",
        "2d",
        "2d_region_classifier",
        "classifier of slice regions, DenseNet121, batches of 32 whole slices",
        settings=MappingProxyType(
            {
                "backbone": "densenet121",
                "optimizer": "adam",
                "initial_lr": 5e-4,
                "weight_decay": 0.0,
                "deep_supervision": False,
            }
        ),
        overrides=MappingProxyType({"batch_size": 32}),
        unet=False,
    ),
    *(
        Preset(
            f"region-{region}",
            f"{region.capitalize()}RegionTrainer",
            "2d",
            f"2d_region_{region}",
            f"2D training on slices of the {region} only",
        )
        for region in ("base", "middle", "apex")
    ),
    *(
        Preset(
            network,
            trainer,
            "2d",
            configuration,
            summary,
            settings=_CROCNET_SETTINGS,
            overrides=MappingProxyType({"network": network, "batch_size": 8}),
        )
        for network, trainer, configuration, summary in (
            ("e2a-unet", "E2AUNetTrainer", "2d_e2a_unet", "stage 1 of CroCNet by itself"),
            ("crocnet", "CroCNetTrainer", "2d_crocnet", "CroCNet, both stages together; serves its two ablations too"),
        )
    ),
    Preset(
        "sk-unet",
        "SKUNetTrainer",
        "2d",
        "2d_sk_unet",
        "U-Net with selective kernels on single slices of 1.3 mm pixels",
        settings=_ADAM_200,
        overrides=MappingProxyType({"network": "sk-unet", "spacing": (1.3, 1.3)}),
    ),
    Preset(
        "all-slice",
        "ClassifierGuidedTrainer",
        "2d",
        "stack_all_slice",
        "classifier-guided network on whole stacks of 1.3 mm pixels, 4 stacks a batch",
        settings=_ADAM_200,
        overrides=MappingProxyType({"network": "classifier-guided", "spacing": (1.3, 1.3), "batch_size": 4}),
        stack_slices=24,
    ),
)

PRESET_GROUPS: Mapping[str, PresetGroup] = by_name(
    PresetGroup(
        "region-cascade",
        "2d_cascade",
        MappingProxyType(
            {
                "baseline": "baseline", "classifier": "region-classifier", "base": "region-base",
                "middle": "region-middle", "apex": "region-apex",
            }
        ),
        "all models of the region cascade at once",
    ),
)  # fmt: skip
