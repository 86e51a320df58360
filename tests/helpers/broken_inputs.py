"""Kinds of broken input, and those that can befall the NIfTI files of any data set.

Used by the tests of the converters and by benchmarks/broken_*.py, which print what the command says to each. A data
set names its own victim: a function from the folder of a small data set to the file that is spoiled.
"""

from __future__ import annotations

import gzip
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import nibabel as nib
import numpy as np

SHEARED = np.array([[-1, 0, 0, 0], [0, -1, 0.1, 0], [0, 0, 1, 0], [0, 0, 0, 1.0]])
SINGULAR = np.diag([-1.0, 0.0, 1.0, 1.0])
_HEADER_BYTES = 348  # of NIfTI-1

Spoil = Callable[[Path], None]
Victim = Callable[[Path], Path]


@dataclass(frozen=True)
class Broken:
    """A kind of broken input.

    Attributes:
        kind: In words.
        spoil: Spoils a small data set, given its folder.
        message: A part of the line that must be printed; where the input is accepted, a part of a note that must stand
            in the report, or nothing.
        options: Further arguments of the command.
        exit_code: What the command must end with.
    """

    kind: str
    spoil: Spoil
    message: str
    options: tuple[str, ...] = ()
    exit_code: int = 1


def broken_labels(labels: Victim, *, largest: int = 3) -> tuple[Broken, ...]:
    """Labels that cannot be those of their image; `labels` names the file that is spoiled.

    Label values are 0 to `largest` and the slice axis is the last one of a volume in the file.
    """
    known = list(range(largest + 1))

    def changed(change):
        return lambda folder: change_voxels(labels(folder), change)

    return (
        Broken("labels of another shape", changed(lambda x: x[..., :-1, :, :]), "expected the shape of its image"),
        Broken("unknown label value", changed(_unknown_label), f"expected labels {known}, got also [7]"),
        Broken("labels 0.999", changed(lambda x: x * 0.999), "expected whole numbers as labels, got 1.998"),
        Broken("NaN in the labels", changed(lambda x: np.where(x == 2, np.nan, x)), "got NaN or infinity"),
        Broken("no label at all", changed(np.zeros_like), "expected labels, got 0 in every voxel"),
        Broken("spacing of the labels differs", lambda d: _scale_rows(labels(d)), "expected the spacing of its image"),
        Broken("labels mirrored by their header", lambda d: _mirror(labels(d)), "got an axis turned by 180 degrees"),
    )


def broken_images(image: Victim) -> tuple[Broken, ...]:
    """Files that are no proper image; `image` names the file that is spoiled."""

    def changed(change):
        return lambda folder: change_voxels(image(folder), change)

    def edited(**fields):
        return lambda folder: edit_header(image(folder), **fields)

    def rewritten(change):
        return lambda folder: change_bytes(image(folder), change)

    return (
        Broken("NaN in the image", changed(_with_nan), "got NaN or infinity in 3 voxels"),
        Broken("image all zero", changed(np.zeros_like), "expected an image, got 0 in every voxel"),
        Broken("image of two dimensions", changed(_one_slice), "expected 3 dimensions, got"),
        Broken("colour image", lambda d: _colour(image(d)), "expected one number per voxel"),
        Broken("spacing 0", lambda d: _set_row_spacing(image(d), 0), "expected a positive spacing, got"),
        Broken("negative spacing", lambda d: _set_row_spacing(image(d), -1.5), "expected a positive spacing, got"),
        Broken("spacing NaN", lambda d: _set_row_spacing(image(d), np.nan), "expected a positive spacing, got"),
        Broken("affine without a third axis", edited(qform_code=0, sform_code=2, srow_y=[0, 0, 0, 0]), "of length 0"),
        Broken("gzip cut off", rewritten(lambda x: x[: len(x) // 2]), "got a damaged one"),
        Broken("gzip with a wrong byte", rewritten(lambda x: x[:900] + b"\0\0" + x[902:]), "got a damaged one"),
        Broken("plain NIfTI cut off", lambda d: _cut_uncompressed(image(d)), "got a damaged one"),
        Broken("0 bytes", rewritten(lambda _: b""), "expected a NIfTI file, got 0 bytes"),
        Broken("compressed text", rewritten(lambda _: gzip.compress(b"no image" * 99, mtime=0)), "got something else"),
        Broken("text named .nii.gz", rewritten(lambda _: b"<html>404</html>" * 99), "got something else"),
    )


def sheared_affine(image: Victim) -> Broken:
    """Axes 5.71 degrees off right angles: accepted, repaired and noted."""

    def spoil(folder):
        rows = {f"srow_{name}": row for name, row in zip("xyz", SHEARED, strict=False)}
        edit_header(image(folder), qform_code=0, sform_code=2, **rows)

    return Broken("sheared affine", spoil, "", exit_code=0)


def change_voxels(path: Path, change: Callable[[np.ndarray], np.ndarray]) -> None:
    """Replace the array (frame, slice, row, column) of a NIfTI file by what `change` makes of it."""
    image = nib.load(path)
    array = change(np.asanyarray(image.dataobj).T)
    header = image.header.copy()
    header.set_data_dtype(array.dtype)
    changed = nib.Nifti1Image(array.T, None, header)
    changed._affine = None  # nothing but the voxels may change
    nib.save(changed, path)


def edit_header(path: Path, **fields) -> None:
    """Overwrite header fields of a compressed NIfTI file, also with values that nibabel would not write."""
    content = gzip.decompress(path.read_bytes())
    header = nib.Nifti1Header(content[:_HEADER_BYTES], check=False)
    for name, value in fields.items():
        header[name] = value
    path.write_bytes(gzip.compress(header.binaryblock + content[_HEADER_BYTES:], mtime=0))


def change_bytes(path: Path, change: Callable[[bytes], bytes]) -> None:
    """Replace the bytes of a file by what `change` makes of them."""
    path.write_bytes(change(path.read_bytes()))


def _unknown_label(labels):
    flat = labels.ravel().copy()
    flat[np.flatnonzero(flat)[0]] = 7
    return flat.reshape(labels.shape)


def _with_nan(image):
    broken = image.astype(np.float32)
    broken[..., 0, 0, :3] = np.nan
    return broken


def _one_slice(image):
    return image.reshape(-1, *image.shape[-2:])[0]


def _scale_rows(path):
    _set_row_spacing(path, 0.9 * float(nib.load(path).header["pixdim"][2]))


def _set_row_spacing(path, value):
    pixdim = np.array(nib.load(path).header["pixdim"])
    pixdim[2] = value
    edit_header(path, pixdim=pixdim)


def _mirror(path):
    header = nib.load(path).header
    rows = {f"srow_{name}": header[f"srow_{name}"] * [-1, 1, 1, 1] for name in "xyz"}
    edit_header(path, qform_code=0, sform_code=2, **rows)


def _colour(path):
    array = np.zeros(nib.load(path).shape[:3], dtype=[("R", "u1"), ("G", "u1"), ("B", "u1")])
    nib.save(nib.Nifti1Image(array, np.eye(4)), path)


def _cut_uncompressed(path):
    content = gzip.decompress(path.read_bytes())
    path.unlink()
    path.with_suffix("").write_bytes(content[:-100])
