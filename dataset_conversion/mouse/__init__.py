"""Mouse hearts: public HDF5 files, exports of Segment, or NIfTI files listed in a csv; the left ventricle's muscle."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import MappingProxyType

import numpy as np

from dataset_conversion.cases import DataSetFacts, SourceCase, SourceSubject
from dataset_conversion.conversion import DEFAULT_FOLDS, DEFAULT_SEED, Splitter, convert_subjects
from dataset_conversion.mouse.hdf5 import DEFAULT_SPACING, Spacing, has_default_spacing
from dataset_conversion.mouse.partition import (
    PARTS,
    AnimalVolume,
    largest_difference,
    parse_ratios,
    partition_animals,
    split_by_part,
)
from dataset_conversion.mouse.preparation import MousePreparation, chosen_preparation
from dataset_conversion.mouse.reader import Source, find_source, find_subjects, read
from dataset_conversion.mouse.volumes import measure_animals
from dataset_conversion.report import ConversionReport
from nnunet_cardiac_ext.errors import UsageError
from nnunet_cardiac_ext.processes import available_cores
from nnunet_cardiac_ext.registry import DATA_SETS

FACTS = DataSetFacts(
    name=DATA_SETS["mouse"].dataset_name,
    label_map=DATA_SETS["mouse"].label_map,
    source_labels={"MYO": 1},
    description="Short-axis cine MR of mice, left ventricular myocardium",
    reference="",
    licence="",
    read=read,
)
# What is known of the files by their kind; of private files nothing is.
FACTS_OF: Mapping[str, DataSetFacts] = MappingProxyType(
    {
        "hdf5": replace(
            FACTS,
            description="Short-axis cine MR of 130 mice at 9.4 T, left ventricular myocardium at ED and ES",
            reference="Open-Source Pre-Clinical Image Segmentation, Journal of Cardiovascular Magnetic Resonance, "
            "2026, doi:10.1016/j.jocmr.2026.102706",
            licence="GPL-3.0 (that of the repository mrphys/Open-Source_Pre-Clinical_Segmentation)",
        ),
        "segment": FACTS,
        "listing": FACTS,
    }
)


def convert(
    source: Path,
    dataset_id: int,
    *,
    spacing: Sequence[float] | None = None,
    prepare: str = "none",
    slice_spacing: float | None = None,
    crop: int | None = None,
    partition: str | None = None,
    folds: int = DEFAULT_FOLDS,
    seed: int = DEFAULT_SEED,
    overwrite_splits: bool = False,
    workers: int | None = None,
    quiet: bool = False,
) -> ConversionReport:
    """Turn scans of mice into an nnU-Net raw data set with the label MYO.

    Args:
        source: A folder of HDF5 files (or with them in `Data`), a folder of Segment's MATLAB files, a folder with a
            csv that lists NIfTI images and masks, or that csv.
        dataset_id: nnU-Net's number of the data set.
        spacing: Spacing in mm (slice, row, column) of HDF5 files; by default that of a file's attribute
            `spacing_mm`, which the public files lack, or else `DEFAULT_SPACING`.
        prepare: "paper" for slices every 0.16 mm and 96 x 96 crops of training cases, as in paper 000; "none".
        slice_spacing: Distance in mm of the slices after interpolation; goes before `prepare`.
        crop: Rows and columns of the crop of training cases; goes before `prepare`.
        partition: Shares of cases for training, validation and test ("700:200:214"): animals are assigned so that
            the myocardial volumes are distributed alike, validation is fold 0. By default all cases train, in `folds`
            folds by animal, stratified by group.
        folds: See `conversion.convert_subjects`, as for all below.
        seed: Seed of the folds or of the partition.
        overwrite_splits: Replace different folds that lie there already.
        workers: Worker processes.
        quiet: Show no progress.

    Returns:
        The report, which is written as well.

    Raises:
        UsageError: There are no scans in `source`, an option makes no sense, or the id is not free.
        WorkError: The output cannot be written.
    """
    preparation = chosen_preparation(prepare, slice_spacing=slice_spacing, crop=crop)
    ratios = parse_ratios(partition) if partition is not None else None
    found = find_source(source)
    given_spacing = _spacing(found, spacing)
    processes = available_cores() if workers is None else max(workers, 1)
    subjects = find_subjects(found, spacing=given_spacing, workers=processes, quiet=quiet)
    remarks = [f"prepared: {preparation}"] if preparation else []
    if found.kind == "hdf5":
        remarks += _spacing_lines(subjects, given_spacing)
    splitter: Splitter | None = None
    if ratios is not None:
        subjects, splitter, lines = _partitioned(subjects, ratios, seed=seed, workers=processes, quiet=quiet)
        remarks += lines
    return convert_subjects(
        FACTS_OF[found.kind],
        [_prepared(subject, preparation) for subject in subjects],
        found.folder,
        dataset_id,
        folds=folds,
        seed=seed,
        splitter=splitter,
        remarks=remarks,
        overwrite_splits=overwrite_splits,
        workers=workers,
        quiet=quiet,
    )


def _partitioned(
    subjects: list[SourceSubject], ratios: tuple[float, ...], *, seed: int, workers: int, quiet: bool
) -> tuple[list[SourceSubject], Splitter, list[str]]:
    """Return the subjects in their parts, the folds' rule and what to say about it."""
    subjects, animals = measure_animals(subjects, read, workers=workers, quiet=quiet)
    part_of = partition_animals(animals, ratios, seed=seed)
    splitter = partial(split_by_part, part_of=part_of)
    return [_in_its_part(subject, part_of) for subject in subjects], splitter, _partition_lines(animals, part_of)


def _spacing(found: Source, spacing: Sequence[float] | None) -> Spacing | None:
    if spacing is None:
        return None
    if found.kind != "hdf5":
        raise UsageError("--spacing: expected only for HDF5 files, the others hold their spacing")
    values = tuple(float(value) for value in spacing)
    if len(values) != 3 or not all(0 < value < np.inf for value in values):
        raise UsageError(f"--spacing: expected three positive numbers of mm, got {' '.join(map(str, spacing))}")
    return values[0], values[1], values[2]


def _in_its_part(subject: SourceSubject, part_of: Mapping[str, str]) -> SourceSubject:
    def moved(case: SourceCase) -> SourceCase:
        is_test = case.row.part == "train" and part_of.get(case.row.subject) == "test"
        return replace(case, row=replace(case.row, part="test")) if is_test else case

    return replace(subject, cases=tuple(moved(case) for case in subject.cases))


def _prepared(subject: SourceSubject, preparation: MousePreparation | None) -> SourceSubject:
    """Training cases are cropped, all others keep the whole image, as at inference."""
    if preparation is None:
        return subject
    uncropped = replace(preparation, crop=None)
    others = uncropped if uncropped.slice_spacing is not None else None
    cases = [replace(case, prepare=preparation if case.row.part == "train" else others) for case in subject.cases]
    return replace(subject, cases=tuple(cases))


def _spacing_lines(subjects: Sequence[SourceSubject], given: Spacing | None) -> list[str]:
    """What a user has to know: HDF5 files hold no spacing, so the one that is written was given or assumed."""
    assumed = sum(any(map(has_default_spacing, (case.image for case in subject.cases))) for subject in subjects)
    if given is not None:
        return [f"spacing of the HDF5 files: {_in_words(given)}, as given"]
    words = f"{_in_words(DEFAULT_SPACING)} assumed, as published; --spacing Z Y X changes it"
    return [f"spacing of {assumed} scans that hold none: {words}"] if assumed else []


def _in_words(spacing: Spacing) -> str:
    return f"{' x '.join(f'{value:g}' for value in spacing)} mm"


def _partition_lines(animals: Sequence[AnimalVolume], part_of: Mapping[str, str]) -> list[str]:
    lines = []
    for part in PARTS:
        chosen = [animal for animal in animals if part_of[animal.name] == part]
        volumes = [volume for animal in chosen for volume in animal.volumes]
        if volumes:
            lines.append(
                f"{part}: {len(volumes)} cases of {len(chosen)} animals, "
                f"myocardium {np.mean(volumes):.4f} +- {np.std(volumes):.4f} ml"
            )
    difference = largest_difference(animals, part_of)
    return [*lines, f"largest difference between two parts' volumes (Kolmogorov-Smirnov): {difference:.3f}"]
