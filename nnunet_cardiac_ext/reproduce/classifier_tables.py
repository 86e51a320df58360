"""Table 2 of paper 002, classifiers of regions, and what the accuracy of regions does to Dice."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from nnunet_cardiac_ext.evaluation.region_scores import Confusion, confusion_of, share_in_order
from nnunet_cardiac_ext.recipes import PipelineRecipe, TableRecipe
from nnunet_cardiac_ext.region_table import FILE_NAME, RegionRow, read_region_table, stacks_of
from nnunet_cardiac_ext.regions import REGION_NAMES
from nnunet_cardiac_ext.reproduce.slice_scores import (
    LABELS,
    PER_CENT,
    REGIONS,
    mean,
    read_slice_dice,
    values_of,
)
from nnunet_cardiac_ext.reproduce.study import Row, Study
from nnunet_cardiac_ext.reproduce.tables import Table

# Whose patients the paper tested its classifiers on; it has no numbers of them for other data.
TESTED_ON = "NHS"
EVERY_REGION = "all"
# Suffix of the columns, by the attribute of a line that holds the regions.
_DECODINGS = {"predicted": "", "ordered": "_ordered", "extent": "_extent"}


def table2(recipe: TableRecipe, study: Study, data_set: str) -> Table | None:
    """Make Table 2: precision and recall of each classifier, by region and weighted, for each decoding."""
    if not study.classifiers:
        return None
    rows = [line for classifier in study.classifiers for line in _precision_and_recall(study, classifier)]
    return Table(recipe, rows, TESTED_ON if data_set else "")


def regions(recipe: TableRecipe, study: Study, data_set: str) -> Table | None:
    """Make the table of ways to the regions: how accurate they are, and the Dice of the cascade that uses them."""
    cascades = [row for row in study.segmentations if isinstance(row, PipelineRecipe)]
    if not cascades:
        return None
    return Table(recipe, [{"model": row.name} | _accuracy(study, row) | _mean_dice(study, row) for row in cascades])


def _precision_and_recall(study: Study, classifier: Row) -> list[dict[str, Any]]:
    lines = [line for table in _region_tables(study, classifier) for line in table]
    found = {
        suffix: confusion_of((line.region, getattr(line, decoding)) for line in lines)
        for decoding, suffix in _DECODINGS.items()
    }
    rows = []
    for region in (EVERY_REGION, *REGION_NAMES.values()):
        support = found[""].total if region == EVERY_REGION else found[""].support(region)
        seeds = len(study.seeds_of(classifier))
        row = {"model": classifier.name, "region": region, "seeds": seeds, "slices": support}
        for suffix, confusion in found.items():
            row |= {f"{name}_percent{suffix}": value for name, value in _in_per_cent(confusion, region).items()}
        rows.append(row)
    return rows


def _in_per_cent(confusion: Confusion, region: str) -> dict[str, float]:
    """Precision and recall of a region or, weighted, of all."""
    if region == EVERY_REGION:
        values = confusion.weighted_precision, confusion.weighted_recall
    else:
        values = confusion.precision(region), confusion.recall(region)
    return {name: PER_CENT * value for name, value in zip(("precision", "recall"), values, strict=True)}


def _accuracy(study: Study, cascade: Row) -> dict[str, Any]:
    """How often a slice was segmented by the model of its own region; empty text where several models share slices."""
    tables = _region_tables(study, cascade)
    confusion = confusion_of((line.region, line.used) for table in tables for line in table)
    stacks = [[line.used for line in stack] for table in tables for stack in stacks_of(table).values()]
    chosen = [[region for region in stack if region is not None] for stack in stacks if None not in stack]
    found = {"accuracy_percent": confusion.accuracy} | {
        f"recall_{name}_percent": confusion.recall(name) for name in confusion.names
    }
    percent = {name: PER_CENT * value if confusion.total else "" for name, value in found.items()}
    in_order = {"stacks_in_order_percent": PER_CENT * share_in_order(chosen) if chosen else ""}
    return {"slices": sum(map(len, tables))} | percent | in_order


def _mean_dice(study: Study, row: Row) -> dict[str, float]:
    scores = read_slice_dice(study, row)
    return {
        f"{label}_{region}_dice": mean(values_of(scores.get((label, region), {})))
        for label in LABELS
        for region in REGIONS
    }


def _region_tables(study: Study, row: Row) -> Sequence[list[RegionRow]]:
    """Return the region table of each fold and seed."""
    return [
        read_region_table(study.segmented(row, seed, fold) / FILE_NAME)
        for seed in study.seeds_of(row)
        for fold in study.folds
    ]
