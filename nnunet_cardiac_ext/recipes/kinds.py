"""What a recipe is made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from nnunet_cardiac_ext.registry import PRESETS

# What a training is for: its own predictions of the validation cases are a row of the tables; it is part of a pipeline
# and not scored by itself; it tells the regions of slices and is scored by that.
SEGMENTATION, PART, CLASSIFIER = "segmentation", "part", "classifier"


@dataclass(frozen=True)
class ModelRecipe:
    """A training.

    Attributes:
        name: Short name, part of the configuration's name in the plans.
        title: As the tables call it.
        preset: Name in `registry.PRESETS`; it says the trainer.
        settings: What is set beside the preset (`nnunet-cardiac plan --set`).
        kind: `SEGMENTATION`, `PART` or `CLASSIFIER`.
        starts_from: Name of the model whose final weights it begins with (setting `initial_weights`); "" for none.
        epochs_factor: How many times as many epochs it is trained as the settings say.
        extra: Whether it is run only where `--models` names it.
        other_trainer: Name of the trainer where it is another than the preset's: an ablation of its method.
        pipeline: Name in `registry.PIPELINES` of what predicts its validation cases; "" for nnU-Net's own prediction.
    """

    name: str
    title: str
    preset: str
    settings: Mapping[str, str] = field(default_factory=dict)
    kind: str = SEGMENTATION
    starts_from: str = ""
    epochs_factor: int = 1
    extra: bool = False
    other_trainer: str = ""
    pipeline: str = ""

    @property
    def trainer(self) -> str:
        """Name of the trainer."""
        return self.other_trainer or PRESETS[self.preset].trainer


@dataclass(frozen=True)
class PipelineRecipe:
    """A pipeline over trained models, run on the validation cases of their fold: a row of the tables.

    Attributes:
        name: Short name, part of the names of its folders.
        title: As the tables call it.
        pipeline: Name in `registry.PIPELINES`.
        models: Name of a model by the part that it plays (`nnunet-cardiac predict PIPELINE -m PART=DIR`).
        options: Further options of `nnunet-cardiac predict PIPELINE`.
        extra: Whether it is run only where `--models` names it.
    """

    name: str
    title: str
    pipeline: str
    models: Mapping[str, str]
    options: tuple[str, ...] = ()
    extra: bool = False


@dataclass(frozen=True)
class TableRecipe:
    """A table or a figure.

    Attributes:
        name: Name of its files.
        title: Its heading: what it is in the paper.
        build: Import path of the function that makes it of a study, or returns None where the study has no row for it.
        keys: The columns by which ours and the paper's numbers are matched.
        published: Name of the file with the paper's numbers, or "" where the paper has none.
        definition: How each number is computed, and where the paper's may be computed in another way.
        rows: Names of the models and pipelines that it shows; none: all that it can.
        options: What its function wants to know beside that.
    """

    name: str
    title: str
    build: str
    keys: tuple[str, ...]
    published: str
    definition: str
    rows: tuple[str, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Recipe:
    """All that is needed for one paper.

    Settings of a recipe, and those of the user, reach the models by their keys: `key` all but the classifiers,
    `classifier.key` all classifiers, `NAME.key` the model of that name.

    Attributes:
        paper: Number in `registry.PAPERS`.
        data_set: Name in `registry.DATA_SETS`; its phantoms serve `--smoke`.
        configuration: The stock configuration that the baseline inherits from; nnU-Net plans it first, and the others
            along with it.
        models: What is trained, the baseline first, each after the model that it starts from.
        tables: What is made of it.
        pipelines: What is run over the trained models.
        evaluation: Further options of `nnunet-cardiac evaluate`.
        smoke_phantoms: Further options of `nnunet-cardiac phantom` in a smoke run.
        smoke_conversion: Further options of `nnunet-cardiac convert` in a smoke run.
        smoke_models: Models and pipelines of a smoke run, unless `--models` names others; none: as otherwise.
        smoke_settings: What is set in every model of a smoke run, to train in seconds.
        paper_settings: What the paper sets in every model, such as the length of the training; not in a smoke run.
    """

    paper: str
    data_set: str
    configuration: str
    models: tuple[ModelRecipe, ...]
    tables: tuple[TableRecipe, ...]
    pipelines: tuple[PipelineRecipe, ...] = ()
    evaluation: tuple[str, ...] = ()
    smoke_phantoms: tuple[str, ...] = ()
    smoke_conversion: tuple[str, ...] = ()
    smoke_models: tuple[str, ...] = ()
    smoke_settings: Mapping[str, str] = field(default_factory=dict)
    paper_settings: Mapping[str, str] = field(default_factory=dict)
