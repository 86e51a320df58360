"""Kinds of broken ACDC input: each spoils patient002 of a small database, or the database as a whole.

Used by the tests of the converter and by benchmarks/broken_acdc.py, which prints what the command says to each.
"""

from __future__ import annotations

import gzip
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import nibabel as nib
import numpy as np
from helpers.acdc_files import SHAPE, edit_header, heart_labels, save_nifti, write_info, write_patient

VICTIM = "training/patient002"
SHEARED = np.array([[-1, 0, 0, 0], [0, -1, 0.1, 0], [0, 0, 1, 0], [0, 0, 0, 1.0]])
SINGULAR = np.diag([-1.0, 0.0, 1.0, 1.0])


@dataclass(frozen=True)
class Broken:
    """A kind of broken input.

    Attributes:
        kind: In words.
        spoil: Spoils a database.
        message: A part of the line that must be printed; empty where the input is accepted.
        options: Further arguments of the command.
    """

    kind: str
    spoil: Callable[[Path], None]
    message: str
    options: tuple[str, ...] = ()


def _image(database):
    return database / VICTIM / "patient002_frame01.nii.gz"


def _labels(database):
    return database / VICTIM / "patient002_frame01_gt.nii.gz"


def _with_labels(change):
    def spoil(database):
        save_nifti(_labels(database), change(heart_labels()))

    return spoil


def _with_image(array, **options):
    return lambda database: save_nifti(_image(database), array, **options)


def _with_info(**values):
    return lambda database: write_info(database / VICTIM, **values)


def _with_bytes(path, change):
    def spoil(database):
        file = path(database)
        file.write_bytes(change(file.read_bytes()))

    return spoil


def _unknown_label(labels):
    labels[0, 0, 0] = 7
    return labels


def _nan_image():
    image = np.ones(SHAPE, dtype=np.float32)
    image[0, 0, :3] = np.nan
    return image


def _truncated_uncompressed(database):
    _image(database).unlink()
    path = _image(database).with_suffix("")
    save_nifti(path, np.arange(np.prod(SHAPE), dtype=np.int16).reshape(SHAPE))
    path.write_bytes(path.read_bytes()[:-100])


def _two_dimensional(database):
    nib.save(nib.Nifti1Image(np.arange(80, dtype=np.int16).reshape(8, 10), np.eye(4)), _image(database))


def _colour(database):
    array = np.zeros(SHAPE[::-1], dtype=[("R", "u1"), ("G", "u1"), ("B", "u1")])
    nib.save(nib.Nifti1Image(array, np.eye(4)), _image(database))


def _mirrored_labels(database):
    save_nifti(_labels(database), heart_labels(), affine=np.diag([1.0, -1.0, 1.0, 1.0]))


def _unlabelled_test_frame(database):
    folder = write_patient(database / "testing" / "patient150")
    (folder / "patient150_frame03_gt.nii.gz").unlink()


def _spacing(value):
    return lambda database: edit_header(_image(database), pixdim=[1, 1.25, value, 10, 1, 1, 1, 1])


def _short_cine(database):
    save_nifti(database / VICTIM / "patient002_4d.nii.gz", np.ones((3, *SHAPE), dtype=np.int16))


BROKEN_PATIENTS = (
    Broken("labels missing", lambda d: _labels(d).unlink(), "frame01_gt.nii.gz: expected the labels of ED"),
    Broken("labels of another shape", _with_labels(lambda x: x[:3]), "the shape of its image, 20x24x4, got 20x24x3"),
    Broken("unknown label value", _with_labels(_unknown_label), "expected labels [0, 1, 2, 3], got also [7]"),
    Broken("labels 0.999", _with_labels(lambda x: x * 0.999), "expected whole numbers as labels, got 1.998"),
    Broken("NaN in the labels", _with_labels(lambda x: np.where(x == 2, np.nan, x)), "got NaN or infinity"),
    Broken("no label at all", _with_labels(np.zeros_like), "expected labels, got 0 in every voxel"),
    Broken("labels of a series", _with_labels(lambda x: np.stack([x, x])), "expected 3 dimensions, got 20x24x4x2"),
    Broken(
        "spacing of the labels differs",
        lambda d: save_nifti(_labels(d), heart_labels(), spacing=(10, 1.4, 1.25)),
        "expected the spacing of its image, 1.25x1.5x10 mm, got 1.25x1.4x10 mm",
    ),
    Broken("labels mirrored by their header", _mirrored_labels, "got an axis turned by 180 degrees"),
    Broken("NaN in the image", _with_image(_nan_image()), "got NaN or infinity in 3 voxels"),
    Broken("image all zero", _with_image(np.zeros(SHAPE, np.int16)), "expected an image, got 0 in every voxel"),
    Broken("image of two dimensions", _two_dimensional, "expected 3 dimensions, got 8x10"),
    Broken("colour image", _colour, "expected one number per voxel"),
    Broken("spacing 0", _spacing(0), "expected a positive spacing, got 1.25x0x10 mm"),
    Broken("negative spacing", _spacing(-1.5), "expected a positive spacing, got 1.25x-1.5x10 mm"),
    Broken("spacing NaN", _spacing(np.nan), "expected a positive spacing, got 1.25xnanx10 mm"),
    Broken("affine without a third axis", _with_image(np.arange(1920).reshape(SHAPE), dtype=np.int16, affine=SINGULAR),
           "an axis of length 0"),
    Broken("gzip cut off", _with_bytes(_image, lambda x: x[: len(x) // 2]), "got a damaged one"),
    Broken("gzip with a wrong byte", _with_bytes(_image, lambda x: x[:900] + b"\0\0" + x[902:]), "got a damaged"),
    Broken("plain NIfTI cut off", _truncated_uncompressed, "got a damaged one"),
    Broken("0 bytes", _with_bytes(_image, lambda _: b""), "expected a NIfTI file, got 0 bytes"),
    Broken("compressed text", _with_bytes(_image, lambda _: gzip.compress(b"no image" * 99)), "got something else"),
    Broken("text named .nii.gz", _with_bytes(_image, lambda _: b"<html>404</html>" * 99), "got something else"),
    Broken("ED frame of Info.cfg absent", _with_info(ED=2, ES=3), "expected the ED frame of Info.cfg, found patient"),
    Broken("Info.cfg missing", lambda d: (d / VICTIM / "Info.cfg").unlink(), "Info.cfg: cannot be read"),
    Broken("Info.cfg without ED", _with_info(ES=3, Group="NOR"), "expected the key ED, got ES, Group"),
    Broken("ED is no number", _with_info(ED="one", ES=3), "expected ED to be a frame number from 1, got 'one'"),
    Broken("ED and ES the same", _with_info(ED=1, ES=1), "expected ED and ES to be different frames, got 1 for both"),
    Broken(
        "patient in training and testing",
        lambda d: shutil.copytree(d / VICTIM, d / "testing" / "patient002"),
        "expected one folder, found training/patient002, testing/patient002",
    ),
    Broken("fewer cine frames than in Info.cfg", _short_cine, "expected 4 frames as in", ("--frames", "all")),
)  # fmt: skip

BROKEN_TEST_PATIENT = Broken(
    "test patient with labels of one frame",
    _unlabelled_test_frame,
    "patient150_frame03_gt.nii.gz: expected the labels of ES",
)

SHEARED_AFFINE = Broken(
    "sheared affine", _with_image(np.arange(1920).reshape(SHAPE), dtype=np.int16, affine=SHEARED), ""
)
