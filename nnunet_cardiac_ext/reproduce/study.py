"""A study: what was trained for a paper and where its scores lie."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from nnunet_cardiac_ext import discovery
from nnunet_cardiac_ext.files import read_csv
from nnunet_cardiac_ext.plans import DEFAULT_PLANS
from nnunet_cardiac_ext.recipes import CLASSIFIER, SEGMENTATION, ModelRecipe, PipelineRecipe, Recipe, TableRecipe
from nnunet_cardiac_ext.registry import PRESETS
from nnunet_cardiac_ext.reproduce.selection import Selection, select, settings_for
from nnunet_cardiac_ext.settings import put_over

FINAL_WEIGHTS = "checkpoint_final.pth"

# What has a name in the tables.
Row = ModelRecipe | PipelineRecipe


@dataclass(frozen=True)
class Study:
    """One run of a recipe.

    Attributes:
        recipe: The recipe.
        dataset_id: nnU-Net's number of the data set.
        output: Where evaluations, tables and records are put.
        folds: Folds to train.
        seeds: Seeds to train each fold with; None leaves the generators unseeded.
        models: Names of the models and pipelines to run, with what they need; none: the recipe's choice.
        once: Names of those among them that are run with the first seed only.
        settings: What is set in the models over the recipe's own settings (`settings_of`), by the keys of a recipe.
        device: cpu, cuda or mps.
        smoke: Whether it runs on phantoms with tiny models.
        workers: Worker processes.
        tag: Added to the names of the configurations, so that studies of other settings lie beside each other.
        quiet: Print only the result.
    """

    recipe: Recipe
    dataset_id: int
    output: Path
    folds: tuple[int, ...] = (0,)
    seeds: tuple[int | None, ...] = (None,)
    models: tuple[str, ...] = ()
    once: tuple[str, ...] = ()
    settings: Mapping[str, str] = field(default_factory=dict)
    device: str = "cuda"
    smoke: bool = False
    workers: int = 1
    tag: str = ""
    quiet: bool = False

    @cached_property
    def selection(self) -> Selection:
        """What is run; raises like `select`."""
        return select(self.recipe, self.models, smoke=self.smoke)

    @property
    def segmentations(self) -> tuple[Row, ...]:
        """What makes a row of Dice: scored models, the baseline first, then pipelines."""
        scored = (model for model in self.selection.models if model.kind == SEGMENTATION)
        return (*scored, *self.selection.pipelines)

    @property
    def classifiers(self) -> tuple[ModelRecipe, ...]:
        """The classifiers of regions."""
        return tuple(model for model in self.selection.models if model.kind == CLASSIFIER)

    def trainings(self) -> Iterator[tuple[ModelRecipe, int | None]]:
        """Yield each model with each seed, after those that it needs."""
        yield from ((model, seed) for model in self.selection.models for seed in self.seeds_of(model))

    def seeds_of(self, row: Row) -> tuple[int | None, ...]:
        """Return the seeds of a model or pipeline."""
        return self.seeds[:1] if row.name in self.once else self.seeds

    def settings_of(self, model: ModelRecipe, seed: int | None) -> dict[str, str]:
        """Return what is set in a model beside its preset: the user's word counts most, then the model's own.

        A smoke run's settings go before the model's own, which are of the paper's size.
        """
        if self.smoke:
            found = dict(model.settings) | settings_for(model, self.recipe.smoke_settings)
        else:
            found = settings_for(model, self.recipe.paper_settings) | dict(model.settings)
        if model.starts_from:
            source = self.folder_name(self._model(model.starts_from), seed)
            found["initial_weights"] = f"{source}/fold_{{fold}}/{FINAL_WEIGHTS}"
        found = put_over(found, settings_for(model, self.settings)) | ({} if seed is None else {"seed": str(seed)})
        if model.epochs_factor != 1 and found.get("num_epochs", "").isdecimal():
            found["num_epochs"] = str(model.epochs_factor * int(found["num_epochs"]))
        return found

    def configuration(self, row: Row, seed: int | None) -> str:
        """Return the name of a model's configuration in the plans file; of a pipeline, that of its folders."""
        stock = PRESETS[row.preset].inherits_from if isinstance(row, ModelRecipe) else self.recipe.configuration
        parts = [stock, f"p{self.recipe.paper}", row.name, self.tag]
        parts += ["" if seed is None else f"s{seed}"]
        return "_".join(part for part in parts if part)

    def folder_name(self, model: ModelRecipe, seed: int | None) -> str:
        """Return the name of nnU-Net's folder of a trained model."""
        return f"{model.trainer}__{DEFAULT_PLANS}__{self.configuration(model, seed)}"

    def model_folder(self, model: ModelRecipe | str, seed: int | None) -> Path:
        """Return nnU-Net's folder of a trained model, given by itself or by its name, with a folder `fold_X` per fold.

        Raises:
            UsageError: The data set is not there.
        """
        data = discovery.dataset_folder(discovery.raw_folder(), self.dataset_id)
        model = self._model(model) if isinstance(model, str) else model
        return discovery.results_folder() / data.name / self.folder_name(model, seed)

    def shown(self, table: TableRecipe) -> list[Row]:
        """Return the rows of Dice that a table shows."""
        return [row for row in self.segmentations if not table.rows or row.name in table.rows]

    def weights(self, model: ModelRecipe) -> Path:
        """Return the final checkpoint of a model, of the first seed and fold."""
        return self.model_folder(model, self.seeds[0]) / f"fold_{self.folds[0]}" / FINAL_WEIGHTS

    def segmented(self, row: Row, seed: int | None, fold: int) -> Path:
        """Return the folder of the predictions of a fold's validation cases, for a cascade with its `regions.csv`."""
        if isinstance(row, ModelRecipe) and not row.pipeline:
            return self.model_folder(row, seed) / f"fold_{fold}" / "validation"
        return self.output / "predictions" / f"{self.configuration(row, seed)}_f{fold}"

    def evaluation(self, row: Row, seed: int | None, fold: int) -> Path:
        """Return the folder of the scores on the validation cases of a fold."""
        return self.output / "evaluations" / f"{self.configuration(row, seed)}_f{fold}"

    def rows(self, row: Row, table: str) -> list[dict[str, str]]:
        """Return the lines of one table of the evaluations of a model or pipeline, over folds and seeds.

        Args:
            row: The model or pipeline.
            table: File name, such as `slices.csv`.

        Returns:
            Its lines, each with `fold` and `seed` (empty without one).
        """
        found = []
        for seed in self.seeds_of(row):
            for fold in self.folds:
                origin = {"fold": str(fold), "seed": "" if seed is None else str(seed)}
                found += [line | origin for line in read_csv(self.evaluation(row, seed, fold) / table)]
        return found

    def _model(self, name: str) -> ModelRecipe:
        return next(model for model in self.recipe.models if model.name == name)
