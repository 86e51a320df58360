"""A study whose evaluations are written by hand, so that its tables can be worked out by hand."""

from nnunet_cardiac_ext.files import write_csv
from nnunet_cardiac_ext.recipes import RECIPES
from nnunet_cardiac_ext.region_table import RegionRow, write_region_table
from nnunet_cardiac_ext.reproduce.study import Study

COLUMNS = ("region", "predicted", "ordered", "used", "extent")


def study_in(folder, *, paper="002", **options):
    models = {"002": ("baseline", "sampling20")}.get(paper, ())
    defaults = {"models": models, "device": "cpu", "quiet": True}
    return Study(recipe=RECIPES[paper], dataset_id=27, output=folder, **(defaults | options))


def row_named(study, name):
    """The model or pipeline of a name."""
    return next(row for row in (*study.recipe.models, *study.recipe.pipelines) if row.name == name)


def table_named(study, name):
    """The recipe of a table."""
    return next(table for table in study.recipe.tables if table.name == name)


def write_slices(study, name, values, *, seed=None, fold=0):
    """Write slices.csv of a model or pipeline: Dice by (structure, region), a list with one value per slice.

    The value "false alarm" is the Dice 0 of a slice where only the prediction has the structure.
    """
    rows = [
        {"case": "a", "slice": index, "region": region, "structure": structure, "predicted_area_mm2": 1.0}
        | (
            {"dice": 0.0, "reference_area_mm2": 0.0}
            if value == "false alarm"
            else {"dice": value, "reference_area_mm2": 1.0}
        )
        for (structure, region), found in values.items()
        for index, value in enumerate(found)
    ]
    write_csv(study.evaluation(row_named(study, name), seed, fold) / "slices.csv", rows)


def write_profiles(study, name, profiles, *, fold=0):
    """Write profiles.csv of a model or pipeline: values at positions 0, 1, ... by (case, structure)."""
    rows = [
        {"case": case, "structure": structure} | {str(position): value for position, value in enumerate(values)}
        for (case, structure), values in profiles.items()
    ]
    write_csv(study.evaluation(row_named(study, name), None, fold) / "profiles.csv", rows)


def write_regions(study, name, slices, *, seed=None, fold=0):
    """Write regions.csv of a classifier or cascade.

    `slices` has one tuple per slice of case a: region of the reference, then those of `COLUMNS`; the last may lack.
    """
    rows = [
        RegionRow("a", index, None, (0.25,) * 4, **dict(zip(COLUMNS, found)))  # noqa: B905
        for index, found in enumerate(slices)
    ]
    write_region_table(study.segmented(row_named(study, name), seed, fold) / "regions.csv", rows)


def write_metrics(study, name, values, *, seed=None, fold=0, convention="nnunet-cardiac"):
    """Write metrics.csv of a model or pipeline: one value per case, by (structure, region, metric)."""
    rows = [
        {"case": f"case{number}", "structure": structure, "region": region, "metric": metric, "value": value,
         "convention": convention}
        for (structure, region, metric), found in values.items()
        for number, value in enumerate(found)
    ]  # fmt: skip
    write_csv(study.evaluation(row_named(study, name), seed, fold) / "metrics.csv", rows)
