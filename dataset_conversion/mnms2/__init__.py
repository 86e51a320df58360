"""M&Ms-2 2021 (Multi-Disease, Multi-View & Multi-Center): short-axis and 4-chamber long-axis cine, ED and ES."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Literal

from dataset_conversion.cases import DataSetFacts
from dataset_conversion.conversion import DEFAULT_FOLDS, DEFAULT_SEED, convert_subjects
from dataset_conversion.mnms2.folds import same_folds
from dataset_conversion.mnms2.reader import find_subjects
from dataset_conversion.mnms2.reports import BothReports
from dataset_conversion.mnms2.source import Source, find_source
from dataset_conversion.mnms2.stacks import SLICE_SPACING, mark_phases, read_long_axis, read_short_axis
from dataset_conversion.raw_dataset import open_dataset
from dataset_conversion.report import ConversionReport
from nnunet_cardiac_ext.errors import UsageError
from nnunet_cardiac_ext.registry import DATA_SETS

View = Literal["sa", "la"]

SHORT_AXIS = DataSetFacts(
    name=f"{DATA_SETS['mnms2'].dataset_name}SA",
    label_map=DATA_SETS["mnms2"].label_map,
    source_labels={"LV": 1, "MYO": 2, "RV": 3},
    description="Short-axis cine MR of 360 subjects, ED and ES: three vendors, normal and seven diseases",
    reference="Martin-Isla et al., IEEE Journal of Biomedical and Health Informatics 27(7), 2023, "
    "doi:10.1109/JBHI.2023.3267857",
    licence="research use, see https://www.ub.edu/mnms-2/",
)
LONG_AXIS = replace(
    SHORT_AXIS,
    name=f"{DATA_SETS['mnms2'].dataset_name}LA",
    description="4-chamber long-axis cine MR of 360 subjects, ED and ES: three vendors, normal and seven diseases",
    read=read_long_axis,
)
FACTS = {"sa": SHORT_AXIS, "la": LONG_AXIS}
_THICKNESS_REMARK = (
    f"long axis: single slices are written {SLICE_SPACING:g} mm thick, so that nnU-Net slices along the right axis; "
    f"a volume there is an area times {SLICE_SPACING:g} mm"
)


def convert(
    source: Path,
    dataset_id: int,
    *,
    view: Literal["sa", "la", "both"] = "sa",
    frames: Literal["labelled", "all"] = "labelled",
    train_on: Literal["training", "labelled"] = "training",
    folds: int = DEFAULT_FOLDS,
    seed: int = DEFAULT_SEED,
    overwrite_splits: bool = False,
    workers: int | None = None,
    quiet: bool = False,
) -> ConversionReport | BothReports:
    """Turn a downloaded M&Ms-2 folder into an nnU-Net raw data set per view.

    Args:
        source: `MnM2`, its `dataset`, the challenge's `training`, `validation` or `test`, or a folder above them.
        dataset_id: nnU-Net's number of the data set.
        view: "sa": short axis. "la": 4-chamber long axis. "both": short axis under `dataset_id`, long axis under the
            next number. The folds of a subject are the same in both views, however they are converted.
        frames: "labelled": ED and ES. "all": also every frame of each cycle, into `imagesCine`.
        train_on: "training": the official training subjects; those of validation and testing are for testing.
            "labelled": all subjects with labels.
        folds: See `conversion.convert_subjects`, as for all below.
        seed: Seed of the folds.
        overwrite_splits: Replace different folds that lie there already.
        workers: Worker processes.
        quiet: Show no progress.

    Returns:
        The report, which is written as well; for "both" those of the two data sets.

    Raises:
        UsageError: There are no subjects in `source`, or the id (or the next one) is not free.
        WorkError: The output cannot be written.
    """
    if view not in (*FACTS, "both"):
        raise UsageError(f"--view: expected sa, la or both, got {view!r}")
    found = find_source(source, train_on=train_on)
    convert_view = partial(
        _convert_view, found, frames=frames, folds=folds, seed=seed, overwrite_splits=overwrite_splits,
        workers=workers, quiet=quiet,
    )  # fmt: skip
    if view != "both":
        return convert_view(view, dataset_id)
    # Before anything is converted: a second id that is taken must not leave half of the work done.
    open_dataset(LONG_AXIS.name, dataset_id + 1)
    return BothReports(convert_view("sa", dataset_id), convert_view("la", dataset_id + 1))


def _convert_view(
    found: Source,
    view: View,
    dataset_id: int,
    *,
    frames: str,
    folds: int,
    seed: int,
    overwrite_splits: bool,
    workers: int | None,
    quiet: bool,
) -> ConversionReport:
    facts = FACTS[view]
    if frames == "all":
        facts = replace(facts, read=read_long_axis if view == "la" else read_short_axis, settle=mark_phases)
    return convert_subjects(
        facts,
        find_subjects(found, view=view, frames=frames),
        found.folder,
        dataset_id,
        folds=folds,
        seed=seed,
        splitter=partial(same_folds, roster=found.roster, folds=folds, seed=seed),
        remarks=(_THICKNESS_REMARK,) if view == "la" else (),
        overwrite_splits=overwrite_splits,
        workers=workers,
        quiet=quiet,
    )
