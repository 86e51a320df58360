"""The tables of paper 002 and what their numbers mean."""

from __future__ import annotations

from nnunet_cardiac_ext.recipes.kinds import TableRecipe

_SEGMENTED = "nnunet_cardiac_ext.reproduce.region_tables"
_CLASSIFIED = "nnunet_cardiac_ext.reproduce.classifier_tables"
_SLICES = (
    "Dice of each slice (2-D) in per cent: 0 where only one of reference and prediction has the structure, left out "
    "where both lack it. Regions are those of the reference, 20/60/20 of the segmented slices. The slices of all "
    "cases, folds and seeds are taken together; SD over slices, with n - 1. The paper does not say how it counts "
    "slices without the structure."
)
_TESTED = (
    " uncorrected as in the paper; p_holm and p_bh are corrected for all tests of this table (Holm; Benjamini and "
    "Hochberg). The test takes slices as independent, which those of one patient (and one slice under several seeds) "
    "are not: all p come out too small. The paper calls p < 0.01 significant."
)
_PROFILES = (
    "Dice per slice interpolated linearly to 101 points from base to apex, then the mean over the cases (of all folds "
    "and seeds) that have a value there: few where a structure ends early."
)

TABLES = (
    TableRecipe(
        "table1", "Table 1: Dice of the baseline by region", f"{_SEGMENTED}.table1",
        ("label", "region"), "002_table1.csv",
        _SLICES + " p: Welch's t-test of the region against the middle, over slices," + _TESTED,
    ),
    TableRecipe(
        "table2", "Table 2: classifiers of regions", f"{_CLASSIFIED}.table2",
        ("model", "region"), "002_table2.csv",
        "Over the slices of all validation cases, folds and seeds; the reference is the region of the labels, "
        "20/60/20. Precision of a region: share of the slices taken for it that are of it; recall: share of its "
        "slices that were found. Region all: the mean over the four regions weighted by their numbers of slices (so "
        "that recall equals the accuracy; a region that no slice was taken for counts with precision 0). Columns "
        "without a suffix: the region of the largest probability, as in the paper; with _ordered: all slices of a "
        "stack decoded together in the order of a heart; with _extent: the first and the last slice of the heart "
        "decoded, and the regions by the 20/60/20 rule between them. The paper's classifiers were trained and tested "
        "on patients of two NHS hospitals (3382 to train, 456 to test).",
    ),
    TableRecipe(
        "regions", "Accuracy of regions, and the Dice that follows", f"{_CLASSIFIED}.regions",
        ("model",), "",
        "Accuracy: share of all slices segmented by the model of their reference region (non-cardiac ones by the "
        "baseline); recall: the same of the slices of one region. Stacks in order: share of the stacks whose regions "
        "follow each other as in a heart. Empty where several models share a slice. Then the mean Dice in per cent "
        "over the slices of a structure in a region, as in Table 1.",
    ),
    TableRecipe(
        "table3", "Table 3: change of Dice against the baseline", f"{_SEGMENTED}.table3",
        ("model", "label", "region"), "002_table3.csv",
        _SLICES + " Only slices that both the row and the baseline have a Dice for count here. Change: the row's mean "
        "minus the baseline's, and the baseline's SD minus the row's (both positive where the row is better). p: "
        "paired t-test over these slices," + _TESTED + " False alarms: slices that hold the structure in the "
        "prediction only; those that the baseline leaves empty, and those of the baseline that the row leaves empty, "
        "have no pair and do not enter the change. The middle is not in the paper's table: it shows the price. "
        "The paper's batch sampling is sampling20 (the better of its two), its classification and segmentation is "
        "cascade.",
    ),
    TableRecipe(
        "seeds", "Table 3 by seed: mean and SD over the seeds", f"{_SEGMENTED}.seeds",
        ("model", "label", "region"), "",
        "Mean Dice in per cent over the slices of each seed (all folds), as in Table 1; then mean and SD (n - 1) of "
        "these means over the seeds. Change: the same of the differences to the baseline of the same seed, over the "
        "slices that both have a Dice for.",
    ),
    TableRecipe(
        "figure2", "Figure 2: Dice from base to apex", f"{_SEGMENTED}.figure2",
        ("model", "label", "position"), "",
        _PROFILES,
        rows=("baseline", "sampling20", "cascade", "cascade-reference"),
    ),
    TableRecipe(
        "figure2_tuned", "Figure 2 with region models from the baseline's weights", f"{_SEGMENTED}.figure2",
        ("model", "label", "position"), "", _PROFILES,
        rows=("baseline", "baseline_tuned", "cascade-tuned", "cascade-tuned-ordered", "cascade-tuned-reference"),
    ),
)  # fmt: skip
