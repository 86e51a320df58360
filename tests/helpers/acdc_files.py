"""Tiny patients in ACDC's official layout, with the wrong affine of the official files."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np

SHAPE = (4, 24, 20)  # slice, row, column
SPACING = (10.0, 1.5, 1.25)
WRONG_AFFINE = np.diag([-1.0, -1.0, 1.0, 1.0])


def heart_labels(shape=SHAPE, shrink=0):
    """A left ventricle with a wall and a right ventricle beside it, smaller towards the last slice."""
    rows, columns = np.mgrid[: shape[1], : shape[2]]
    labels = np.zeros(shape, dtype=np.uint8)
    for z in range(shape[0]):
        distance = np.hypot(rows - 12, columns - 12)
        labels[z][np.hypot(rows - 12, columns - 5) < 4 - z] = 1
        labels[z][distance < 6.5 - z] = 2
        labels[z][distance < 4 - 0.5 * z - shrink] = 3
    return labels


def save_nifti(path, array, *, spacing=SPACING, affine=WRONG_AFFINE, dtype=None):
    """Write (slice, row, column) as the ACDC files are: qform_code 0, a given sform, the spacing only in pixdim."""
    path.parent.mkdir(parents=True, exist_ok=True)
    image = nib.Nifti1Image(np.asarray(array, dtype=dtype).T, None)
    image.header.set_zooms((*spacing[::-1], *(1.0,) * (array.ndim - 3)))
    image.header.set_sform(affine, code=2)
    image.header["qform_code"] = 0
    # get_fdata and to_filename must not overwrite what was just set.
    image._affine = None
    nib.save(image, path)


def write_info(folder, **values):
    lines = [f"{key}: {value}\n" for key, value in values.items() if value is not None]
    (folder / "Info.cfg").write_text("".join(lines))


def write_patient(folder, *, ed=1, es=3, group="NOR", labelled=True, cine=False, suffix=".nii.gz"):
    """Write one patient folder and return it; the grey values differ from patient to patient."""
    folder = Path(folder)
    folder.mkdir(parents=True)
    generator = np.random.default_rng(int(folder.name[-3:]))
    frames = generator.integers(0, 1000, size=(4, *SHAPE), dtype=np.int16)
    write_info(folder, ED=ed, ES=es, Group=group, Height=170.0, NbFrame=4, Weight=70.5)
    for number, shrink in ((ed, 0.0), (es, 1.0)):
        stem = f"{folder.name}_frame{number:02d}"
        save_nifti(folder / f"{stem}{suffix}", frames[number - 1])
        if labelled:
            save_nifti(folder / f"{stem}_gt{suffix}", heart_labels(shrink=shrink))
    if cine:
        save_nifti(folder / f"{folder.name}_4d{suffix}", frames)
    return folder


def write_database(root, *, training=3, testing=1, **options):
    """Write `root/{training,testing}` and return `root`; patient numbers from 1 and from 101, as in ACDC."""
    groups = ("DCM", "HCM", "MINF", "NOR", "RV")
    root = Path(root)
    for number in range(1, training + 1):
        write_patient(root / "training" / f"patient{number:03d}", group=groups[number % 5], **options)
    for number in range(101, 101 + testing):
        write_patient(root / "testing" / f"patient{number:03d}", group=groups[number % 5], **options)
    return root
