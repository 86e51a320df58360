"""Tiny subjects in M&Ms-2's official layout: both views, labels 1=LV 2=MYO 3=RV, a csv padded like the official one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from helpers.acdc_files import heart_labels, save_nifti

SHAPES = {"SA": (4, 24, 20), "LA": (1, 24, 20)}  # slice, row, column
SPACINGS = {"SA": (10.0, 1.5, 1.25), "LA": (1.0, 1.5, 1.25)}
FRAMES = 4
PHASES = {"ED": 0, "ES": 2}  # index in the series
SOURCE_VALUES = np.array([0, 3, 2, 1])  # canonical RV, MYO, LV as M&Ms-2 numbers them
AFFINES = {view: np.diag([-x, -y, z, 1.0]) for view, (z, y, x) in SPACINGS.items()}
HEADER = "SUBJECT_CODE,DISEASE,VENDOR,SCANNER,FIELD"
VENDORS = ("SIEMENS", "Philips Medical Systems", "GE MEDICAL SYSTEMS")
DISEASES = ("NOR", "HCM")
PADDING = 200


def labels_of(view, phase):
    """Labels as M&Ms-2 has them, float64 as some of its files."""
    return SOURCE_VALUES[heart_labels(SHAPES[view], shrink=float(phase == "ES"))].astype(np.float64)


def grey_values(code, view):
    """The series of a view (frame, slice, row, column); it differs from subject to subject."""
    generator = np.random.default_rng([int(code), len(view), ord(view[0])])
    return generator.integers(0, 1000, size=(FRAMES, *SHAPES[view]), dtype=np.int16)


def write_subject(folder, *, labelled=True, cine=True, views=("SA", "LA"), suffix=".nii.gz"):
    """Write one subject's folder and return it."""
    folder = Path(folder)
    for view in views:
        stem = f"{folder.name}_{view}"
        frames, where = grey_values(folder.name, view), {"spacing": SPACINGS[view], "affine": AFFINES[view]}
        if cine:
            save_nifti(folder / f"{stem}_CINE{suffix}", frames, **where)
        for phase, index in PHASES.items():
            save_nifti(folder / f"{stem}_{phase}{suffix}", frames[index], **where)
            if labelled:
                save_nifti(folder / f"{stem}_{phase}_gt{suffix}", labels_of(view, phase), **where)
    return folder


def csv_row(number):
    return f"{number}.0,{DISEASES[number % 2]},{VENDORS[number % 3]},Scanner {number},1.5"


def write_csv(folder, numbers):
    """Write dataset_information.csv with padding rows between and after those of the subjects."""
    rows = [HEADER, *(csv_row(number) for number in numbers), *[",,,,"] * PADDING]
    (Path(folder) / "dataset_information.csv").write_text("\n".join(rows) + "\n")


def write_dataset(root, *, numbers=(1, 2, 3, 161, 201), **options):
    """Write `root/dataset/NNN` and the csv, the official layout; returns `root`."""
    for number in numbers:
        write_subject(Path(root) / "dataset" / f"{number:03d}", **options)
    write_csv(root, numbers)
    return Path(root)


def write_challenge(root):
    """Write the challenge's copies: validation without labels; returns `root`."""
    for part, number in (("training", 1), ("training", 2), ("validation", 161), ("test", 201)):
        write_subject(Path(root) / part / f"{number:03d}", labelled=part != "validation")
    write_csv(root, (1, 2, 161, 201))
    return Path(root)
