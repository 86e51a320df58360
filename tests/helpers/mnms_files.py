"""Tiny subjects in M&Ms' official layout: series of 4 frames, labels as float64 in two of them, LV 1 and RV 3."""

from __future__ import annotations

import csv
from pathlib import Path

import nibabel as nib
import numpy as np
from helpers.acdc_files import SHAPE, SPACING, heart_labels

FRAMES = 4
CSV_NAME = "211230_M&Ms_Dataset_information_diagnosis_opendataset.csv"
COLUMNS = (
    "", "External code", "VendorName", "Vendor", "Centre", "ED", "ES", "Age", "Pathology", "Sex", "Height", "Weight",
)  # fmt: skip
VENDOR_NAMES = {"A": "Siemens", "B": "Philips", "C": "GE", "D": "Canon"}
# Directions of the file's axes x, y, z by the names that nibabel gives them.
AXES = {
    "LPS": np.diag([-1.0, -1.0, 1.0]),
    "RAS": np.eye(3),
    "PIR": np.array([[0, 0, 1], [-1, 0, 0], [0, -1, 0.0]]),
    "PIL": np.array([[0, 0, -1], [-1, 0, 0], [0, -1, 0.0]]),
}


def source_labels(shrink=0):
    """`heart_labels` with the values of M&Ms."""
    return heart_labels(shrink=shrink).choose([0, 3, 2, 1]).astype(np.float64)


def save_series(path, array, *, axes=AXES["LPS"], slices_along=2, spacing=SPACING):
    """Write (frame, slice, row, column) with pixdim[4] = 0; the slices may lie along another axis of the file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    data = np.moveaxis(array.T, 2, slices_along)
    order = [0, 1]
    order.insert(slices_along, 2)
    affine = np.eye(4)
    affine[:3, :3] = (axes * spacing[::-1])[:, order]
    image = nib.Nifti1Image(data, affine)
    image.header["pixdim"][4] = 0
    nib.save(image, path)


def write_subject(folder, *, ed=0, es=2, labelled=True, labels=None, frames=FRAMES, **layout):
    """Write one subject's folder and return it; unlabelled ones get the empty label file that they officially have."""
    folder = Path(folder)
    generator = np.random.default_rng(list(folder.name.encode()))
    save_series(folder / f"{folder.name}_sa.nii.gz", generator.integers(1, 999, (frames, *SHAPE), np.int16), **layout)
    if labels is None:
        labels = np.zeros((frames, *SHAPE))
        if labelled:
            labels[ed], labels[es] = source_labels(), source_labels(shrink=1)
    save_series(folder / f"{folder.name}_sa_gt.nii.gz", labels, **layout)
    return folder


def row(code, *, vendor="A", centre="1", ed=0, es=2, group="NOR", **cells):
    """The csv row of a subject."""
    return {
        "External code": code, "VendorName": VENDOR_NAMES.get(vendor, ""), "Vendor": vendor, "Centre": centre,
        "ED": ed, "ES": es, "Age": 41, "Pathology": group, "Sex": "F", "Height": 170.0, "Weight": 70.5,
    } | cells  # fmt: skip


def write_rows(path, rows, *, columns=COLUMNS, delimiter=",", encoding="utf-8"):
    """Write the csv; the first column numbers the rows."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding=encoding) as stream:
        writer = csv.DictWriter(stream, columns, delimiter=delimiter, extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        writer.writerows({"": number} | dict(cells) for number, cells in enumerate(rows))


PLACES = {
    "A0B1C2": ("Training/Labeled", "A", "1"), "B0B1C2": ("Training/Labeled", "B", "2"),
    "C0B1C2": ("Training/Labeled", "B", "3"), "D0B1C2": ("Training/Unlabeled", "C", "4"),
    "E0B1C2": ("Validation", "D", "5"), "F0B1C2": ("Testing", "C", "4"),
}  # fmt: skip


def dataset_rows(*others):
    """The csv rows of the small data set, with `others` instead of those of the same code."""
    own = {cells["External code"] for cells in others}
    rows = [row(c, vendor=vendor, centre=centre) for c, (_, vendor, centre) in PLACES.items() if c not in own]
    return [*rows, *others]


def write_dataset(root):
    """Write three labelled subjects of vendors A and B, one unlabelled of C, validation of D, testing of C."""
    root = Path(root)
    for code, (part, _, _) in PLACES.items():
        write_subject(root / part / code, labelled=part != "Training/Unlabeled")
    write_rows(root / CSV_NAME, dataset_rows())
    return root
