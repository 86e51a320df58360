"""What a reader of a data set yields: its facts, its subjects and their cases."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from nnunet_cardiac_ext.case_table import CaseRow


@dataclass(frozen=True)
class DataSetFacts:
    """What does not depend on the files.

    Attributes:
        name: The part behind the number in nnU-Net's folder name.
        label_map: Key of `anatomy.LABEL_MAPS`, the labels that are written.
        source_labels: Label value by structure as the source has them.
        description: One line for dataset.json.
        reference: The publication to cite.
        licence: Licence of the data.
    """

    name: str
    label_map: str
    source_labels: Mapping[str, int]
    description: str
    reference: str
    licence: str


@dataclass(frozen=True)
class VolumeFile:
    """A volume in a file.

    Attributes:
        path: The file.
        frame: Index from 0 where the file holds a series of volumes.
    """

    path: Path
    frame: int | None = None


@dataclass(frozen=True)
class SourceCase:
    """One image of the source, with or without labels.

    Attributes:
        row: Its line of cases.csv; `spacing`, `slices` and `base_first` are filled in when the image is read.
        image: The image.
        labels: Its labels, if it has any.
    """

    row: CaseRow
    image: VolumeFile
    labels: VolumeFile | None = None


@dataclass(frozen=True)
class SourceSubject:
    """A patient or animal. It is converted as a whole or not at all, so that ED and ES never part.

    Attributes:
        name: The subject.
        cases: Its images, the labelled ones first.
        problem: Why it cannot be converted, one line; empty if nothing is known to be wrong.
        ignored: Why a file of its folder is not used, by file.
    """

    name: str
    cases: tuple[SourceCase, ...] = ()
    problem: str = ""
    ignored: Mapping[Path, str] = field(default_factory=dict)

    @property
    def files(self) -> tuple[Path, ...]:
        """The files that its cases are read from, sorted."""
        volumes = [volume for case in self.cases for volume in (case.image, case.labels) if volume]
        return tuple(sorted({volume.path for volume in volumes}))
