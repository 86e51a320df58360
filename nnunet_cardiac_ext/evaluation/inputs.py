"""What goes in: label images with their spacing, pairs by name, the order of the labels."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import nibabel as nib
import numpy as np
import SimpleITK as sitk  # noqa: N813

from nnunet_cardiac_ext.anatomy import CINE
from nnunet_cardiac_ext.errors import UsageError, WorkError
from nnunet_cardiac_ext.files import read_json

IMAGE_ENDINGS = (".nii.gz", ".nii", ".nrrd", ".mha")
# Labels stored with a scale factor come back a rounding beside their whole number.
LABEL_ROUNDING = 1e-3


@dataclass(frozen=True)
class Volume:
    """An image as it is scored or shown.

    Attributes:
        array: Voxels (slice, row, column).
        spacing: Spacing in mm as (slice, row, column).
        axes: Directions of column, row and slice as columns, shape (3, 3); None where the header's are no right angles.
        other_labels: Label values that were taken for background.
    """

    array: np.ndarray
    spacing: tuple[float, float, float]
    axes: np.ndarray | None = None
    other_labels: tuple[int, ...] = ()


@dataclass(frozen=True)
class Pairing:
    """Files of two folders matched by name without ending.

    Attributes:
        pairs: Reference and prediction by case.
        unpredicted: Cases of the reference that have no prediction.
        unreferenced: Predictions that have no reference.
    """

    pairs: dict[str, tuple[Path, Path]]
    unpredicted: tuple[str, ...]
    unreferenced: tuple[str, ...]


def pair_cases(reference: Path, prediction: Path) -> Pairing:
    """Match the label images of two folders.

    Raises:
        UsageError: A folder is absent or holds no image, or the two have no case in common.
    """
    references, predictions = image_files(reference), image_files(prediction)
    common = sorted(references.keys() & predictions.keys())
    if not common:
        raise UsageError(
            f"{prediction}: expected names as in {reference} ({min(references)}, ...), got {min(predictions)}, ..."
        )
    return Pairing(
        pairs={case: (references[case], predictions[case]) for case in common},
        unpredicted=tuple(sorted(references.keys() - predictions.keys())),
        unreferenced=tuple(sorted(predictions.keys() - references.keys())),
    )


def image_files(folder: Path) -> dict[str, Path]:
    """Return the images of a folder by name without ending; hidden files are left out.

    Raises:
        UsageError: The folder is absent, holds no image, or holds two of one name.
    """
    if not folder.is_dir():
        raise UsageError(f"{folder}: expected a folder with images ({', '.join(IMAGE_ENDINGS)}), found none")
    files: dict[str, Path] = {}
    for path in sorted(folder.iterdir()):
        ending = next((ending for ending in IMAGE_ENDINGS if path.name.endswith(ending)), None)
        if ending and not path.name.startswith("."):
            other = files.setdefault(path.name.removesuffix(ending), path)
            if other != path:
                raise UsageError(f"{folder}: expected one image per case, found {other.name} and {path.name}")
    if not files:
        raise UsageError(f"{folder}: expected images ({', '.join(IMAGE_ENDINGS)}), found none")
    return files


def read_volume(path: Path) -> Volume:
    """Read a 3-D image; its spacing comes from SimpleITK, or from pixdim where SimpleITK refuses the orientation.

    Raises:
        WorkError: The file cannot be read, is not 3-D, or has a spacing that is not positive.
    """
    try:
        with itk_warnings_off():
            image = sitk.ReadImage(str(path))
        array, spacing = sitk.GetArrayFromImage(image), image.GetSpacing()[::-1]
        axes = np.reshape(image.GetDirection(), (3, 3)) if image.GetDimension() == 3 else None
    except RuntimeError as error:
        # ITK reads no NIfTI file with sheared direction cosines (some of M&Ms); scoring needs no orientation.
        if "orthonormal" not in str(error):
            raise WorkError(f"{path}: cannot be read as an image") from error
        (array, spacing), axes = _read_with_nibabel(path), None
    # A picture in colours has three axes too, but two in space.
    if array.ndim != 3 or len(spacing) != 3:
        raise WorkError(f"{path}: expected a 3-D image of one number per voxel, got {len(spacing)}-D")
    if not all(0 < value < float("inf") for value in spacing):
        raise WorkError(f"{path}: expected a positive spacing, got {format_numbers(spacing)} mm")
    return Volume(array, (float(spacing[0]), float(spacing[1]), float(spacing[2])), axes)


def read_labels(path: Path, labels: Mapping[str, int], *, others_as_background: bool = False) -> Volume:
    """Read a label image.

    Args:
        path: The file.
        labels: Label value by structure name.
        others_as_background: Whether values that `labels` does not name become 0 and are told in `other_labels`.

    Raises:
        WorkError: As `read_volume`, or a voxel is neither background nor one of `labels`.
    """
    volume = read_volume(path)
    array, others = as_labels(path, volume.array, labels, others_as_background=others_as_background)
    return replace(volume, array=array, other_labels=others)


def as_labels(
    path: Path, array: np.ndarray, labels: Mapping[str, int], *, others_as_background: bool = False
) -> tuple[np.ndarray, tuple[int, ...]]:
    """Turn voxels into unsigned integers, and tell which whole numbers among them were taken for background.

    Args:
        path: Their file, for the message.
        array: Voxels of any shape and type.
        labels: Label value by structure name.
        others_as_background: Whether whole numbers that `labels` does not name become 0.

    Raises:
        WorkError: A voxel is neither background nor one of `labels`, or is no whole number.
    """
    array = _near_whole_numbers(array)
    others = _other_values(array, labels)
    refused = [value for value in others if not (others_as_background and value.is_integer())]
    if refused:
        raise WorkError(
            f"{path}: expected the labels 0 (background), "
            f"{', '.join(f'{value} ({name})' for name, value in labels.items())}, got also {refused[0]:g}"
        )
    if others:
        array = np.where(np.isin(array, list(labels.values())), array, 0)
    # Some data sets have labels beyond 255 (MM-WHS: 205 to 850).
    return array.astype(np.min_scalar_type(max(labels.values()))), tuple(map(int, others))


def require_same_shape(path: Path, volume: Volume, reference: Volume) -> None:
    """Check that a volume has as many voxels along each axis as the reference.

    Raises:
        WorkError: It has not; the line names `path`, the volume's file.
    """
    expected, found = reference.array.shape, volume.array.shape
    if found != expected:
        raise WorkError(
            f"{path}: expected {format_numbers(expected)} voxels (slice, row, column) as in the reference, "
            f"got {format_numbers(found)}"
        )


def find_labels(reference: Path, prediction: Path) -> dict[str, int]:
    """Return the label values by structure: those of a `dataset.json` beside or in the folders, else cine's.

    Looked for in this order: beside the reference folder (an nnU-Net raw data set), in it, in the prediction folder.

    Raises:
        UsageError: The file's labels are no single values (nnU-Net's region-based training, of another converter),
            name no structure, or differ between the reference's and the prediction's file.
    """
    paths = _label_files(reference, prediction)
    if not paths:
        return {structure: CINE.values[structure] for structure in CINE.structures}
    labels, last = _labels_of(paths[0]), _labels_of(paths[-1])
    for name in labels.keys() & last.keys():
        if labels[name] != last[name]:
            raise UsageError(
                f"{paths[-1]}: expected {name}={labels[name]} as in {paths[0]}, got {name}={last[name]}; "
                "bring both folders into one order, or name it with --labels"
            )
    return labels


def remark_on_labels(reference: Path, prediction: Path) -> list[str]:
    """Return one line if no file names the labels, so that `find_labels` takes those of cine; else nothing."""
    if _label_files(reference, prediction):
        return []
    values = ", ".join(f"{CINE.values[structure]} {structure}" for structure in CINE.structures)
    return [f"{reference}: no dataset.json says what the labels are; taken for those of cine, {values} (see --labels)"]


def format_numbers(values: tuple[float, ...]) -> str:
    """Return "10 x 1.5 x 1.5"."""
    return " x ".join(f"{value:.4g}" for value in values)


@contextmanager
def itk_warnings_off() -> Iterator[None]:
    """ITK warns of the sform of every ACDC and EMIDEC file ("unexpected scales"); we take the spacing of pixdim."""
    shown = sitk.ProcessObject.GetGlobalWarningDisplay()
    sitk.ProcessObject.SetGlobalWarningDisplay(False)
    try:
        yield
    finally:
        sitk.ProcessObject.SetGlobalWarningDisplay(shown)


def _near_whole_numbers(array: np.ndarray) -> np.ndarray:
    """Round what is a rounding beside a whole number; the rest stays, to be told in a message."""
    if array.dtype.kind != "f":
        return array
    nearest = np.rint(array)
    return np.where(np.isclose(array, nearest, rtol=0, atol=LABEL_ROUNDING), nearest, array)


def _other_values(array: np.ndarray, labels: Mapping[str, int]) -> list[float]:
    """Values of an array that are neither 0 nor a label. Counting those that are is faster than listing all."""
    known = (0, *labels.values())
    if sum(np.count_nonzero(array == value) for value in known) == array.size:
        return []
    return [float(value) for value in np.setdiff1d(array, known)]


def _label_files(reference: Path, prediction: Path) -> list[Path]:
    paths = [folder / "dataset.json" for folder in (reference.resolve().parent, reference, prediction)]
    return [path for path in paths if path.is_file()]


def _labels_of(path: Path) -> dict[str, int]:
    content = read_json(path)
    # Of data sets for region-based training, where a label is a list of values, the converter names the values too.
    labels = content.get("structures", content.get("labels")) if isinstance(content, dict) else None
    if not isinstance(labels, dict) or not all(type(value) is int for value in labels.values()):
        raise UsageError(f"{path}: expected labels with one whole number each; name them with --labels LV=3,MYO=2,RV=1")
    structures = {name: value for name, value in labels.items() if value > 0 and name != "ignore"}
    if not structures:
        raise UsageError(f"{path}: expected the label of at least one structure, got none")
    return structures


def _read_with_nibabel(path: Path) -> tuple[np.ndarray, tuple[float, ...]]:
    try:
        image = nib.load(path)
        # nibabel has the slice axis last, SimpleITK's arrays have it first.
        return np.asanyarray(image.dataobj).T, image.header.get_zooms()[:3][::-1]
    except Exception as error:  # nibabel, gzip and zlib raise a dozen types for damaged files
        raise WorkError(f"{path}: cannot be read as an image") from error
