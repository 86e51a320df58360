"""Phantoms beside real patients: do they fool a glance, and where do their grey levels and shapes differ?

    python benchmarks/phantom_gallery.py -p PHANTOMS/training -o gallery.png [-r ACDC/training] [-n 6]

Draws one column per subject (the real ones first), at end-diastole and end-systole the first, middle and last labelled
slice about the heart, and prints contrast and shape of both. With real patients the picture holds licensed data and
must stay outside the repository.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import matplotlib as mpl
import nibabel as nib
import numpy as np
from scipy import ndimage

mpl.use("Agg")
import matplotlib.pyplot as plt

HALF = 75.0  # mm around the heart
COLOURS = ("cyan", "lime", "red")


def load(patient, phase):
    info = dict(line.split(": ") for line in (patient / "Info.cfg").read_text().splitlines() if ": " in line)
    path = patient / f"{patient.name}_frame{int(info[phase]):02d}.nii.gz"
    image = nib.load(path)
    labels = np.asarray(nib.load(str(path).replace(".nii", "_gt.nii")).dataobj).T.astype(int)
    return np.asarray(image.dataobj).T.astype(float), labels, image.header.get_zooms()[0], info["Group"]


def around(plane, centre, voxel):
    half = int(HALF / voxel)
    padded = np.pad(plane, half)
    row, column = (round(float(value)) for value in centre)
    return padded[row : row + 2 * half, column : column + 2 * half]


def draw(patients, output, contours):
    figure, axes = plt.subplots(6, len(patients), figsize=(1.7 * len(patients), 10.6), squeeze=False)
    for column, patient in enumerate(patients):
        for half, phase in enumerate(("ED", "ES")):
            image, labels, voxel, group = load(patient, phase)
            centre = ndimage.center_of_mass(labels > 0)[1:]
            filled = np.flatnonzero((labels > 0).any((1, 2)))
            for row, index in enumerate((filled[0], filled[len(filled) // 2], filled[-1])):
                axis = axes[3 * half + row, column]
                axis.imshow(around(image[index], centre, voxel), cmap="gray", vmin=0, vmax=np.percentile(image, 99.3))
                if contours:
                    axis.contour(around(labels[index], centre, voxel), [0.5, 1.5, 2.5], colors=COLOURS, linewidths=0.6)
                axis.set_title(f"{group} {phase} slice {index + 1}", fontsize=7, pad=2)
                axis.axis("off")
    figure.tight_layout(pad=0.2)
    figure.savefig(output, dpi=70, pil_kwargs={"optimize": True})


def describe(patients):
    rows = []
    for patient in patients:
        for phase in ("ED", "ES"):
            image, labels, voxel, _ = load(patient, phase)
            rv, muscle, lv = (image[labels == value] for value in (1, 2, 3))
            ring = ndimage.binary_dilation(labels > 0, np.ones((1, 3, 3)), 8) & (labels == 0)
            areas = (labels == 3).sum((1, 2)) * voxel**2
            rows.append(
                {
                    "LV/MYO": np.median(lv) / np.median(muscle), "RV/LV": np.median(rv) / np.median(lv),
                    "cv LV": lv.std() / lv.mean(), "cv RV": rv.std() / rv.mean(),
                    "cv MYO": muscle.std() / muscle.mean(), "ring median/LV": np.median(image[ring]) / np.median(lv),
                    "p99/LV": np.percentile(image, 99) / np.median(lv),
                    "p50/LV": np.median(image) / np.median(lv), "LV area mm2": areas.max(),
                    "RV/LV voxels": rv.size / lv.size, "MYO/LV voxels": muscle.size / lv.size,
                }
            )  # fmt: skip
    return {key: (np.mean([r[key] for r in rows]), np.std([r[key] for r in rows])) for key in rows[0]}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("-p", "--phantoms", type=Path, required=True)
    parser.add_argument("-r", "--real", type=Path)
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("-n", "--number", type=int, default=5, help="subjects of each kind in the picture")
    parser.add_argument("--contours", action="store_true", help="draw the labels")
    arguments = parser.parse_args()
    kinds = {"phantoms": sorted(arguments.phantoms.glob("patient*"))}
    if arguments.real:
        kinds = {"real": sorted(arguments.real.glob("patient*"))} | kinds
    shown = [p for k in kinds.values() for p in k[:: max(1, len(k) // arguments.number)][: arguments.number]]
    draw(shown, arguments.output, arguments.contours)
    tables = {name: describe(patients) for name, patients in kinds.items()}
    print(f"{'':16}" + "".join(f"{name:>18}" for name in tables))
    for key in next(iter(tables.values())):
        print(f"{key:16}" + "".join(f"{t[key][0]:11.2f} ± {t[key][1]:4.2f}" for t in tables.values()))


if __name__ == "__main__":
    main()
