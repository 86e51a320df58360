"""Paper 004: single slices and whole stacks, one and two stages, with and without a classifier of what is there."""

from __future__ import annotations

from types import MappingProxyType

from nnunet_cardiac_ext.recipes.kinds import ModelRecipe, Recipe, TableRecipe

PROPOSED = "as_seg_ref_mt"
DETECTION = "det_seg"
REGIONS = ("base", "middle", "apex")
COUNTS = ("extra_pieces", "extra_holes", "false_slices", "missed_slices")
_SCORES = "nnunet_cardiac_ext.reproduce.score_tables"
_DICE = (
    "Dice over the voxels of the slices of a region (thirds of the segmented slices of the reference) of each case, "
    "0 where only one of reference and prediction has the structure there, left out where both lack it; mean and SD "
    "(n - 1) over the cases of all folds and seeds. The paper does not say how it takes means, and its test patients "
    "are those of ACDC and of a hospital of its own together: its columns stand beside those of ACDC alone. Its "
    "average Dice is the mean of the three structures."
)


def _row(name: str, title: str, *, fusion: bool, refinement: bool, presence: bool) -> ModelRecipe:
    parts = {"fusion": fusion, "refinement": refinement, "presence": presence}
    settings = {key: "true" if on else "false" for key, on in parts.items()}
    # nnU-Net's own prediction would ask the classifier of each tile; the pipeline asks once for the whole slice.
    return ModelRecipe(name, title, "all-slice", settings, pipeline="classifier-guided" if presence else "")


_ABLATION = (
    _row("ss_seg", "Seg (SS): SS SK-UNet", fusion=False, refinement=False, presence=False),
    _row("ss_seg_ref", "Seg (SS) + Ref (SS w/o MT)", fusion=False, refinement=True, presence=False),
    _row("ss_seg_ref_mt", "Seg (SS) + Ref (SS w/ MT)", fusion=False, refinement=True, presence=True),
    _row("as_seg", "Seg (AS): AS After-UNet", fusion=True, refinement=False, presence=False),
    _row("as_seg_mt", "Seg (AS + MT)", fusion=True, refinement=False, presence=True),
    _row("as_seg_ref", "Seg (AS) + Ref (AS w/o MT)", fusion=True, refinement=True, presence=False),
    _row(PROPOSED, "Seg (AS) + Ref (AS w/ MT): proposed", fusion=True, refinement=True, presence=True),
)

CLASSIFIER_GUIDED = Recipe(
    paper="004",
    data_set="acdc",
    configuration="2d",
    models=(
        *_ABLATION,
        # The crop of paper 003 finds the heart, one network segments it; trained as long as the others and on slices of
        # all cases mixed, ten to a stack.
        ModelRecipe(
            DETECTION, "Two-stage: Det + Seg", "crocnet",
            {"spacing": "1.3,1.3", "batch_size": "40", "schedule": "none", "augmentation": "nnunet"},
            other_trainer="CroCNetSingleTrainer",
        ),
        # Trained on single slices of all cases mixed, as a 2D network usually is.
        ModelRecipe("sk_unet_2d", "SK-UNet on 2D patches", "sk-unet", {"batch_size": "40"}, extra=True),
    ),
    tables=(
        TableRecipe(
            "table1", "Table 1: Dice by region against other methods", f"{_SCORES}.scores",
            ("model", "structure", "region"), "004_table2.csv",
            _DICE + " Det + Seg is the first network of paper 003, its crop and one network on it, slice by slice; the "
            "paper's is another one.",
            rows=("ss_seg", "as_seg", DETECTION, PROPOSED),
            options=MappingProxyType({"metrics": ("dice",), "regions": REGIONS}),
        ),
        TableRecipe(
            "table2", "Table 2: ablation", f"{_SCORES}.scores", ("model", "structure", "region"), "004_table2.csv",
            _DICE, rows=(*(row.name for row in _ABLATION), "sk_unet_2d"),
            options=MappingProxyType({"metrics": ("dice",), "regions": REGIONS}),
        ),
        TableRecipe(
            "fragments", "Fragments, holes and false slices per case", f"{_SCORES}.scores",
            ("model", "structure", "region"), "",
            "Per case, the mean over cases: pieces and holes (2-D) of the prediction beyond those of the reference in "
            "the same slice, summed over the slices; slices with the structure in the prediction only, and in the "
            "reference only. Region all counts every slice; a region counts slices that hold some structure of the "
            "reference. The paper shows these in pictures only.",
            options=MappingProxyType({"metrics": COUNTS, "regions": ("all", *REGIONS)}),
        ),
        TableRecipe(
            "tests", "Differences to single slices", f"{_SCORES}.score_tests",
            ("model", "structure", "region", "metric"), "",
            "Mean of the row's Dice minus that of ss_seg over the cases that both have a value of (of several seeds: "
            "the case's mean over them). p: paired two-sided t-test over cases, p_holm and p_bh corrected for all "
            "tests of this table (Holm; Benjamini and Hochberg). Two phases of one patient are not independent, so p "
            "come out too small.",
            options=MappingProxyType(
                {"metrics": ("dice",), "regions": REGIONS, "against": "ss_seg", "test": "paired-t"}
            ),
        ),
        TableRecipe(
            "seeds", "Seeds", f"{_SCORES}.score_seeds", ("model", "structure", "region", "metric"), "",
            "Mean over the cases of each seed, then mean and SD (n - 1) of these means over the seeds.",
            options=MappingProxyType({"metrics": ("dice",), "regions": REGIONS}),
        ),
    ),
    evaluation=("--scheme", "thirds", "--metrics", ",".join(("dice", *COUNTS))),
    smoke_phantoms=("--testing", "0", "--frames", "3"),
    smoke_models=("ss_seg", "as_seg", PROPOSED),
    smoke_settings=MappingProxyType(
        {
            "features": "4,8,16", "convolutions": "1", "spacing": "3,3", "patch_size": "16,64,64", "batch_size": "2",
            "num_epochs": "1", "iterations_per_epoch": "10", "val_iterations_per_epoch": "2", "initial_lr": "0.003",
            "augmentation": "none", "mirroring": "false", "sk_unet_2d.patch_size": "64,64",
            "det_seg.patch_size": "64,64", "det_seg.convolutions": "", "det_seg.specialist_features": "4,8",
            "det_seg.crop_size": "48",
        }
    ),
    # The rest is in the presets.
    paper_settings=MappingProxyType({"num_epochs": "200", "iterations_per_epoch": "250"}),
)  # fmt: skip
