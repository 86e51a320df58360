"""Paper 000: attention M-net with and without the distance-derived loss, and the networks of its Table I."""

from __future__ import annotations

from types import MappingProxyType

from nnunet_cardiac_ext.recipes.kinds import ModelRecipe, Recipe, TableRecipe

METRICS = ("dice", "jaccard", "hd_pixels", "hd", "sensitivity", "specificity", "ppv", "npv")
BEST = "att_mnet_ddl"
_SCORES = "nnunet_cardiac_ext.reproduce.score_tables"
_PATCH = {"patch_size": "36,96,96"}
_DEFINITION = (
    "All in 3-D, of the cases of all folds and seeds together; SD over cases, with n - 1; a column n counts the values "
    "of a metric that some case has none of. hd is the largest distance of the surfaces in mm, hd_pixels the same on a "
    "grid of unit cubes: they are undefined where the prediction is empty. Specificity and NPV count the whole image, "
    "so they depend on its size."
)

ATTENTION_MNET = Recipe(
    paper="000",
    data_set="mouse",
    configuration="3d_fullres",
    models=(
        ModelRecipe(
            "unet3d", "3D U-Net", "baseline-3d", {"network": "unet", "features": "32,64,128,256,576"} | _PATCH
        ),
        # 288 slices are 8 stacks of 36: as many voxels in a batch as the other rows have.
        ModelRecipe(
            "unet2d", "2D U-Net", "baseline",
            {"network": "unet", "features": "57,114,228,456,924", "patch_size": "96,96", "batch_size": "288"},
        ),
        ModelRecipe(
            "deepmedic", "DeepMedic", "baseline-3d",
            {"network": "deepmedic", "features": "184,184,245,245,245,245,306,306"} | _PATCH,
        ),
        ModelRecipe(
            "fcn", "3D FCN", "baseline-3d", {"network": "fcn", "features": "55,110,220,439"} | _PATCH
        ),
        ModelRecipe(
            "att_mnet", "Attention M-net", "attention-mnet", {"ddl_weight": "0"}, other_trainer="AttMnetTrainer"
        ),
        ModelRecipe(BEST, "Attention M-net with the distance-derived loss", "attention-mnet"),
        *(
            ModelRecipe(
                f"{BEST}_{gate}_gate", f"Attention M-net with the distance-derived loss, {title}", "attention-mnet",
                {"gate": gate}, extra=True,
            )
            for gate, title in (("spatial", "spatial gates"), ("channel", "channel gates"), ("none", "no gates"))
        ),
    ),
    tables=(
        TableRecipe(
            "table1", "Table I: networks of one size", f"{_SCORES}.scores", ("model", "structure"), "000_table1.csv",
            _DEFINITION + " The paper has mice of its own, and does not say whether it takes means over volumes or "
            "slices; behind its Hausdorff distance in pixels stands that in mm.",
            options=MappingProxyType({"metrics": METRICS, "parameters": True}),
        ),
        TableRecipe(
            "tests", "Differences to the attention M-net with the distance-derived loss", f"{_SCORES}.score_tests",
            ("model", "structure", "metric"), "",
            "Mean of the row's value minus that of the attention M-net with the distance-derived loss, over the cases "
            "that both have a value of (of several seeds: the case's mean over them). p: two-sided Wilcoxon rank-sum "
            "test as in the paper, p_holm and p_bh corrected for all tests of this table (Holm; Benjamini and "
            "Hochberg). It takes cases as independent, which two phases of one animal are not: p come out too small.",
            options=MappingProxyType({"metrics": METRICS, "against": BEST, "test": "ranksum"}),
        ),
        TableRecipe(
            "seeds", "Seeds", f"{_SCORES}.score_seeds", ("model", "structure", "metric"), "",
            "Mean over the cases of each seed, then mean and SD (n - 1) of these means over the seeds.",
            options=MappingProxyType({"metrics": ("dice", "hd_pixels")}),
        ),
    ),
    evaluation=("--metrics", ",".join(METRICS)),
    smoke_phantoms=("--time-points", "1", "--frames", "3", "--matrix", "128"),
    smoke_models=("unet3d", "att_mnet", BEST),
    smoke_settings=MappingProxyType(
        {
            "num_epochs": "1", "iterations_per_epoch": "10", "val_iterations_per_epoch": "2", "batch_size": "2",
            "patch_size": "8,64,64", "features": "4,8,16", "augmentation": "none", "mirroring": "false",
            "optimizer": "adam", "initial_lr": "0.003", "weight_decay": "0",
            "unet2d.patch_size": "64,64", "unet2d.batch_size": "16", "deepmedic.features": "4,4,4,4,4,4,8,8",
        }
    ),
    # Those of the attention M-net are in its preset; the paper trains all rows, each with its own loss.
    paper_settings=MappingProxyType(
        {
            "optimizer": "adam", "initial_lr": "1e-4", "weight_decay": "0", "schedule": "plateau",
            "plateau_patience": "8", "plateau_factor": "0.5", "num_epochs": "150", "iterations_per_epoch": "88",
            "val_iterations_per_epoch": "25", "augmentation": "rigid", "batch_size": "8",
        }
    ),
)  # fmt: skip
