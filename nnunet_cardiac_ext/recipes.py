"""What `nnunet-cardiac reproduce` runs for each paper, as data: models, scores, tables, where the paper's numbers lie.

Only what works is listed. Importing this module loads neither torch nor nnU-Net.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType


@dataclass(frozen=True)
class ModelRecipe:
    """One row of a paper's tables: a training.

    Attributes:
        name: Short name, part of the configuration's name in the plans.
        title: As the tables call it.
        preset: Name in `registry.PRESETS`; it says the trainer.
        settings: What is set beside the preset (`nnunet-cardiac plan --set`).
    """

    name: str
    title: str
    preset: str
    settings: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class TableRecipe:
    """A table or a figure.

    Attributes:
        name: Name of its files.
        title: Its heading: what it is in the paper.
        build: Import path of the function that makes it of a study.
        keys: The columns by which ours and the paper's numbers are matched.
        published: Name of the file with the paper's numbers, or "" where the paper has only a picture.
        definition: How each number is computed, and where the paper's may be computed in another way.
    """

    name: str
    title: str
    build: str
    keys: tuple[str, ...]
    published: str
    definition: str


@dataclass(frozen=True)
class Recipe:
    """All that is needed for one paper.

    Attributes:
        paper: Number in `registry.PAPERS`.
        data_set: Name in `registry.DATA_SETS`; its phantoms serve `--smoke`.
        configuration: The stock configuration that all models inherit from; it is planned first.
        models: What is trained, the baseline first.
        tables: What is made of it.
        evaluation: Further options of `nnunet-cardiac evaluate`.
        smoke_phantoms: Further options of `nnunet-cardiac phantom` in a smoke run.
        smoke_settings: What is set in every model of a smoke run, to train in a minute.
        paper_settings: What the paper sets in every model, such as the length of the training; not in a smoke run.
    """

    paper: str
    data_set: str
    configuration: str
    models: tuple[ModelRecipe, ...]
    tables: tuple[TableRecipe, ...]
    evaluation: tuple[str, ...] = ()
    smoke_phantoms: tuple[str, ...] = ()
    smoke_settings: Mapping[str, str] = field(default_factory=dict)
    paper_settings: Mapping[str, str] = field(default_factory=dict)


_REGION_TABLES = "nnunet_cardiac_ext.reproduce.region_tables"
_SLICES = (
    "Dice of each slice (2-D) in per cent; slices in which reference and prediction both lack the structure are left "
    "out. Regions are those of the reference, 20/60/20 of the segmented slices. SD over slices. The paper does not say "
    "how it counts slices without the structure."
)
_TESTED = (
    " uncorrected as in the paper. It takes slices as independent, which those of one patient (and one slice under "
    "several seeds) are not: p comes out too small. The paper calls p < 0.01 significant."
)

REGION_AWARE = Recipe(
    paper="002",
    data_set="acdc",
    configuration="2d",
    models=(
        ModelRecipe("baseline", "Baseline", "baseline"),
        ModelRecipe("sampling4", "Batch sampling (ratio 4)", "region-sampling", {"sampling_ratio": "4"}),
        ModelRecipe("sampling20", "Batch sampling (ratio 20)", "region-sampling", {"sampling_ratio": "20"}),
    ),
    tables=(
        TableRecipe(
            "table1", "Table 1: Dice of the baseline by region", f"{_REGION_TABLES}.table1",
            ("label", "region"), "002_table1.csv",
            _SLICES + " p: Welch's t-test of the region against the middle, over slices," + _TESTED,
        ),
        TableRecipe(
            "table3", "Table 3: change of Dice against the baseline", f"{_REGION_TABLES}.table3",
            ("model", "label", "region"), "002_table3.csv",
            _SLICES + " Change of the mean, and of the SD (positive: smaller than the baseline's). p: paired t-test "
            "over the slices that both models have a Dice for," + _TESTED + " The middle is not in its table: it shows "
            "the price.",
        ),
        TableRecipe(
            "figure2", "Figure 2: Dice from base to apex", f"{_REGION_TABLES}.figure2",
            ("model", "label", "position"), "",
            "Dice per slice interpolated linearly to 101 points from base to apex, then the mean over the cases "
            "(of all folds and seeds) that have a value there: few where a structure ends early.",
        ),
    ),
    evaluation=("--slices",),
    smoke_phantoms=("--testing", "0", "--frames", "3"),
    smoke_settings=MappingProxyType(
        {
            "features": "8,16,32,32", "patch_size": "96,96", "batch_size": "4", "num_epochs": "2",
            "iterations_per_epoch": "40", "val_iterations_per_epoch": "2", "norm": "batch", "optimizer": "adamw",
            "initial_lr": "0.003", "weight_decay": "0.01", "augmentation": "light", "mirroring": "false",
        }
    ),
    paper_settings=MappingProxyType(
        {"num_epochs": "1000", "iterations_per_epoch": "250", "batch_size": "32", "initial_lr": "0.01"}
    ),
)  # fmt: skip

RECIPES: Mapping[str, Recipe] = MappingProxyType({recipe.paper: recipe for recipe in (REGION_AWARE,)})
