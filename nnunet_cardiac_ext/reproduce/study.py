"""A study: what was trained for a paper and where its scores lie."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from nnunet_cardiac_ext.files import read_csv
from nnunet_cardiac_ext.recipes import ModelRecipe, Recipe


@dataclass(frozen=True)
class Study:
    """One run of a recipe.

    Attributes:
        recipe: The recipe.
        dataset_id: nnU-Net's number of the data set.
        output: Where evaluations, tables and records are put.
        folds: Folds to train.
        seeds: Seeds to train each fold with; None leaves the generators unseeded.
        models: Names of the models to run; the others are left out of the tables.
        settings: What is set in every model over the recipe's own settings (`settings_of`).
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
    settings: Mapping[str, str] = field(default_factory=dict)
    device: str = "cuda"
    smoke: bool = False
    workers: int = 1
    tag: str = ""
    quiet: bool = False

    @property
    def chosen(self) -> tuple[ModelRecipe, ...]:
        """The models of this study."""
        return tuple(model for model in self.recipe.models if not self.models or model.name in self.models)

    def trainings(self) -> Iterator[tuple[ModelRecipe, int | None]]:
        """Yield each model with each seed."""
        yield from ((model, seed) for model in self.chosen for seed in self.seeds)

    def settings_of(self, model: ModelRecipe, seed: int | None) -> dict[str, str]:
        """Return what is set in a model beside its preset: the user's word counts most, then the model's own."""
        common = self.recipe.smoke_settings if self.smoke else self.recipe.paper_settings
        seeded = {} if seed is None else {"seed": str(seed)}
        return {**common, **model.settings, **self.settings, **seeded}

    def configuration(self, model: ModelRecipe, seed: int | None) -> str:
        """Return the name of a model's configuration in the plans file."""
        parts = [self.recipe.configuration, f"p{self.recipe.paper}", model.name, self.tag]
        parts += ["" if seed is None else f"s{seed}"]
        return "_".join(part for part in parts if part)

    def evaluation(self, model: ModelRecipe, seed: int | None, fold: int) -> Path:
        """Return the folder of a model's scores on the validation cases of a fold."""
        return self.output / "evaluations" / f"{self.configuration(model, seed)}_f{fold}"

    def rows(self, model: ModelRecipe, table: str) -> list[dict[str, str]]:
        """Return the lines of one table of the evaluations of a model, over folds and seeds.

        Args:
            model: The model.
            table: File name, such as `slices.csv`.

        Returns:
            Its lines, each with `fold` and `seed` (empty without one).
        """
        found = []
        for seed in self.seeds:
            for fold in self.folds:
                origin = {"fold": str(fold), "seed": "" if seed is None else str(seed)}
                found += [row | origin for row in read_csv(self.evaluation(model, seed, fold) / table)]
        return found
