"""Kinds of broken EMIDEC input: each spoils Case_P002 of a small data set.

Used by the tests of the converter and by benchmarks/broken_emidec.py, which prints what the command says to each.
"""

from __future__ import annotations

import shutil

import numpy as np
from helpers.broken_inputs import Broken, broken_images, broken_labels, change_voxels, sheared_affine
from helpers.emidec_files import TESTING, TRAINING, write_clinical

VICTIM = f"{TRAINING}/Case_P002"


def _image(database):
    return database / VICTIM / "Images" / "Case_P002.nii.gz"


def _labels(database):
    return database / VICTIM / "Contours" / "Case_P002.nii.gz"


def _text(database):
    return database / TRAINING / "Case P002.txt"


def _series(database):
    change_voxels(_labels(database), lambda labels: np.stack([labels, labels]))


def _swapped_axes(database):
    """The contours of a transposed image: same spacing in the header, rows and columns exchanged."""
    change_voxels(_labels(database), lambda labels: labels.swapaxes(-1, -2).copy())


def _contours_of_another(database):
    _labels(database).rename(_labels(database).with_name("Case_P001.nii.gz"))


def _empty_text(database):
    _text(database).write_bytes(b"")


def _odd_text(database):
    """Bytes that are no letters, a number with a comma, values left out."""
    write_clinical(_text(database), encoding="utf-8", **{"Troponin ": "1,1", "FEVG ": "", "NTProBNP ": "?"})
    _text(database).write_bytes(_text(database).read_bytes() + b"Remark : \xff\xfe\x00\r\n")


BROKEN_CASES = (
    Broken("contours missing", lambda d: _labels(d).unlink(), "Contours/Case_P002.nii.gz: expected the contours"),
    Broken("folder Contours missing", lambda d: shutil.rmtree(_labels(d).parent), "found no such folder"),
    Broken("image missing", lambda d: _image(d).unlink(), "Images/Case_P002.nii.gz: expected the image, found none"),
    Broken("contours of another case", _contours_of_another, "expected the contours, found Case_P001.nii.gz"),
    *broken_labels(_labels, largest=4),
    Broken("labels of a series", _series, "Contours/Case_P002.nii.gz: expected 3 dimensions, got 20x24x5x2"),
    Broken("rows and columns of the labels swapped", _swapped_axes, "expected the shape of its image, 20x24x5, got"),
    *broken_images(_image),
    Broken(
        "case in two folders",
        lambda d: shutil.copytree(d / VICTIM, d / TESTING / "Case_P002"),
        f"expected one folder, found {TRAINING}/Case_P002, {TESTING}/Case_P002",
    ),
)  # fmt: skip

# Accepted: what is wrong is repaired, or costs cells of cases.csv only.
ODD_BUT_GOOD = (
    sheared_affine(_image),
    Broken("clinical text missing", lambda d: _text(d).unlink(), "", exit_code=0),
    Broken("clinical text empty", _empty_text, "", exit_code=0),
    Broken("clinical text in another encoding, with gaps", _odd_text, "", exit_code=0),
)
