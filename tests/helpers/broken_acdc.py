"""Kinds of broken ACDC input: each spoils patient002 of a small database, or the database as a whole.

Used by the tests of the converter and by benchmarks/broken_acdc.py, which prints what the command says to each.
"""

from __future__ import annotations

import shutil

import numpy as np
from helpers.acdc_files import SHAPE, save_nifti, write_info, write_patient
from helpers.broken_inputs import Broken, broken_images, broken_labels, change_voxels, sheared_affine

VICTIM = "training/patient002"


def _image(database):
    return database / VICTIM / "patient002_frame01.nii.gz"


def _labels(database):
    return database / VICTIM / "patient002_frame01_gt.nii.gz"


def _with_info(**values):
    return lambda database: write_info(database / VICTIM, **values)


def _label_series(database):
    change_voxels(_labels(database), lambda labels: np.stack([labels, labels]))


def _unlabelled_test_frame(database):
    folder = write_patient(database / "testing" / "patient150")
    (folder / "patient150_frame03_gt.nii.gz").unlink()


def _short_cine(database):
    save_nifti(database / VICTIM / "patient002_4d.nii.gz", np.ones((3, *SHAPE), dtype=np.int16))


BROKEN_PATIENTS = (
    Broken("labels missing", lambda d: _labels(d).unlink(), "frame01_gt.nii.gz: expected the labels of ED"),
    *broken_labels(_labels),
    Broken("labels of a series", _label_series, "expected 3 dimensions, got 20x24x4x2"),
    *broken_images(_image),
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

SHEARED_AFFINE = sheared_affine(_image)
