"""Tiny cases in EMIDEC's official layout: clinical text in latin-1, image and contours of one name, a wrong affine."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from helpers.acdc_files import save_nifti

SHAPE = (5, 24, 20)  # slice, row, column
SPACING = (13.0, 1.5, 1.25)
TRAINING = "emidec-dataset-1.0.1"
TESTING = "emidec-segmentation-testset-1.0.0"
# As the official files have them: a non-breaking space before some colons, spaces or none before others.
CLINICAL = {
    "Gap between slices\u00a0": "13 mm", "Sex\u00a0": "M", "Age ": "65 ", "Tobacco ": "3", "Overweight ": "Y",
    "Arterial hypertension ": "Y", "Diabetes ": "N", "Familial history of coronary artery disease": "N",
    "ECG (ST +) ": "Y", "Troponin ": "110", "Killip Max": "1", "FEVG ": "55", "NTProBNP ": "36",
}  # fmt: skip


def lge_labels(*, apex_first=True, shape=SHAPE):
    """A ring with an infarct on one side from slice 1 to 3 and no-reflow inside it in slice 2, wider at the base."""
    rows, columns = np.mgrid[: shape[1], : shape[2]]
    labels = np.zeros(shape, dtype=np.uint8)
    for z in range(shape[0]):
        distance = np.hypot(rows - 12, columns - 10)
        outer, inner = 5 + 0.8 * z, 2 + 0.6 * z
        labels[z][distance < outer] = 2
        labels[z][(distance < outer) & (columns > 11) & (z in (1, 2, 3))] = 3
        labels[z][(distance < inner + 1.5) & (columns > 12) & (z == 2)] = 4
        labels[z][distance < inner] = 1
    return labels if apex_first else labels[::-1].copy()


def write_clinical(path, *, encoding="latin-1", **changes):
    """Write the text of a case; `changes` replace values by their key as it stands in `CLINICAL`."""
    facts = CLINICAL | changes
    text = "\r\n".join([path.stem, "", *(f"{key}: {value}" for key, value in facts.items()), ""])
    path.write_bytes(text.encode(encoding))


def write_case(folder, *, labels=True, clinical=True, dtype=np.float64, apex_first=True, suffix=".nii.gz"):
    """Write one case and, beside its folder, its clinical text; the grey values differ from case to case."""
    folder = Path(folder)
    folder.mkdir(parents=True)
    generator = np.random.default_rng(int(folder.name[-3:]))
    image = generator.integers(0, 4096, SHAPE).astype(np.float64)
    save_nifti(folder / "Images" / f"{folder.name}{suffix}", image, spacing=SPACING)
    if labels:
        array = lge_labels(apex_first=apex_first).astype(dtype)
        save_nifti(folder / "Contours" / f"{folder.name}{suffix}", array, spacing=SPACING)
    if clinical:
        write_clinical(folder.parent / f"{folder.name.replace('_', ' ')}.txt")
    return folder


def write_database(root, *, pathological=2, normal=1, testing=1):
    """Write both parts below `root` and return it; numbers go on from pathological to normal cases."""
    root = Path(root)
    for number in range(1, pathological + normal + 1):
        group = "P" if number <= pathological else "N"
        write_case(root / TRAINING / f"Case_{group}{number:03d}", dtype=np.float64 if number % 2 else np.uint8)
    for number in range(101, 101 + testing):
        write_case(root / TESTING / f"Case_{number}", labels=False)
    return root
