"""Which models and pipelines of a recipe a study runs: the chosen ones and what they need."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from nnunet_cardiac_ext.errors import UsageError
from nnunet_cardiac_ext.recipes import CLASSIFIER, SEGMENTATION, ModelRecipe, PipelineRecipe, Recipe

ALL = "all"


@dataclass(frozen=True)
class Selection:
    """What a study runs.

    Attributes:
        models: What is trained, each after those that it needs.
        pipelines: What is run over them.
    """

    models: tuple[ModelRecipe, ...]
    pipelines: tuple[PipelineRecipe, ...]


def select(recipe: Recipe, names: Sequence[str], *, smoke: bool = False) -> Selection:
    """Return the chosen models and pipelines, and the models that they need.

    A pipeline needs its models, a model the one that it starts from, and every row of Dice the baseline, which it is
    compared with.

    Args:
        recipe: The recipe.
        names: Names of models and pipelines, or `all`; none: those of a smoke run, or else all that are no extras.
        smoke: Whether it is a smoke run.

    Raises:
        UsageError: A name is unknown.
    """
    items: dict[str, ModelRecipe | PipelineRecipe] = {item.name: item for item in recipe.models}
    items |= {item.name: item for item in recipe.pipelines}
    for name in names:
        if name not in (*items, ALL):
            raise UsageError(f"--models: expected some of {', '.join(items)}, or {ALL}, got {name!r}")
    default = (smoke and recipe.smoke_models) or [name for name, item in items.items() if not item.extra]
    wanted = set(items if ALL in names else names or default)
    missing = wanted
    while missing:
        missing = {need for name in missing for need in _needs(items[name], recipe)} - wanted
        wanted |= missing
    return Selection(
        tuple(model for model in recipe.models if model.name in wanted),
        tuple(pipeline for pipeline in recipe.pipelines if pipeline.name in wanted),
    )


def settings_for(model: ModelRecipe, settings: Mapping[str, str]) -> dict[str, str]:
    """Return those settings that reach a model, by their own keys: common ones, then those written for it alone.

    An empty value written for it alone leaves a common setting out: a network of another kind may not have it.
    """
    common = f"{CLASSIFIER}." if model.kind == CLASSIFIER else ""
    found = {
        key.removeprefix(common): value
        for key, value in settings.items()
        if (key.startswith(common) if common else "." not in key)
    }
    own = f"{model.name}."
    of_its_own = {key.removeprefix(own): value for key, value in settings.items() if key.startswith(own)}
    left_out = {key for key, value in of_its_own.items() if not value and key in found}
    return {key: value for key, value in (found | of_its_own).items() if key not in left_out}


def check_settings(recipe: Recipe, keys: Iterable[str]) -> None:
    """Check that what stands before a dot is the name of a model or `classifier`.

    Raises:
        UsageError: It is not.
    """
    known = [model.name for model in recipe.models]
    if any(model.kind == CLASSIFIER for model in recipe.models):
        known.append(CLASSIFIER)
    for key in keys:
        prefix, dot, _ = key.partition(".")
        if dot and prefix not in known:
            raise UsageError(f"--set {key}: expected one of {', '.join(known)} before the dot, got {prefix!r}")


def check_once(recipe: Recipe, selection: Selection, names: Sequence[str]) -> None:
    """Check that models which are trained with one seed only are not needed with every seed.

    Raises:
        UsageError: A name is unknown, or something else needs that model with every seed.
    """
    known = [*(model.name for model in recipe.models), *(pipeline.name for pipeline in recipe.pipelines)]
    for name in names:
        if name not in known:
            raise UsageError(f"--once: expected some of {', '.join(known)}, got {name!r}")
    chosen: list[ModelRecipe | PipelineRecipe] = [*selection.models, *selection.pipelines]
    for item in chosen:
        for need in _needs(item, recipe):
            if need in names and item.name not in names:
                raise UsageError(f"--once {need}: expected models that nothing else needs, but {item.name} needs it")


def _needs(item: ModelRecipe | PipelineRecipe, recipe: Recipe) -> list[str]:
    baseline = recipe.models[0].name
    if isinstance(item, PipelineRecipe):
        return [baseline, *item.models.values()]
    needed = [baseline] if item.kind == SEGMENTATION else []
    return needed + ([item.starts_from] if item.starts_from else [])
