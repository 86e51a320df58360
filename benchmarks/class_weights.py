"""Class weights of paper 001 over a training, beside the inverse class frequency: do they collapse, and under what?

    nnunet-cardiac convert emidec -i DOWNLOAD -d 115
    nnUNetv2_plan_and_preprocess -d 115 -c 2d
    python benchmarks/class_weights.py -o OUTPUT -d 115 [--epochs 6] [--iterations 20] [--variants mean-1 free-0]

nnU-Net's directories must be set. One small training of `AnatomyPriorAWCETrainer` per variant on fold 0, same seed and
length; a variant is the normalisation of the weights (mean: mean 1 per image; free: any above 0) and the
weight of the barrier. Prints the weights of the last epoch and draws OUTPUT/class_weights.png. What is trained is kept.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import matplotlib.pyplot as plt

from nnunet_cardiac_ext import discovery
from nnunet_cardiac_ext.files import read_csv
from nnunet_cardiac_ext.plans import plan

TRAINER = "AnatomyPriorAWCETrainer"
NORMALIZATIONS = {"mean": "mean", "free": "none"}
VARIANTS = ["mean-1", "mean-0", "free-0", "mean-0.1", "free-1"]
SMALL = {
    "features": [8, 16, 32], "patch_size": [64, 64], "batch_size": 8, "norm": "batch", "channels_last": True,
    "augmentation": "none", "val_iterations_per_epoch": 2, "final_validation": False, "seed": 0,
}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-o", dest="output", type=Path, required=True)
    parser.add_argument("-d", dest="dataset_id", type=int, default=115)
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--iterations", type=int, default=20, help="per epoch")
    parser.add_argument("--variants", nargs="+", default=VARIANTS, help="NORMALISATION-BARRIER")
    parser.add_argument("--device", default="cpu")
    arguments = parser.parse_args()
    discovery.enable_trainers()
    tables = {variant: train(arguments, variant) for variant in arguments.variants}
    print_table(tables)
    draw(tables, arguments.output / "class_weights.png")


def train(arguments: argparse.Namespace, variant: str) -> list[dict[str, str]]:
    """Train a variant unless that is done, and return its table of weights."""
    normalization, barrier = variant.split("-")
    name = f"2d_weights_{variant}_{arguments.epochs}x{arguments.iterations}"
    results = (
        discovery.results_folder()
        / discovery.dataset_folder(discovery.preprocessed_folder(), arguments.dataset_id).name
    )
    fold = results / f"{TRAINER}__nnUNetPlans__{name}" / "fold_0"
    if not (fold / "checkpoint_final.pth").is_file():
        changes = {
            **SMALL, "num_epochs": arguments.epochs, "iterations_per_epoch": arguments.iterations,
            "awce_normalization": NORMALIZATIONS[normalization], "awce_barrier": float(barrier),
        }  # fmt: skip
        plan(arguments.dataset_id, "anatomy-prior", changes, name=name, overwrite=True)
        command = [Path(sys.executable).parent / "nnUNetv2_train", str(arguments.dataset_id), name, "0"]
        command += ["-tr", TRAINER, "-device", arguments.device]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=os.environ)
    return read_csv(fold / "class_weights.csv")


def print_table(tables: dict[str, list[dict[str, str]]]) -> None:
    """Print the weights of the last epoch and the inverse frequencies of all epochs, with mean 1."""
    classes = list(dict.fromkeys(row["class"] for rows in tables.values() for row in rows))
    print("| variant | " + " | ".join(classes) + " |\n|---|" + "---|" * len(classes))
    for variant, rows in tables.items():
        last = max(int(row["epoch"]) for row in rows)
        weights = {row["class"]: float(row["weight"]) for row in rows if int(row["epoch"]) == last}
        print(f"| {variant} | " + " | ".join(f"{weights[name]:.3g}" for name in classes) + " |")
    frequency, inverse = frequencies(tables)
    for title, values in (("inverse frequency, mean 1", inverse), ("frequency", frequency)):
        print(f"| {title} | " + " | ".join(f"{values[name]:.3g}" for name in classes) + " |")


def frequencies(tables: dict[str, list[dict[str, str]]]) -> tuple[dict[str, float], dict[str, float]]:
    """Return the share of each class among the voxels seen, and its inverse scaled to mean 1."""
    seen = defaultdict(list)
    for rows in tables.values():
        for row in rows:
            seen[row["class"]].append(float(row["frequency"]))
    frequency = {name: statistics.fmean(values) for name, values in seen.items()}
    scale = statistics.fmean(1 / value for value in frequency.values())
    return frequency, {name: 1 / value / scale for name, value in frequency.items()}


def draw(tables: dict[str, list[dict[str, str]]], file: Path) -> None:
    """Draw a panel per variant, weights on a logarithmic scale, inverse frequencies dashed."""
    _, inverse = frequencies(tables)
    figure, panels = plt.subplots(
        1, len(tables), figsize=(2.6 * len(tables), 3), sharey=True, squeeze=False, layout="constrained"
    )
    for panel, (variant, rows) in zip(panels[0], tables.items(), strict=True):
        for index, name in enumerate(inverse):
            weights = [float(row["weight"]) for row in rows if row["class"] == name]
            panel.plot(range(1, len(weights) + 1), weights, color=f"C{index}", label=name)
            panel.axhline(inverse[name], color=f"C{index}", linestyle=":", linewidth=1)
        panel.set(title=variant, xlabel="epoch", yscale="log")
    panels[0, 0].set_ylabel("mean weight (dotted: inverse frequency)")
    panels[0, -1].legend(fontsize="small")
    file.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(file, dpi=110)
    print(f"Written: {file}")


if __name__ == "__main__":
    main()
