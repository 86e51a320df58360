"""Kinds of broken M&Ms input: each spoils B0B1C2 or D0B1C2 of the small data set of `mnms_files`, or its csv.

Used by the tests of the converter and by benchmarks/broken_mnms.py, which prints what the command says to each.
"""

from __future__ import annotations

import shutil
from dataclasses import replace

import numpy as np
from helpers.broken_inputs import Broken, broken_images, broken_labels, change_voxels, sheared_affine
from helpers.mnms_files import CSV_NAME, FRAMES, PLACES, dataset_rows, row, source_labels, write_rows, write_subject

VICTIM = "Training/Labeled/B0B1C2"
UNLABELLED = "Training/Unlabeled/D0B1C2"


def _image(dataset):
    return dataset / VICTIM / "B0B1C2_sa.nii.gz"


def _labels(dataset):
    return dataset / VICTIM / "B0B1C2_sa_gt.nii.gz"


def _with_frames(*filled):
    """Labels in these frames, the left ventricle smaller from one to the next."""

    def spoil(dataset):
        labels = np.zeros((FRAMES, *source_labels().shape))
        for shrink, frame in enumerate(filled):
            labels[frame] = source_labels(shrink=0.5 * shrink)
        write_subject(dataset / VICTIM, labels=labels)

    return spoil


def _with_rows(*rows):
    """A csv with these rows instead of the subject's own."""
    return lambda dataset: write_rows(dataset / CSV_NAME, dataset_rows(*rows))


def _without_row(code):
    rows = [cells for cells in dataset_rows() if cells["External code"] != code]
    return lambda dataset: write_rows(dataset / CSV_NAME, rows)


def _short_labels(dataset):
    change_voxels(_labels(dataset), lambda labels: labels[:3])


def _second_folder(dataset):
    shutil.copytree(dataset / VICTIM, dataset / "Testing" / "B0B1C2")


def _turned_labels(dataset):
    change_voxels(_labels(dataset), lambda labels: labels.swapaxes(-1, -2))


def _missing(path):
    return lambda dataset: path(dataset).unlink()


BROKEN_SUBJECTS = (
    Broken("labels missing", _missing(_labels), "expected the labels of a subject of Training/Labeled, found none"),
    Broken("image missing", _missing(_image), "expected the short-axis series, found B0B1C2_sa_gt.nii.gz"),
    *(kind for kind in broken_labels(_labels) if kind.kind != "no label at all"),
    Broken("no label at all", _with_frames(), "expected labels in the frames of ED and ES, found them in none"),
    Broken("labels in one frame", _with_frames(1), "frames of ED and ES, found them in frame 1"),
    Broken("labels in three frames, others in the csv", _with_frames(0, 1, 3), "found them in frames 0, 1, 3"),
    Broken("fewer frames of labels", _short_labels, "expected as many frames as its image, 4, got 3"),
    Broken("rows and columns of the labels swapped", _turned_labels, "expected the shape of its image, 20x24x4"),
    *broken_images(_image),
    Broken("subject in Labeled and Testing", _second_folder, "expected one folder, found Testing/B0B1C2, Training"),
    Broken("two rows that differ", _with_rows(row("B0B1C2"), row("B0B1C2", ed=1)), "one row of B0B1C2, got 2 that"),
)
BROKEN_UNLABELLED = (
    Broken("no row of an unlabelled subject", _without_row("D0B1C2"), f"no row in {CSV_NAME}"),
    Broken("ED of an unlabelled subject is no number", _with_rows(row("D0B1C2", ed="first")), "from 0, got 'first'"),
    Broken("ES beyond the cycle", _with_rows(row("D0B1C2", es=9)), "expected at least 10 frames, got 4"),
    Broken("ED and ES the same", _with_rows(row("D0B1C2", es=0)), "to be different frames, got 0 for both"),
    Broken("no csv", lambda dataset: (dataset / CSV_NAME).unlink(), "no csv with the column External code"),
)
NO_VENDOR = Broken(
    "no row, --leave-out vendor",
    _without_row("B0B1C2"),
    "expected a vendor in the csv for --leave-out vendor, found none",
    ("--leave-out", "vendor"),
)
NOTHING_TO_LEAVE_OUT = Broken(
    "one vendor, --leave-out vendor",
    _with_rows(*(row(code) for code in PLACES)),
    "--leave-out vendor: expected two values of vendor or more to leave one out, got Siemens",
    ("--leave-out", "vendor"),
    exit_code=2,
)
# Accepted and noted in the report, where the message stands.
REPAIRED = (
    Broken(
        "csv with ED and ES swapped",
        _with_rows(row("B0B1C2", vendor="B", ed=2, es=0)),
        "the csv says ED 2 and ES 0, the labels ED 0 and ES 2, which are used",
        exit_code=0,
    ),
    Broken(
        "csv with another ES",
        _with_rows(row("B0B1C2", es=3)),
        "the csv says ED 0 and ES 3, the labels ED 0 and ES 2, which are used",
        exit_code=0,
    ),
    Broken(
        "no row of a labelled subject",
        _without_row("B0B1C2"),
        f"no row in {CSV_NAME}: vendor, centre and group unknown",
        exit_code=0,
    ),
    Broken(
        "labels in three frames, two of them in the csv",
        _with_frames(0, 2, 3),
        "labels in frames 0, 2, 3; those of the csv are used",
        exit_code=0,
    ),
    Broken(
        "slice axis elsewhere in the file",
        lambda dataset: write_subject(dataset / VICTIM, slices_along=0),
        "slices lie along axis 1 of 3, which is made the slice axis",
        exit_code=0,
    ),
    replace(sheared_affine(_image), message="B0B1C2_sa.nii.gz: axes 5.71 degrees off right angles"),
)

