"""Kinds of broken M&Ms-2 input: each spoils subject 002 of the small data set of `mnms2_files`, or its csv.

Used by the tests of the converter and by benchmarks/broken_mnms2.py, which prints what the command says to each.
"""

from __future__ import annotations

import shutil

import numpy as np
from helpers.acdc_files import save_nifti
from helpers.broken_inputs import Broken, broken_images, broken_labels, change_voxels, edit_header, sheared_affine
from helpers.mnms2_files import AFFINES, HEADER, SPACINGS, csv_row, grey_values, labels_of

VICTIM = "dataset/002"
CSV = "dataset_information.csv"
LONG = ("--view", "la")
ALL = ("--frames", "all")


def path_of(dataset, kind, view="SA", code="002"):
    return dataset / "dataset" / code / f"{code}_{view}_{kind}.nii.gz"


def _image(dataset):
    return path_of(dataset, "ED")


def _labels(dataset):
    return path_of(dataset, "ED_gt")


def _removed(kind, view="SA", code="002"):
    return lambda dataset: path_of(dataset, kind, view, code).unlink()


def _second_folder(dataset):
    shutil.copytree(dataset / VICTIM, dataset / "validation" / "002")


def _with_rows(*rows):
    return lambda dataset: (dataset / CSV).write_text("\n".join([HEADER, *rows]) + "\n")


def _two_slices(dataset):
    change_voxels(path_of(dataset, "ED", "LA"), lambda image: np.concatenate([image, image]))


def _coarse(dataset):
    path = path_of(dataset, "ED", "LA")
    save_nifti(path, grey_values("002", "LA")[0], spacing=(1.0, 9.0, 9.0), affine=AFFINES["LA"])


def _fewer_slices(dataset):
    change_voxels(path_of(dataset, "CINE"), lambda series: series[:, :-1])


def _wrong_series_spacing(dataset):
    edit_header(path_of(dataset, "CINE"), pixdim=[1, 1, 1, 1, 0, 0, 0, 0])


def _turned_labels(dataset):
    change_voxels(_labels(dataset), lambda labels: labels.swapaxes(-1, -2))


def _slices_first(dataset):
    """Slices along the first axis of image and labels, as some scanners' exports have them."""
    thickness, *in_plane = SPACINGS["SA"]
    for kind, array in (("ED", grey_values("002", "SA")[0]), ("ED_gt", labels_of("SA", "ED"))):
        turned = np.moveaxis(array, 0, -1)  # the last axis here is the file's first
        save_nifti(
            path_of(dataset, kind), turned, spacing=(*in_plane, thickness), affine=AFFINES["SA"][:, [2, 0, 1, 3]]
        )


BROKEN_SUBJECTS = (
    *broken_labels(_labels),
    *broken_images(_image),
    Broken("labels with rows and columns swapped", _turned_labels, "expected the shape of its image, 20x24x4, got 24"),
    Broken("labels missing", _removed("ED_gt"), "002_SA_ED_gt.nii.gz: expected the labels of ED, found none"),
    Broken("frame missing", _removed("ES"), "002_SA_ES.nii.gz: expected the frame of ES, found 002_SA_CINE.nii.gz"),
    Broken("subject in two parts", _second_folder, "expected one folder, found dataset/002, validation/002"),
    Broken("two csv rows that differ", _with_rows(csv_row(2), "2,HCM,,,"), "expected one row of 002"),
    Broken("long axis of two slices", _two_slices, "002_LA_ED.nii.gz: expected a single slice, got 2", LONG),
    Broken("long-axis pixels of 9 mm", _coarse, "expected pixels of some millimetres, got 9 mm", LONG),
    Broken("series of other slices", _fewer_slices, "expected frames of the shape of 002_SA_ED.nii.gz", ALL),
)  # fmt: skip

BROKEN_TEST_SUBJECT = Broken(
    "test subject with labels of one frame",
    _removed("ES_gt", code="201"),
    "201_SA_ES_gt.nii.gz: expected the labels of ES, found none",
)

# Accepted: the message is a part of a note in conversion_report.json.
REPAIRED = (
    sheared_affine(_image),
    Broken("csv missing", lambda d: (d / CSV).unlink(), "no dataset_information.csv: group", exit_code=0),
    Broken("csv row missing", _with_rows(csv_row(1), csv_row(3)), "no row in dataset_information.csv", exit_code=0),
    Broken("slices along the first axis", _slices_first, "slices lie along axis 1 of 3", exit_code=0),
    Broken("spacing of a series wrong", _wrong_series_spacing, "that of 002_SA_ED.nii.gz is used", ALL, exit_code=0),
)
