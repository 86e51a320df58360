"""The folder of an nnU-Net raw data set: its files, what earlier runs left in it, dataset.json."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from dataset_conversion.cases import DataSetFacts
from nnunet_cardiac_ext import __version__, discovery
from nnunet_cardiac_ext.anatomy import LABEL_MAPS, LabelMap
from nnunet_cardiac_ext.case_table import CaseRow
from nnunet_cardiac_ext.errors import UsageError, WorkError
from nnunet_cardiac_ext.files import write_json

FILE_ENDING = ".nii.gz"
# nnU-Net reads imagesTr and labelsTr only; the others are for prediction and evaluation.
IMAGE_FOLDERS: Mapping[str, str] = MappingProxyType(
    {"train": "imagesTr", "test": "imagesTs", "unlabelled": "imagesUn", "cine": "imagesCine"}
)
LABEL_FOLDERS: Mapping[str, str] = MappingProxyType({"train": "labelsTr", "test": "labelsTs"})
_FOLDERS = (*IMAGE_FOLDERS.values(), *LABEL_FOLDERS.values())
# The temporary names of files.written_whole: nnU-Net would take those that a killed run left for cases.
_PARTIAL = re.compile(r"\.[0-9a-f]{8}\..+")


@dataclass(frozen=True)
class RawDataset:
    """Paths inside `nnUNet_raw/DatasetXXX_NAME`.

    Attributes:
        folder: The data set's folder.
    """

    folder: Path

    def image(self, row: CaseRow) -> Path:
        """Return where the image of a case lies."""
        return self.folder / IMAGE_FOLDERS[row.part] / f"{row.case}_0000{FILE_ENDING}"

    def labels(self, row: CaseRow) -> Path:
        """Return where the labels of a case lie."""
        return self.folder / LABEL_FOLDERS[row.part] / f"{row.case}{FILE_ENDING}"

    @property
    def states(self) -> Path:
        """Folder of the files by which a run resumes."""
        return self.folder / ".conversion"

    def state(self, subject: str) -> Path:
        """Return the file that says from what a finished subject was converted."""
        return self.states / f"{subject}.json"

    def finished_subjects(self) -> list[str]:
        """Return the subjects that this or an earlier run has finished, sorted."""
        return sorted(path.stem for path in self.states.glob("[!.]*.json"))

    def files(self) -> list[Path]:
        """Return all that nnU-Net takes for images and labels, sorted; other files (.DS_Store) do no harm."""
        folders = (self.folder / name for name in _FOLDERS)
        return sorted(path for folder in folders for path in folder.glob(f"*{FILE_ENDING}") if path.is_file())


def open_dataset(name: str, dataset_id: int) -> RawDataset:
    """Make the folder of a raw data set, or open the one that an earlier run has made.

    Raises:
        UsageError: The id is out of range or belongs to a data set of another name, or nnUNet_raw is unset.
        WorkError: The folder cannot be written.
    """
    if not 1 <= dataset_id <= 999:
        raise UsageError(f"-d: expected a data set id from 1 to 999, got {dataset_id}")
    raw = discovery.raw_folder()
    folder = raw / f"Dataset{dataset_id:03d}_{name}"
    # nnU-Net stops when one id has two names in any of its directories.
    for variable in discovery.DIRECTORY_VARIABLES:
        base = os.environ.get(variable)
        for other in sorted(Path(base).glob(f"Dataset{dataset_id:03d}_*")) if base else ():
            if other.name != folder.name:
                raise UsageError(f"-d {dataset_id}: expected a free id or that of {folder.name}, got that of {other}")
    dataset = RawDataset(folder)
    if dataset.files() and not dataset.states.exists():
        raise UsageError(f"{folder}: expected one of this converter's, found another; remove it or take another -d")
    _make_folders(dataset)
    return dataset


def require_own_files(dataset: RawDataset, expected: Iterable[Path], subjects: Iterable[str], source: Path) -> None:
    """Check that the folder holds nothing that would mix with what is about to be written.

    Args:
        dataset: The data set.
        expected: The files that the source gives.
        subjects: The subjects of the source.
        source: The source, for the message.

    Raises:
        UsageError: There are files or finished subjects that the source does not have.
    """
    foreign = sorted(set(dataset.finished_subjects()) - set(subjects))
    foreign = foreign or [str(path.relative_to(dataset.folder)) for path in set(dataset.files()) - set(expected)]
    if foreign:
        raise UsageError(
            f"{dataset.folder}: expected only what comes from {source}, found {min(foreign)}"
            f"{f' and {len(foreign) - 1} more' if len(foreign) > 1 else ''}; "
            "give the folder that holds all subjects, remove the data set, or take another -d"
        )


def write_dataset_json(dataset: RawDataset, facts: DataSetFacts, training_cases: int) -> None:
    """Write nnU-Net's dataset.json."""
    label_map = LABEL_MAPS[facts.label_map]
    write_json(
        dataset.folder / "dataset.json",
        {
            "name": facts.name,
            "description": facts.description,
            "reference": facts.reference,
            "licence": facts.licence,
            "converted_by": f"nnunet-cardiac-ext {__version__}",
            "channel_names": {"0": label_map.channel},
            **_labels(label_map, facts),
            "numTraining": training_cases,
            "file_ending": FILE_ENDING,
            # The reader that takes the spacing from pixdim and writes it into predictions.
            "overwrite_image_reader_writer": "SimpleITKIO",
        },
    )


def _labels(label_map: LabelMap, facts: DataSetFacts) -> dict[str, Any]:
    if not facts.region_labels:
        return {"labels": dict(label_map.values)}
    regions = {name: list(values) for name, values in facts.region_labels.items()}
    # The value that nnU-Net paints for each region: the label that the region adds to the ones before it.
    order = [min(values) for values in regions.values()]
    # nnU-Net leaves the last key alone; the evaluation reads there what the values in the files mean.
    structures = {"structures": {name: label_map.values[name] for name in label_map.structures}}
    return {"labels": {"background": 0, **regions}, "regions_class_order": order, **structures}


def _make_folders(dataset: RawDataset) -> None:
    try:
        dataset.states.mkdir(parents=True, exist_ok=True)
        for name in ("imagesTr", "labelsTr", "imagesTs", "labelsTs"):
            (dataset.folder / name).mkdir(exist_ok=True)
        left = (path for name in (*_FOLDERS, dataset.states.name) for path in (dataset.folder / name).glob(".*"))
        for path in left:
            if _PARTIAL.fullmatch(path.name):
                path.unlink()
    except OSError as error:
        raise WorkError(f"{dataset.folder}: cannot be written ({error.strerror or error})") from error
