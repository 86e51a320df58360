"""Pathology mixup as in figure 1 of paper 001: moving, fixed and mixed slice, and the soft labels, on phantoms.

    python benchmarks/mixup_picture.py -o docs/images/pathology_mixup.png [--subjects 7 1] [--share 0.5] [--height 0.5]

The first subject is the moving one, the second the fixed one; both are drawn by their numbers, so nothing is read.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import matplotlib as mpl
import numpy as np

mpl.use("Agg")
import matplotlib.pyplot as plt

from nnunet_cardiac_ext.anatomy import LGE
from nnunet_cardiac_ext.data.heart_slices import heart_slices, left_ventricle_labels
from nnunet_cardiac_ext.data.pathology_mixup import Registration, mix
from nnunet_cardiac_ext.phantoms.lge_subject import draw_lge_subject, label_lge, paint_lge

HALF = 34  # pixels shown around the heart
COLOURS = np.array([[0, 0, 0], [0.16, 0.44, 0.85], [0.25, 0.7, 0.35], [0.95, 0.6, 0.1], [0.8, 0.1, 0.2]])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-o", dest="output", type=Path, required=True)
    parser.add_argument("--subjects", type=int, nargs=2, default=[7, 1], metavar=("MOVING", "FIXED"))
    parser.add_argument("--share", type=float, default=0.5, help="lambda, the weight of the fixed slice")
    parser.add_argument("--height", type=float, default=0.5, help="0 the base, 1 the apex")
    arguments = parser.parse_args()
    (moving, moving_labels, there), (fixed, labels, here) = (
        slice_of(number, arguments.height) for number in arguments.subjects
    )
    registration = Registration.of(here, there)
    mixed, other = mix(
        fixed[None], labels, moving[None], moving_labels, registration,
        share=arguments.share, heart=left_ventricle_labels(LGE),
    )  # fmt: skip
    shares = arguments.share * np.eye(5)[labels] + (1 - arguments.share) * np.eye(5)[other]
    columns = [
        ("moving", moving, np.eye(5)[moving_labels], there.centre),
        ("fixed", fixed, np.eye(5)[labels], here.centre),
        (f"mixed, $\\lambda$ = {arguments.share:g}", mixed[0], shares, here.centre),
    ]
    draw(columns, arguments.output)
    print(f"Written: {arguments.output} (scale {registration.scale:.3f})")


def slice_of(number, height):
    """Image (grey levels scaled to [0, 1]), labels and heart of a pathological subject's slice nearest to a height."""
    subject = draw_lge_subject("P", (0, number))
    image, labels = paint_lge(subject), label_lge(subject)
    heart = min(heart_slices(labels, LGE), key=lambda each: abs(each.height - height))
    plane = image[heart.index]
    low, high = np.percentile(around(plane, heart.centre), (1, 99.5))
    return np.clip((plane - low) / (high - low), 0, 1), labels[heart.index].astype(np.int16), heart


def draw(columns, output):
    figure, axes = plt.subplots(2, 3, figsize=(6.6, 4.6), layout="constrained")
    for (image_axis, label_axis), (title, image, shares, centre) in zip(axes.T, columns, strict=True):
        image_axis.imshow(around(image, centre), cmap="gray", vmin=0, vmax=1)
        label_axis.imshow(around(shares @ COLOURS, centre))
        image_axis.set_title(title, fontsize=10)
        for axis in (image_axis, label_axis):
            axis.axis("off")
    names = (*LGE.structures,)
    handles = [plt.Rectangle((0, 0), 1, 1, color=COLOURS[LGE.values[name]]) for name in names]
    figure.legend(handles, names, loc="outside lower center", ncols=len(names), fontsize=8, frameon=False)
    output.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(output, dpi=80, pil_kwargs={"optimize": True})


def around(plane, centre):
    padding = [(HALF, HALF), (HALF, HALF)] + [(0, 0)] * (plane.ndim - 2)
    row, column = (round(value) for value in centre)
    return np.pad(plane, padding)[row : row + 2 * HALF, column : column + 2 * HALF]


if __name__ == "__main__":
    main()
