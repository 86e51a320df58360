"""Check one converted case against the file that it came from: what a worker process does.

The converted files are read by SimpleITK, as nnU-Net reads them, and NIfTI sources by nibabel: neither by the code that
wrote them. The converter may make another axis the slice axis, but neither mirror nor change anything: the two must be
the same voxel by voxel, with one of the three axes first.
"""

from __future__ import annotations

import pydoc
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import SimpleITK

from dataset_conversion.cases import read_nifti
from dataset_conversion.geometry import same_spacing
from dataset_conversion.images import SUFFIXES, SourceError
from nnunet_cardiac_ext.anatomy import CUBIC_MM_PER_ML, LABEL_MAPS
from nnunet_cardiac_ext.case_table import CaseRow

# Of the volume of a structure, relative: spacings are stored as float32.
VOLUME_TOLERANCE = 1e-6


@dataclass(frozen=True)
class Converted:
    """A case as the conversion's report and case table tell of it.

    Attributes:
        row: Its line of cases.csv.
        image: Its image in the data set.
        labels: Its labels there, or None.
        source: Folder that the source's files are relative to; None leaves the source out.
        entry: What conversion_report.json says: image, labels, prepared, voxels.
        label_map: Key of `anatomy.LABEL_MAPS`.
        source_labels: Label value by structure in the source.
        read: Dotted name of the function that reads the source's files.
    """

    row: CaseRow
    image: Path
    labels: Path | None
    source: Path | None
    entry: Mapping[str, Any]
    label_map: str
    source_labels: Mapping[str, int]
    read: str


@dataclass(frozen=True)
class CaseCheck:
    """What was found out about a case.

    Attributes:
        row: Its line of cases.csv.
        volumes: Volume in ml by structure, as SimpleITK reads the converted labels; empty without labels.
        compared: Whether it was compared with its source.
        problems: What is wrong, one line each.
    """

    row: CaseRow
    volumes: Mapping[str, float]
    compared: bool
    problems: tuple[str, ...]


def check_case(case: Converted) -> CaseCheck:
    """Check one case; a file that cannot be read is a problem, not a failure."""
    try:
        image, spacing, problems = _converted_image(case)
        labels, found = _converted_labels(case, image, spacing)
        problems += found
        compared = case.source is not None and not case.entry["prepared"]
        if compared:
            problems += _differences(case, image, labels, spacing)
    except (SourceError, OSError, RuntimeError) as error:
        line = str(error).strip().splitlines()[-1].strip()
        return CaseCheck(case.row, {}, False, (f"{case.row.case}: cannot be checked ({line})",))
    volumes = {} if labels is None else _volumes(_counts(labels, case), spacing)
    return CaseCheck(case.row, volumes, compared, tuple(f"{case.row.case}: {problem}" for problem in problems))


def _converted_image(case: Converted) -> tuple[np.ndarray, tuple[float, ...], list[str]]:
    image = SimpleITK.ReadImage(str(case.image))
    spacing = image.GetSpacing()[::-1]
    array, row, problems = SimpleITK.GetArrayFromImage(image), case.row, []
    if not same_spacing(spacing, row.spacing):
        problems.append(f"expected the spacing of cases.csv, {row.spacing}, got {spacing} mm")
    if len(array) != row.slices:
        problems.append(f"expected {row.slices} slices as in cases.csv, got {len(array)}")
    return array, spacing, problems


def _converted_labels(
    case: Converted, image: np.ndarray, spacing: tuple[float, ...]
) -> tuple[np.ndarray | None, list[str]]:
    if case.labels is None:
        return None, []
    labels = SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(str(case.labels)))
    problems = []
    if labels.shape != image.shape:
        problems.append(f"expected labels of the image's shape {image.shape}, got {labels.shape}")
    expected, got = dict(case.entry["voxels"]), _counts(labels, case)
    if got != expected:
        problems.append(f"expected the voxels of conversion_report.json, {expected}, got {got}")
    if _ventricles_look_swapped(labels, case, spacing):
        problems.append("expected the LV inside the myocardium, got the RV nearer to it; were labels renumbered?")
    return labels, problems


def _ventricles_look_swapped(labels: np.ndarray, case: Converted, spacing: tuple[float, ...]) -> bool:
    """A copy whose labels somebody has renumbered passes all other checks."""
    values = LABEL_MAPS[case.label_map].values
    if not {"LV", "RV", "MYO"} <= values.keys():
        return False
    places = {name: np.argwhere(labels == values[name]) for name in ("LV", "RV", "MYO")}
    if not all(map(len, places.values())):
        return False
    middles = {name: found.mean(axis=0) * spacing for name, found in places.items()}
    left, right = (float(np.linalg.norm(middles[name] - middles["MYO"])) for name in ("LV", "RV"))
    return right < left


def _differences(
    case: Converted, image: np.ndarray, labels: np.ndarray | None, spacing: tuple[float, ...]
) -> list[str]:
    problems = []
    values, source_spacing = _source_volume(case, case.entry["image"])
    turned = [axis for axis in range(3) if _same_voxels(_turned(values, axis), image)]
    if not turned:
        problems.append(f"expected the grey values of {case.entry['image']['file']}, got others")
    if labels is None:
        return problems
    values, _ = _source_volume(case, case.entry["labels"])
    expected = _expected_labels(case, np.rint(values))
    before, after = _counts(expected, case), _counts(labels, case)
    if before != after:
        problems.append(f"expected the voxels of {case.entry['labels']['file']}, {before}, got {after}")
    elif turned and not any(np.array_equal(_turned(expected, axis), labels) for axis in turned):
        problems.append(f"expected the labels of {case.entry['labels']['file']} in their places, got some elsewhere")
    # The labels take the place of their image, so their volume is the one of the image's voxels.
    volumes = _volumes(before, source_spacing), _volumes(after, spacing)
    if not all(np.isclose(volumes[0][name], volumes[1][name], rtol=VOLUME_TOLERANCE, atol=0) for name in after):
        problems.append(f"expected the volumes of its source, {volumes[0]}, got {volumes[1]} ml")
    return problems


def _source_volume(case: Converted, place: Mapping[str, Any]) -> tuple[np.ndarray, tuple[float, ...]]:
    """Return one volume of the source (its axes z, y, x), and its spacing in mm in any order of axes."""
    assert case.source is not None
    path = case.source / place["file"]
    frame = place["frame"]
    if path.name.endswith(SUFFIXES) and case.read == _NIFTI_READER:
        image = nib.load(path)
        values = np.asanyarray(image.dataobj).T
        values = values.reshape(-1, *values.shape[-3:])[frame or 0]
        return values, tuple(float(value) for value in image.header["pixdim"][1:4])
    stack = pydoc.locate(case.read)(path, place["content"])  # type: ignore[operator]
    return stack.volume(frame), stack.geometry.spacing


def _turned(volume: np.ndarray, axis: int) -> np.ndarray:
    """Return a volume with one of its axes as the slice axis, the others in their order: all that may be turned."""
    return np.moveaxis(volume, axis, 0)


def _same_voxels(first: np.ndarray, second: np.ndarray) -> bool:
    return np.array_equal(first.astype(np.float32), second.astype(np.float32))


def _expected_labels(case: Converted, source: np.ndarray) -> np.ndarray:
    values = LABEL_MAPS[case.label_map].values
    expected = np.zeros(source.shape, dtype=np.uint8)
    for name, value in case.source_labels.items():
        expected[source == value] = values[name]
    return expected


def _counts(labels: np.ndarray, case: Converted) -> dict[str, int]:
    label_map = LABEL_MAPS[case.label_map]
    return {name: int((labels == label_map.values[name]).sum()) for name in label_map.structures}


def _volumes(counts: Mapping[str, int], spacing: tuple[float, ...]) -> dict[str, float]:
    return {name: count * float(np.prod(spacing)) / CUBIC_MM_PER_ML for name, count in counts.items()}


_NIFTI_READER = f"{read_nifti.__module__}.{read_nifti.__qualname__}"
