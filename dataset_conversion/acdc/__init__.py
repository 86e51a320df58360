"""ACDC 2017 (Automated Cardiac Diagnosis Challenge): short-axis cine, ED and ES, five diagnosis groups."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from dataset_conversion.acdc.reader import find_subjects
from dataset_conversion.cases import DataSetFacts
from dataset_conversion.conversion import DEFAULT_FOLDS, DEFAULT_SEED, convert_subjects
from dataset_conversion.report import ConversionReport
from nnunet_cardiac_ext.registry import DATA_SETS

FACTS = DataSetFacts(
    name=DATA_SETS["acdc"].dataset_name,
    label_map=DATA_SETS["acdc"].label_map,
    source_labels={"RV": 1, "MYO": 2, "LV": 3},
    description="Short-axis cine MR of 150 patients, ED and ES: normal, DCM, HCM, infarction, abnormal right ventricle",
    reference="Bernard et al., IEEE Transactions on Medical Imaging 37(11), 2018, doi:10.1109/TMI.2018.2837502",
    licence="CC BY-NC-SA 4.0",
)


def convert(
    source: Path,
    dataset_id: int,
    *,
    frames: Literal["labelled", "all"] = "labelled",
    folds: int = DEFAULT_FOLDS,
    seed: int = DEFAULT_SEED,
    overwrite_splits: bool = False,
    workers: int | None = None,
    quiet: bool = False,
) -> ConversionReport:
    """Turn a downloaded ACDC folder into an nnU-Net raw data set.

    Args:
        source: The official `database` folder, its `training` or `testing`, or a folder that holds `database`.
        dataset_id: nnU-Net's number of the data set (27 by custom).
        frames: "labelled": the ED and ES frames. "all": also every frame of `patientNNN_4d`, into `imagesCine`.
        folds: See `conversion.convert_subjects`, as for all below.
        seed: Seed of the folds.
        overwrite_splits: Replace different folds that lie there already.
        workers: Worker processes.
        quiet: Show no progress.

    Returns:
        The report, which is written as well.

    Raises:
        UsageError: There are no patients in `source`, or the id is not free.
        WorkError: The output cannot be written.
    """
    return convert_subjects(
        FACTS,
        find_subjects(source, frames=frames),
        source,
        dataset_id,
        folds=folds,
        seed=seed,
        overwrite_splits=overwrite_splits,
        workers=workers,
        quiet=quiet,
    )
