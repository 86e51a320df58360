"""What a reader of a data set yields: its facts, its subjects and their cases."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import numpy as np

from dataset_conversion.geometry import Geometry
from dataset_conversion.images import Stack, read_stack
from nnunet_cardiac_ext.case_table import CaseRow

Stacks = Mapping[tuple[Path, str], Stack]
"""The files of a subject as they were read, by path and content."""


def read_nifti(path: Path, content: str) -> Stack:
    """Read the volumes of a NIfTI file, which holds only one thing; raises like `images.read_stack`."""
    return read_stack(path)


def as_found(subject: SourceSubject, stacks: Stacks) -> SourceSubject:
    """Return the subject as its reader found it: its files tell nothing that changes its cases."""
    return subject


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
        region_labels: Where nnU-Net is to train on overlapping regions: label values by region, in the order in which
            nnU-Net paints them; empty for one label per structure.
        read: Reads what a `VolumeFile` names, given its path and content; raises `SourceError` for a damaged file. A
            function of a module, so that worker processes find it.
        settle: Completes a subject once its files are read, where only they tell which frames are its cases. It gets
            the subject and its stacks by path and content, keeps the number of cases and their files, and raises
            `SourceError` where the files contradict what is known. A function of a module too.
    """

    name: str
    label_map: str
    source_labels: Mapping[str, int]
    description: str
    reference: str
    licence: str
    region_labels: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    read: Callable[[Path, str], Stack] = read_nifti
    settle: Callable[[SourceSubject, Stacks], SourceSubject] = as_found


@dataclass(frozen=True)
class VolumeFile:
    """A volume in a file.

    Attributes:
        path: The file.
        frame: Index from 0 where the file holds a series of volumes.
        content: Which of several things in the file, where there are several (HDF5: images, masks).
    """

    path: Path
    frame: int | None = None
    content: str = ""


@dataclass(frozen=True)
class Volume:
    """An image as it is written.

    Attributes:
        image: Grey values (slice, row, column).
        labels: Canonical labels of the same shape, or None.
        geometry: Spacing, axes and origin of both.
        notes: What was done to them, one line each.
    """

    image: np.ndarray
    labels: np.ndarray | None
    geometry: Geometry
    notes: tuple[str, ...] = ()


class Preparation(Protocol):
    """What is done to a volume between reading and writing (one slice taken, slices interpolated, a crop).

    A frozen dataclass whose fields are the options: a changed option then converts again what an earlier run has done.
    It raises `SourceError` where it cannot be done.
    """

    def __call__(self, volume: Volume) -> Volume:
        """Return the prepared volume."""
        ...


@dataclass(frozen=True)
class SourceCase:
    """One image of the source, with or without labels.

    Attributes:
        row: Its line of cases.csv; `spacing`, `slices` and `base_first` are filled in when the image is read.
        image: The image.
        labels: Its labels, if it has any.
        prepare: What is done to both before they are written; None writes them as they are.
        notes: What the reader found wrong with it and how that was settled, one line each.
    """

    row: CaseRow
    image: VolumeFile
    labels: VolumeFile | None = None
    prepare: Preparation | None = None
    notes: tuple[str, ...] = ()


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
        return tuple(sorted({volume.path for volume in self.volumes}))

    @property
    def volumes(self) -> tuple[VolumeFile, ...]:
        """The images and labels of its cases."""
        return tuple(volume for case in self.cases for volume in (case.image, case.labels) if volume)
