"""The trainers that nnU-Net finds by their names."""

from __future__ import annotations

from collections.abc import Mapping

from nnunet_cardiac_ext.registry.kinds import Trainer, by_name

TRAINERS: Mapping[str, Trainer] = by_name(
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
