"""Paper 001: infarct and no-reflow with attention, automatic class weights and a neighbourhood penalty, row by row."""

from __future__ import annotations

from types import MappingProxyType

from nnunet_cardiac_ext.recipes.kinds import ModelRecipe, Recipe, TableRecipe

BASELINE = "baseline"
_SCORES = "nnunet_cardiac_ext.reproduce.score_tables"
_LABELS = ("LV", "MYO", "INFARCT", "NOREFLOW")
_CHALLENGE = ("dice", "volume_difference", "relative_volume_difference", "hd")
_PRESET = "anatomy-prior"
_TRAINERS = (
    (BASELINE, "Baseline", "AnatomyPriorBaselineTrainer"),
    ("attention", "Attention", "AnatomyPriorAttentionTrainer"),
    ("awce_penalty", "Attention, AWCE and penalty", ""),
    ("awce", "Attention and AWCE", "AnatomyPriorAWCETrainer"),
)

ANATOMY_PRIOR = Recipe(
    paper="001",
    data_set="emidec",
    configuration="2d",
    models=(
        *(ModelRecipe(name, title, _PRESET, other_trainer=trainer) for name, title, trainer in _TRAINERS),
        ModelRecipe(
            "awce_no_mixup", "Attention and AWCE without mixup", _PRESET, {"mixup_probability": "0"},
            other_trainer="AnatomyPriorAWCETrainer", extra=True,
        ),
        ModelRecipe("nnunet", "nnU-Net's own training, as long", "baseline", extra=True),
    ),
    tables=(
        TableRecipe(
            "table1", "Table 1: DSC of each label", f"{_SCORES}.scores", ("model", "structure"), "001_table1.csv",
            "Dice in 3-D of the validation cases of all folds and seeds together; SD over cases, with n - 1; n counts "
            "the cases that have a Dice: one whose reference and prediction both lack a label has none. MYO is the "
            "healthy myocardium. The paper's numbers are of validation slices whose patients are in the training part "
            "too, and it does not say what it takes the SD over; with a data set of slices (convert emidec --split "
            "slices) the cases here are slices as well.",
            options=MappingProxyType({"metrics": ("dice",), "structures": _LABELS}),
        ),
        TableRecipe(
            "challenge", "Metrics of the EMIDEC challenge", f"{_SCORES}.scores", ("model", "structure"), "",
            "In the challenge's convention: Myocardium is healthy myocardium, infarct and no-reflow, Infarction is "
            "infarct and no-reflow. Dice 1 where both masks are empty, 0 where one is; volume difference in mm3; the "
            "relative one is over the volume of the reference's myocardium; the Hausdorff distance mixes up the axes "
            "of slices and columns and is that of the published tables, no true length.",
            options=MappingProxyType({"metrics": _CHALLENGE, "convention": "emidec"}),
        ),
        TableRecipe(
            "tests", "Differences to the baseline", f"{_SCORES}.score_tests", ("model", "structure", "metric"), "",
            "Mean Dice of the row minus that of the baseline, over the cases that both have a Dice of (of several "
            "seeds: the case's mean over them). p: two-sided Wilcoxon signed-rank test over these cases, p_holm and "
            "p_bh corrected for all tests of this table (Holm; Benjamini and Hochberg). The paper has no tests.",
            options=MappingProxyType(
                {"metrics": ("dice",), "structures": _LABELS, "against": BASELINE, "test": "wilcoxon"}
            ),
        ),
        TableRecipe(
            "seeds", "Table 1 by seed", f"{_SCORES}.score_seeds", ("model", "structure", "metric"), "",
            "Mean Dice over the cases of each seed (all folds); then mean and SD (n - 1) of these over the seeds.",
            options=MappingProxyType({"metrics": ("dice",), "structures": _LABELS}),
        ),
    ),
    evaluation=("--convention", "nnunet-cardiac", "emidec", "--metrics", ",".join(_CHALLENGE)),
    smoke_phantoms=("--testing", "0"),
    smoke_models=(BASELINE, "awce_penalty"),
    smoke_settings=MappingProxyType(
        {
            "features": "4,8,16", "patch_size": "64,64", "batch_size": "4", "num_epochs": "1",
            "iterations_per_epoch": "10", "val_iterations_per_epoch": "2", "augmentation": "none",
            "mirroring": "false",
        }
    ),
    # The paper's are in the preset; nnU-Net's own training gets the same number of batches of the same size.
    paper_settings=MappingProxyType(
        {
            "num_epochs": "400", "iterations_per_epoch": "40", "val_iterations_per_epoch": "5", "batch_size": "16",
        }
    ),
)  # fmt: skip
