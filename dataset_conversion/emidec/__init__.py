"""EMIDEC 2020: late gadolinium enhancement (LGE) after an acute infarction or without one, clinical data beside it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Literal

from dataset_conversion.cases import DataSetFacts
from dataset_conversion.conversion import DEFAULT_FOLDS, DEFAULT_SEED, convert_subjects
from dataset_conversion.emidec.reader import find_subjects
from dataset_conversion.emidec.slices import SLICE_SPLIT_REMARK, slices_as_cases, split_slices
from dataset_conversion.report import ConversionReport
from dataset_conversion.splits import split_by_subject
from nnunet_cardiac_ext.errors import UsageError
from nnunet_cardiac_ext.registry import DATA_SETS

FACTS = DataSetFacts(
    name=DATA_SETS["emidec"].dataset_name,
    label_map=DATA_SETS["emidec"].label_map,
    source_labels={"LV": 1, "MYO": 2, "INFARCT": 3, "NOREFLOW": 4},
    description="Short-axis LGE MR of 150 patients: cavity, healthy myocardium, infarct, no-reflow",
    reference="Lalande et al., Data 5(4):89, 2020, doi:10.3390/data5040089",
    licence="CC BY-NC-SA 4.0",
)
# Whole infarct lies in the wall and no-reflow in the infarct, so painting in this order leaves every voxel the label of
# the smallest region that claims it. The cavity comes first: of two claims on a voxel that of the wall stays.
REGION_LABELS: Mapping[str, tuple[int, ...]] = MappingProxyType(
    {"LV": (1,), "WHOLE_MYO": (2, 3, 4), "WHOLE_INFARCT": (3, 4), "NOREFLOW": (4,)}
)


def convert(
    source: Path,
    dataset_id: int,
    *,
    regions: bool = False,
    split: Literal["patients", "slices"] = "patients",
    folds: int = DEFAULT_FOLDS,
    seed: int = DEFAULT_SEED,
    overwrite_splits: bool = False,
    workers: int | None = None,
    quiet: bool = False,
) -> ConversionReport:
    """Turn a downloaded EMIDEC folder into an nnU-Net raw data set.

    Args:
        source: The folder with `Case_N...` and `Case_P...`, or one above it that may hold the test set too.
        dataset_id: nnU-Net's number of the data set (115 by custom).
        regions: Train nnU-Net on overlapping regions (`REGION_LABELS`) instead of one label per voxel.
        split: "patients": a case per patient, folds by patient, even in normal and pathological ones. "slices": a case
            per training slice and one random split of the slices, 90 % to 10 %, as paper 001 has it: patients are in
            both parts. `folds` then says nothing.
        folds: See `conversion.convert_subjects`, as for all below.
        seed: Seed of the folds.
        overwrite_splits: Replace different folds that lie there already.
        workers: Worker processes.
        quiet: Show no progress.

    Returns:
        The report, which is written as well.

    Raises:
        UsageError: There are no cases in `source`, `split` is unknown, or the id is not free.
        WorkError: The output cannot be written.
    """
    if split not in ("patients", "slices"):
        raise UsageError(f"--split: expected patients or slices, got {split!r}")
    subjects = find_subjects(source)
    by_slice = split == "slices"
    return convert_subjects(
        facts_for(regions=regions, slices=by_slice),
        [slices_as_cases(subject) for subject in subjects] if by_slice else subjects,
        source,
        dataset_id,
        folds=folds,
        seed=seed,
        splitter=partial(split_slices, seed=seed) if by_slice else partial(split_by_subject, folds=folds, seed=seed),
        remarks=(SLICE_SPLIT_REMARK,) if by_slice else (),
        leaks_intended=by_slice,
        overwrite_splits=overwrite_splits,
        workers=workers,
        quiet=quiet,
    )


def facts_for(*, regions: bool, slices: bool) -> DataSetFacts:
    """Return the facts of one way to convert; each has a name of its own, so that an id never mixes two of them."""
    name = FACTS.name + ("Slices" if slices else "") + ("Regions" if regions else "")
    return replace(FACTS, name=name, region_labels=dict(REGION_LABELS) if regions else {})
