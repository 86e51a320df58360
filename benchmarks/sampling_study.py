"""Region sampling against plain nnU-Net under an equal budget: trains what is missing, prints the table.

    python benchmarks/sampling_study.py -o STUDY -d 27 [--seeds 0 1 2] [--epochs 12] [--table-only]

nnU-Net's directories must be set and the data set planned and preprocessed (2d). Every row has the same small network
(features 16 to 128, 128 x 128, batch 8) and the same number of iterations (100 an epoch) on fold 0; the fold's
validation patients, predicted by nnU-Net itself, are scored.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
from pathlib import Path

from nnunet_cardiac_ext import discovery
from nnunet_cardiac_ext.files import read_csv

BIN = Path(sys.executable).parent
NETWORK = ("features=16,32,64,128,128", "patch_size=128,128", "batch_size=8")
LENGTH = ("iterations_per_epoch=100", "val_iterations_per_epoch=2")
FAST = (
    "norm=batch", "channels_last=true", "autocast=bf16", "optimizer=adamw", "initial_lr=0.002", "weight_decay=0.01",
    "augmentation=light", "mirroring=false",
)  # fmt: skip
# Name of a row: preset, trainer, settings beside network and length.
ROWS: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "stock": ("baseline", "CardiacTrainer", ()),
    "fast": ("baseline", "CardiacTrainer", FAST),
    "fastreg": ("region-sampling", "RegionSamplingTrainer", FAST),
}
STRUCTURES = ("RV", "MYO", "LV")
REGIONS = ("all", "base", "middle", "apex")


def main() -> None:
    arguments = parse_arguments()
    discovery.enable_trainers()
    evaluations = {
        row: [evaluate(arguments, row, seed) for seed in arguments.seeds] for row in arguments.rows
    }  # fmt: skip
    print_table(evaluations)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-o", dest="output", type=Path, required=True)
    parser.add_argument("-d", dest="dataset_id", type=int, default=27)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--rows", nargs="+", choices=list(ROWS), default=list(ROWS))
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--table-only", action="store_true", help="train nothing, print what is there")
    return parser.parse_args()


def evaluate(arguments: argparse.Namespace, row: str, seed: int) -> Path:
    """Train and score one model unless that is done; return the folder of its evaluation."""
    preset, trainer, settings = ROWS[row]
    name = f"2d_{row}_s{seed}"
    evaluation = arguments.output / "eval" / name
    if (evaluation / "metrics.csv").is_file() or arguments.table_only:
        return evaluation
    changes = (*NETWORK, *LENGTH, *settings, f"num_epochs={arguments.epochs}", f"seed={seed}")
    dataset = str(arguments.dataset_id)
    call("nnunet-cardiac", "plan", "-d", dataset, "--preset", preset, "--name", name, "--overwrite", "--set", *changes)
    call("nnUNetv2_train", dataset, name, "0", "-tr", trainer, "-device", arguments.device, "--c")
    folder = discovery.dataset_folder(discovery.results_folder(), arguments.dataset_id)
    validation = folder / f"{trainer}__nnUNetPlans__{name}" / "fold_0" / "validation"
    labels = discovery.dataset_folder(discovery.raw_folder(), arguments.dataset_id) / "labelsTr"
    call("nnunet-cardiac", "evaluate", "-ref", str(labels), "-pred", str(validation), "-o", str(evaluation))
    return evaluation


def call(program: str, *arguments: str) -> None:
    subprocess.run([str(BIN / program), *arguments], check=True)


def print_table(evaluations: dict[str, list[Path]]) -> None:
    """Print mean Dice over the cases, then mean and standard deviation of that over the seeds."""
    print("| row | structure | " + " | ".join(REGIONS) + " |\n|---|---|" + "---|" * len(REGIONS))
    for row, folders in evaluations.items():
        summaries = [read_csv(folder / "summary.csv") for folder in folders]
        for structure in STRUCTURES:
            cells = [spread([mean_dice(summary, structure, region) for summary in summaries]) for region in REGIONS]
            print(f"| {row} | {structure} | " + " | ".join(cells) + " |")


def mean_dice(summary: list[dict[str, str]], structure: str, region: str) -> float:
    wanted = {"column": "", "structure": structure, "region": region, "metric": "dice"}
    return next(float(line["mean"]) for line in summary if wanted.items() <= line.items())


def spread(values: list[float]) -> str:
    deviation = f" ± {statistics.stdev(values):.3f}" if len(values) > 1 else ""
    return f"{statistics.fmean(values):.3f}{deviation}"


if __name__ == "__main__":
    main()
