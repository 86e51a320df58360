"""A study whose evaluations are written by hand, so that its tables can be worked out by hand."""

from nnunet_cardiac_ext.files import write_csv
from nnunet_cardiac_ext.recipes import RECIPES
from nnunet_cardiac_ext.reproduce.study import Study


def study_in(folder, **options):
    defaults = {"models": ("baseline", "sampling20"), "device": "cpu", "quiet": True}
    return Study(recipe=RECIPES["002"], dataset_id=27, output=folder, **(defaults | options))


def write_slices(study, model_name, values, *, seed=None, fold=0):
    """Write a model's slices.csv: Dice by (structure, region), a list with one value per slice."""
    model = next(model for model in study.recipe.models if model.name == model_name)
    rows = [
        {"case": "a", "slice": index, "region": region, "structure": structure, "dice": value}
        for (structure, region), found in values.items()
        for index, value in enumerate(found)
    ]
    write_csv(study.evaluation(model, seed, fold) / "slices.csv", rows)


def write_profiles(study, model_name, profiles, *, fold=0):
    """Write a model's profiles.csv: values at positions 0, 1, ... by (case, structure)."""
    model = next(model for model in study.recipe.models if model.name == model_name)
    rows = [
        {"case": case, "structure": structure} | {str(position): value for position, value in enumerate(values)}
        for (case, structure), values in profiles.items()
    ]
    write_csv(study.evaluation(model, None, fold) / "profiles.csv", rows)
