"""How often `regions.base_is_first` and each of its cues agree with the eye on real stacks.

    python benchmarks/base_end_agreement.py DATA [-o DIR]

DATA holds acdc/training, emidec and mnms/Testing in their official layouts; what is missing is left out. With -o the
sheets of all stacks with their contours are drawn, so that the eye's verdict below can be checked.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import nibabel
import numpy as np

from nnunet_cardiac_ext.anatomy import CINE
from nnunet_cardiac_ext.regions import base_end_cues, base_is_first

# What the eye saw on the images, slice by slice: which stacks begin at the base.
BASE_FIRST_BY_EYE = {"ACDC": True, "EMIDEC": False, "M&Ms": False}
EXCEPTIONS = {
    "Case_P063"
}  # large RV in slice 0, stomach below the last slice: this one EMIDEC stack begins at the base
MMS = {"LV": 1, "MYO": 2, "RV": 3}
ROWS_PER_SHEET = 12
COLOURS = ("deepskyblue", "gold", "red")


class Stack(NamedTuple):
    """One labelled stack in the canonical cine labels, arrays (slice, row, column)."""

    data_set: str
    name: str
    image: np.ndarray
    labels: np.ndarray

    @property
    def base_first_by_eye(self) -> bool:
        """What the eye saw."""
        return BASE_FIRST_BY_EYE[self.data_set] != (self.name in EXCEPTIONS)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("-o", type=Path, metavar="DIR", help="draw the stacks into this folder")
    arguments = parser.parse_args()
    stacks = [*acdc(arguments.data), *emidec(arguments.data), *mms(arguments.data)]
    if not stacks:
        parser.error(f"{arguments.data}: found neither acdc/training nor emidec nor mnms/Testing")
    print_table(stacks)
    print_disagreements(stacks)
    if arguments.o:
        draw(stacks, arguments.o)


def acdc(data: Path) -> Iterator[Stack]:
    for path in sorted(data.glob("acdc/training/*/*_gt.nii.gz")):
        image = read(path.with_name(path.name.replace("_gt", "")))
        yield Stack("ACDC", path.name.removesuffix("_gt.nii.gz"), image, read(path))


def emidec(data: Path) -> Iterator[Stack]:
    for path in sorted(data.glob("emidec/*/Contours/*.nii.gz")):
        labels = np.rint(read(path))
        cine = np.select([labels == 1, labels >= 2], [CINE.values["LV"], CINE.values["MYO"]], 0)
        yield Stack("EMIDEC", path.name.removesuffix(".nii.gz"), read(path.parents[1] / "Images" / path.name), cine)


def mms(data: Path) -> Iterator[Stack]:
    for path in sorted(data.glob("mnms/Testing/*/*_gt.nii.gz")):
        image = read(path.with_name(path.name.replace("_gt", "")))
        for frame, labels in enumerate(np.rint(read(path)).astype(int)):
            yield Stack("M&Ms", f"{path.parent.name}_frame{frame}", image[frame], CINE.remap(labels, MMS))


def read(path: Path) -> np.ndarray:
    """Voxels as ([frame,] slice, row, column); SimpleITK refuses the sheared headers of M&Ms."""
    return np.asarray(nibabel.load(path).dataobj).T


def signs(stack: Stack) -> dict[str, float]:
    """The cues that are used, and the one that is not: the centre of mass of the slices that have an RV."""
    segmented = stack.labels[stack.labels.any(axis=(1, 2))]
    has_rv = (segmented == CINE.values["RV"]).any(axis=(1, 2))
    presence = has_rv @ np.linspace(1, -1, len(has_rv)) / max(1, has_rv.sum())
    cues = base_end_cues(stack.labels)._asdict() | {"rv_presence (not used)": round(float(presence), 12)}
    return cues | {"base_is_first": 1.0 if base_is_first(stack.labels) else -1.0}


def print_table(stacks: list[Stack]) -> None:
    names = list(signs(stacks[0]))
    print(f"| data set | stacks | base first by eye | {' | '.join(names)} |")
    print("|---|---|---|" + "---|" * len(names))
    for data_set in dict.fromkeys(stack.data_set for stack in stacks):
        chosen = [stack for stack in stacks if stack.data_set == data_set]
        cells = [agreement([(signs(stack)[name], stack.base_first_by_eye) for stack in chosen]) for name in names]
        print(f"| {data_set} | {len(chosen)} | {sum(s.base_first_by_eye for s in chosen)} | {' | '.join(cells)} |")


def agreement(pairs: list[tuple[float, bool]]) -> str:
    decided = [(value > 0) == eye for value, eye in pairs if value]
    undecided = len(pairs) - len(decided)
    return f"{sum(decided)} of {len(decided)}" + (f", {undecided} undecided" if undecided else "") if decided else "-"


def print_disagreements(stacks: list[Stack]) -> None:
    print("\nstacks on which a cue that is used contradicts the eye or another cue, and the smallest sums:")
    rows = [(sum(base_end_cues(stack.labels)), stack) for stack in stacks]
    by_margin = sorted(rows, key=lambda row: -abs(row[0]))
    closest = {stack.data_set: stack.name for _, stack in by_margin}.values()
    for total, stack in rows:
        cues = base_end_cues(stack.labels)
        against = any(cue and (cue > 0) != stack.base_first_by_eye for cue in cues)
        if against or stack.name in closest:
            values = ", ".join(f"{name} {cue:+.3f}" for name, cue in cues._asdict().items())
            eye = "base" if stack.base_first_by_eye else "apex"
            print(f"  {stack.data_set} {stack.name}: {eye} first by eye; {values}; sum {total:+.3f}")


def draw(stacks: list[Stack], folder: Path) -> None:
    import matplotlib as mpl

    mpl.use("Agg")
    folder.mkdir(parents=True, exist_ok=True)
    for start in range(0, len(stacks), ROWS_PER_SHEET):
        sheet(stacks[start : start + ROWS_PER_SHEET], folder / f"stacks_{start:03d}.png")
    print(f"\n{len(stacks)} stacks drawn in {folder}")


def sheet(stacks: list[Stack], path: Path) -> None:
    import matplotlib.pyplot as plt

    columns = max(len(stack.labels) for stack in stacks)
    figure, axes = plt.subplots(len(stacks), columns, figsize=(1.2 * columns, 1.3 * len(stacks)), squeeze=False)
    for row, stack in zip(axes, stacks, strict=True):
        _, rows, cols = np.nonzero(stack.labels)
        window = np.s_[:, max(0, rows.min() - 25) : rows.max() + 25, max(0, cols.min() - 25) : cols.max() + 25]
        image, labels = stack.image[window], stack.labels[window]
        for axis in row:
            axis.axis("off")
        row[0].set_title(stack.name, fontsize=6)
        for axis, grey, mask in zip(row, image, labels, strict=False):
            axis.imshow(grey, cmap="gray", vmin=0, vmax=np.quantile(image, 0.995))
            for value, colour in enumerate(COLOURS, start=1):
                if (mask == value).any():
                    axis.contour(mask == value, [0.5], colors=colour, linewidths=0.6)
    figure.tight_layout(pad=0.2)
    figure.savefig(path, dpi=90)
    plt.close(figure)


if __name__ == "__main__":
    main()
