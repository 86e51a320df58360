"""Paper 003: CroCNet, its first stage alone, its second stage without specialists, U-Net and residual U-Net."""

from __future__ import annotations

from types import MappingProxyType

from nnunet_cardiac_ext.recipes.kinds import ModelRecipe, Recipe, TableRecipe

# Of the convention `crocnet`: slice by slice, then the mean over the slices of an image (the long axis has one).
METRICS = ("dice", "hd_2d", "hd95_2d", "hd95_2d_pixels")
BOTH, SINGLE = "crocnet", "crocnet_single"
_SCORES = "nnunet_cardiac_ext.reproduce.score_tables"
_OPTIONS = {"metrics": METRICS, "percent": ("dice",), "convention": "crocnet"}
_DEFINITION = (
    "2-D, slice by slice, then the mean over the slices of an image; of the images of all folds and seeds together; SD "
    "over images, with n - 1; Dice in per cent. hd_2d is the largest distance of the contours in mm, hd95_2d their "
    "95th percentile in mm, hd95_2d_pixels the same in pixels: undefined where the prediction is empty. The paper's "
    "hd_as_printed stands under the heading HD (mm); its published script computes hd95_2d_pixels."
)

CROCNET = Recipe(
    paper="003",
    data_set="mnms2",
    configuration="2d",
    models=(
        ModelRecipe("unet", "U-Net", "baseline", {"network": "unet", "features": "32,64,128,256,512"}),
        ModelRecipe(
            "residual_unet", "Residual U-Net", "baseline",
            {"network": "residual-unet", "features": "32,64,128,256,512"},
        ),
        ModelRecipe("e2a_unet", "E-2AUNet: stage 1 alone", "e2a-unet"),
        ModelRecipe(SINGLE, "CroCNet, single network in stage 2", BOTH, other_trainer="CroCNetSingleTrainer"),
        ModelRecipe(BOTH, "CroCNet", BOTH),
        ModelRecipe(
            "crocnet_released", "CroCNet with the released blocks in stage 2", BOTH, {"design": "released"}, extra=True
        ),
    ),
    tables=(
        TableRecipe(
            "table1", "Table 1: comparison of networks", f"{_SCORES}.scores", ("model", "structure"), "003_table1.csv",
            _DEFINITION, rows=("unet", "residual_unet", "e2a_unet", BOTH, "crocnet_released"),
            options=MappingProxyType(_OPTIONS),
        ),
        TableRecipe(
            "table2", "Table 2: stage 2", f"{_SCORES}.scores", ("model", "structure"), "003_table2.csv", _DEFINITION,
            rows=(SINGLE, BOTH), options=MappingProxyType(_OPTIONS),
        ),
        TableRecipe(
            "figure5", "Figure 5: parameters and Dice", "nnunet_cardiac_ext.reproduce.parameter_figure.size_and_score",
            ("model",), "",
            "Number of trainable parameters; mean over the structures of the mean Dice over the images of all folds "
            "and seeds, in per cent, NaN left out. The paper prints no numbers beside its figure.",
            options=MappingProxyType(_OPTIONS | {"metrics": ("dice",)}),
        ),
        TableRecipe(
            "tests", "Differences to CroCNet", f"{_SCORES}.score_tests", ("model", "structure", "metric"), "",
            "Mean of the row's value minus that of CroCNet, over the images that both have a value of (of several "
            "seeds: the image's mean over them). p: two-sided Wilcoxon signed-rank test, p_holm and p_bh corrected for "
            "all tests of this table (Holm; Benjamini and Hochberg). It takes images as independent, which the two "
            "phases of one subject are not: p come out too small. The paper has no test.",
            options=MappingProxyType(_OPTIONS | {"against": BOTH, "test": "wilcoxon"}),
        ),
        TableRecipe(
            "seeds", "Seeds", f"{_SCORES}.score_seeds", ("model", "structure", "metric"), "",
            "Mean over the images of each seed, then mean and SD (n - 1) of these means over the seeds.",
            options=MappingProxyType(_OPTIONS | {"metrics": ("dice", "hd_2d")}),
        ),
    ),
    evaluation=("--convention", "nnunet-cardiac", "crocnet"),
    smoke_phantoms=("--view", "la", "--frames", "3", "--validation", "0", "--testing", "0"),
    smoke_conversion=("--view", "la"),
    smoke_models=("unet", "e2a_unet", SINGLE, BOTH),
    smoke_settings=MappingProxyType(
        {
            "num_epochs": "1", "iterations_per_epoch": "8", "val_iterations_per_epoch": "2", "batch_size": "2",
            "patch_size": "64,64", "features": "4,8,16", "augmentation": "none", "mirroring": "false",
            "optimizer": "adam", "initial_lr": "0.003", "weight_decay": "0", "deep_supervision": "false",
            **{
                f"{model}.{key}": value
                for model in (SINGLE, BOTH, "crocnet_released")
                for key, value in (("specialist_features", "4,8,16"), ("crop_size", "32"), ("margin", "4"))
            },
        }
    ),
    # Those of CroCNet are in its preset; the paper trains all rows alike.
    paper_settings=MappingProxyType(
        {
            "num_epochs": "500", "iterations_per_epoch": "72", "val_iterations_per_epoch": "18", "optimizer": "adam",
            "initial_lr": "1e-4", "weight_decay": "0", "schedule": "steps", "step_epochs": "100,200",
            "step_factor": "0.1", "deep_supervision": "false", "augmentation": "one-of", "batch_size": "8",
        }
    ),
)  # fmt: skip
