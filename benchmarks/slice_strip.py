"""Draw cases of a converted data set slice by slice, base first, with their labels as contours: to see the slice order.

    python benchmarks/slice_strip.py -d 27 -o strip.png [--cases NAME ...] [--slices 10]

Keep pictures of licensed data outside the repository.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import SimpleITK
from matplotlib.figure import Figure

from dataset_conversion.raw_dataset import LABEL_FOLDERS, RawDataset
from nnunet_cardiac_ext import discovery
from nnunet_cardiac_ext.case_table import FILE_NAME, CaseRow, read_case_table

COLOURS = ("#e69f00", "#56b4e9", "#f0e442", "#d55e00")  # by label value


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-d", type=int, required=True, metavar="ID")
    parser.add_argument("-o", type=Path, required=True, metavar="PNG")
    parser.add_argument("--cases", nargs="+", metavar="NAME", help="default: one of each group")
    parser.add_argument("--slices", type=int, default=10, metavar="N")
    arguments = parser.parse_args()
    dataset = RawDataset(discovery.dataset_folder(discovery.raw_folder(), arguments.d))
    table = read_case_table(dataset.folder / FILE_NAME)
    rows = [row for row in table if row.part in LABEL_FOLDERS and dataset.labels(row).is_file()]
    groups = {row.group: row for row in reversed(rows)}
    chosen = [row for row in rows if row.case in arguments.cases] if arguments.cases else list(groups.values())
    chosen.sort(key=lambda row: row.group)
    # A line per stack; long-axis images, of one slice, stand side by side in one.
    lines, columns = (len(chosen), arguments.slices) if max(row.slices for row in chosen) > 1 else (1, len(chosen))
    figure = Figure(figsize=(1.6 * columns, 1.75 * lines), layout="constrained")
    panels = figure.subplots(lines, columns, squeeze=False)
    for line, row in zip(panels.reshape(len(chosen), -1), chosen, strict=True):
        draw_case(line, dataset, row)
    figure.savefig(arguments.o, dpi=100)


def draw_case(panels: np.ndarray, dataset: RawDataset, row: CaseRow) -> None:
    image, labels = (SimpleITK.ReadImage(str(path)) for path in (dataset.image(row), dataset.labels(row)))
    grey, values = SimpleITK.GetArrayFromImage(image).astype(float), SimpleITK.GetArrayFromImage(labels)
    order = range(len(grey)) if row.base_first is not False else range(len(grey))[::-1]
    shown = np.array(order)[np.unique(np.linspace(0, len(grey) - 1, len(panels)).round().astype(int))]
    rows, columns = (slice(max(0, found.min() - 25), found.max() + 25) for found in np.nonzero(values.any(axis=0)))
    low, high = np.percentile(grey[:, rows, columns], (1, 99.5))
    for panel, index in zip(panels, shown, strict=False):
        aspect = image.GetSpacing()[1] / image.GetSpacing()[0]
        panel.imshow(grey[index, rows, columns], cmap="gray", vmin=low, vmax=high, aspect=aspect)
        for value in np.unique(values[index])[1:]:
            mask = values[index, rows, columns] == value
            panel.contour(mask, [0.5], colors=COLOURS[int(value) - 1], linewidths=0.9)
        panel.text(0.03, 0.03, f"{index}", color="w", transform=panel.transAxes, fontsize=8)
    for panel in panels:
        panel.axis("off")
    order_in_file = {True: " (base first in the file)", False: " (apex first in the file)", None: ""}[row.base_first]
    panels[0].set_title(f"{row.case} {row.group}{order_in_file}", fontsize=8, loc="left")


if __name__ == "__main__":
    main()
