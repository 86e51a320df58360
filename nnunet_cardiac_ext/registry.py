"""What exists: papers, data sets, trainers, presets and pipelines. Feeds the command line, the docs and the tests.

Only what works is listed. Importing this module loads neither torch nor nnU-Net.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any


@dataclass(frozen=True)
class Paper:
    """A paper whose method is offered."""

    number: str
    title: str
    authors: str


@dataclass(frozen=True)
class DataSet:
    """A data set that `nnunet-cardiac convert` reads and `nnunet-cardiac phantom` imitates.

    Attributes:
        name: What people type.
        title: Its proper name.
        package: Import path of the converter, with a function `convert`.
        phantom: Import path of the phantom writer, with a function `write_phantoms`.
        label_map: Key of `anatomy.LABEL_MAPS`.
        dataset_name: The part behind the number in nnU-Net's folder name (`Dataset027_ACDC`).
        summary: One line.
        page: Its page in docs/.
    """

    name: str
    title: str
    package: str
    phantom: str
    label_map: str
    dataset_name: str
    summary: str
    page: str


@dataclass(frozen=True)
class Trainer:
    """A trainer class that nnU-Net finds by its name.

    Attributes:
        name: Class name, what stands behind `-tr`.
        module: Import path of the module that defines it.
        paper: Number of its paper, or "" for what serves all of them.
        summary: One line.
        configuration: The stock configuration that it is made for.
        page: Its page in docs/.
    """

    name: str
    module: str
    paper: str
    summary: str
    configuration: str
    page: str


@dataclass(frozen=True)
class Preset:
    """A configuration that `nnunet-cardiac plan --preset` writes into a plans file.

    Attributes:
        name: What people type.
        trainer: Name of the trainer that it is meant for.
        inherits_from: The stock configuration that it builds on.
        configuration: Name of the configuration that is written, unless `--name` says otherwise.
        settings: Keys of the "cardiac" block.
        overrides: `plans.PLAN_KEYS`: what it changes in nnU-Net's own configuration (`batch_size`, `network`, ...).
        summary: One line.
        unet: Whether it trains nnU-Net's U-Net: `features`, `convolutions` and `norm` shape that, and the patch has to
            pass through its strides.
        stack_slices: Above 0 for presets of whole stacks: slices that a patch of nnUNetv2_predict holds, put before the
            patch of the 2D configuration that it inherits from. Slices are then neither resampled nor left out.
    """

    name: str
    trainer: str
    inherits_from: str
    configuration: str
    summary: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    overrides: Mapping[str, Any] = field(default_factory=dict)
    unet: bool = True
    stack_slices: int = 0


@dataclass(frozen=True)
class PresetGroup:
    """Several configurations, those of all models of a pipeline, that `plan --preset` writes at once.

    Attributes:
        name: What people type; the pipeline of the same name uses the models.
        configuration: What the names of the configurations begin with, unless `--name` says otherwise.
        members: Name of a preset by the part that its model plays; the configurations are PREFIX_PART.
        summary: One line.
    """

    name: str
    configuration: str
    members: Mapping[str, str]
    summary: str


@dataclass(frozen=True)
class Pipeline:
    """A way from images to segmentations, what stands behind `nnunet-cardiac predict`."""

    name: str
    module: str
    paper: str
    summary: str
    page: str


def _by_name(*items: Any) -> Mapping[str, Any]:
    return MappingProxyType({item.name: item for item in items})


PAPERS: Mapping[str, Paper] = MappingProxyType(
    {
        paper.number: paper
        for paper in (
            Paper(
                "000",
                "3D Attention M-net for Short-axis Left Ventricular Myocardium Segmentation in Mice MR Cardiac Images",
                "Huang et al.",
            ),
            Paper(
                "001",
                "Anatomy Prior Based U-net for Pathology Segmentation with Attention",
                "Zhou et al.",
            ),
            Paper(
                "002",
                "Improved AI-based Segmentation of Apical and Basal Slices from Clinical Cine CMR",
                "Mariscal-Harana et al.",
            ),
            Paper(
                "003",
                "Crop and Couple: Cardiac Image Segmentation Using Interlinked Specialist Networks",
                "Khan et al.",
            ),
            Paper(
                "004",
                "Enhancing Cardiac MRI Segmentation via Classifier-Guided Two-Stage Network and All-Slice Information "
                "Fusion Transformer",
                "Chen et al.",
            ),
        )
    }
)

DATA_SETS: Mapping[str, DataSet] = _by_name(
    DataSet(
        "acdc",
        "ACDC",
        "dataset_conversion.acdc",
        "nnunet_cardiac_ext.phantoms.acdc",
        "cine",
        "ACDC",
        "short-axis cine, ED and ES, five diagnosis groups",
        "docs/datasets/acdc.md",
    ),
    DataSet(
        "emidec",
        "EMIDEC",
        "dataset_conversion.emidec",
        "nnunet_cardiac_ext.phantoms.emidec",
        "lge",
        "EMIDEC",
        "short-axis late gadolinium enhancement: cavity, healthy myocardium, infarct, no-reflow",
        "docs/datasets/emidec.md",
    ),
    DataSet(
        "mnms",
        "M&Ms",
        "dataset_conversion.mnms",
        "nnunet_cardiac_ext.phantoms.mnms",
        "cine",
        "MNMs",
        "short-axis cine, ED and ES, four vendors and five centres",
        "docs/datasets/mnms.md",
    ),
    DataSet(
        "mnms2",
        "M&Ms-2",
        "dataset_conversion.mnms2",
        "nnunet_cardiac_ext.phantoms.mnms2",
        "cine",
        "MNMs2",
        "short-axis and 4-chamber long-axis cine, ED and ES, three vendors, eight groups",
        "docs/datasets/mnms2.md",
    ),
    DataSet(
        "mouse",
        "Mouse",
        "dataset_conversion.mouse",
        "nnunet_cardiac_ext.phantoms.mouse",
        "mouse",
        "Mouse",
        "short-axis cine of mice, myocardium of the left ventricle, from HDF5, Segment or NIfTI files",
        "docs/datasets/mouse.md",
    ),
)

TRAINERS: Mapping[str, Trainer] = _by_name(
    Trainer(
        "CardiacTrainer",
        "nnunet_cardiac_ext.trainers.base",
        "",
        "nnU-Net's own training with the settings of the plans' cardiac block: the baseline of every comparison",
        "2d",
        "docs/methods/settings.md",
    ),
    Trainer(
        "AttMnetDDLTrainer",
        "nnunet_cardiac_ext.trainers.attention_mnet",
        "000",
        "attention M-net with the distance-derived loss",
        "3d_fullres",
        "docs/methods/attention_mnet.md",
    ),
    Trainer(
        "AttMnetTrainer",
        "nnunet_cardiac_ext.trainers.attention_mnet",
        "000",
        "attention M-net without the distance-derived loss",
        "3d_fullres",
        "docs/methods/attention_mnet.md",
    ),
    *(
        Trainer(
            f"AnatomyPrior{row}Trainer",
            "nnunet_cardiac_ext.trainers.anatomy_prior",
            "001",
            summary,
            "2d",
            "docs/methods/anatomy_prior.md",
        )
        for row, summary in (
            ("", "attention U-Net, class weights made from the image, neighbourhood penalty, pathology mixup"),
            ("AWCE", "the same without the neighbourhood penalty"),
            ("Attention", "attention U-Net with plain cross-entropy, pathology mixup"),
            ("Baseline", "plain U-Net with plain cross-entropy, pathology mixup"),
        )
    ),
    Trainer(
        "RegionSamplingTrainer",
        "nnunet_cardiac_ext.trainers.region_sampling",
        "002",
        "basal and apical slices are drawn more often, by a quadratic law over the heart",
        "2d",
        "docs/methods/region_sampling.md",
    ),
    Trainer(
        "RegionClassifierTrainer",
        "nnunet_cardiac_ext.trainers.region_classifier",
        "002",
        "a classifier of whole slices into non-cardiac, base, middle and apex, seven backbones",
        "2d",
        "docs/methods/region_classifier.md",
    ),
    *(
        Trainer(
            f"{region}RegionTrainer",
            "nnunet_cardiac_ext.trainers.region_specific",
            "002",
            f"nnU-Net's 2D training on slices of {place} only",
            "2d",
            "docs/methods/region_specific.md",
        )
        for region, place in (("Base", "the base"), ("Middle", "the middle"), ("Apex", "the apex"))
    ),
    *(
        Trainer(name, "nnunet_cardiac_ext.trainers.crocnet", "003", summary, "2d", "docs/methods/crocnet.md")
        for name, summary in (
            ("E2AUNetTrainer", "a U-Net with efficient additive attention at every level: stage 1 of CroCNet alone"),
            ("CroCNetTrainer", "crop and couple: stage 1 finds the heart, coupled specialists redraw it"),
            ("CroCNetSingleTrainer", "CroCNet with one network in stage 2, without cross-attention"),
        )
    ),
    Trainer(
        "SKUNetTrainer",
        "nnunet_cardiac_ext.trainers.sk_unet",
        "004",
        "U-Net with selective-kernel convolutions on single slices",
        "2d",
        "docs/methods/classifier_guided.md",
    ),
    Trainer(
        "AllSliceFusionTrainer",
        "nnunet_cardiac_ext.trainers.classifier_guided",
        "004",
        "the same U-Net over whole stacks, whose slices inform each other through transformers",
        "3d_fullres",
        "docs/methods/classifier_guided.md",
    ),
    Trainer(
        "ClassifierGuidedTrainer",
        "nnunet_cardiac_ext.trainers.classifier_guided",
        "004",
        "all-slice fusion in two stages, the second guided by a classifier of what each slice holds",
        "3d_fullres",
        "docs/methods/classifier_guided.md",
    ),
)

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

PRESETS: Mapping[str, Preset] = _by_name(
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

PRESET_GROUPS: Mapping[str, PresetGroup] = _by_name(
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

PIPELINES: Mapping[str, Pipeline] = _by_name(
    Pipeline(
        "slices",
        "inference_pipelines.slice_predictor",
        "",
        "one 2D model over whole stacks, slices batched; the same labels as nnUNetv2_predict",
        "docs/pipelines/slices.md",
    ),
    Pipeline(
        "region-cascade",
        "inference_pipelines.region_cascade",
        "002",
        "each slice through a region classifier and then through the model of its region",
        "docs/pipelines/region_cascade.md",
    ),
    Pipeline(
        "crocnet",
        "inference_pipelines.crocnet",
        "003",
        "a first network finds the heart, coupled specialists redraw it in the crop",
        "docs/pipelines/crocnet.md",
    ),
    Pipeline(
        "classifier-guided",
        "inference_pipelines.classifier_guided",
        "004",
        "whole stacks through the classifier-guided network, with a table of what each slice holds",
        "docs/pipelines/classifier_guided.md",
    ),
)
