"""Table I of paper 000 in small, with equal training time for every row: trains what is missing, prints the table.

    nnunet-cardiac phantom mouse -o mice --subjects 20
    nnunet-cardiac convert mouse -i mice -d 31 --prepare paper
    nnUNetv2_plan_and_preprocess -d 31 -c 3d_fullres
    python benchmarks/attention_mnet_study.py -o STUDY -d 31 [--minutes 20] [--seeds 0 1 2] [--rows mnet-ddl mnet ...]

nnU-Net's directories must be set. Every row has the same optimiser, augmentation, patch and batch on fold 0, about the
same number of parameters (the features of its row, relative to --width) and the same processor time: how long an
iteration takes is measured once for each row, in one process with one thread, and the number of iterations follows.
Images are resampled to half the resolution in each direction, preprocessed once and shared. The fold's validation
animals, predicted by nnU-Net itself, are scored at the original resolution.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import torch

from nnunet_cardiac_ext import discovery, trainers
from nnunet_cardiac_ext.files import read_csv, read_json, write_json
from nnunet_cardiac_ext.plans import plan

BIN = Path(sys.executable).parent
PATCH, BATCH, FACTOR = [20, 48, 48], 4, 2
WARM_UP, TIMED = 1, 4
OPTIMISER = {
    "optimizer": "adam", "weight_decay": 0.0, "schedule": "plateau", "plateau_patience": 8, "plateau_factor": 0.5,
}  # fmt: skip
COMMON = {"augmentation": "rigid", "mirroring": False, "channels_last": True}
COLUMNS = ("dice", "jaccard", "hd_pixels", "hd", "sensitivity", "specificity", "ppv", "npv")


@dataclass(frozen=True)
class Row:
    """A model of the table: its preset and trainer, widths relative to --width, and further keys of `plan --set`."""

    preset: str
    trainer: str
    widths: tuple[float, ...]
    changes: dict[str, object]


MNET, UNET = (1, 2, 4, 8), (1, 2, 4, 8, 18)
DEEPMEDIC = tuple(count / 32 for count in (184, 184, 245, 245, 245, 245, 306, 306))
FCN = tuple(count / 32 for count in (55, 110, 220, 439))
ROWS = {
    "mnet-ddl": Row("attention-mnet", "AttMnetDDLTrainer", MNET, {}),
    "mnet": Row("attention-mnet", "AttMnetTrainer", MNET, {}),
    "unet": Row("baseline-3d", "CardiacTrainer", UNET, {"network": "unet", "norm": "batch"}),
    "mnet-ddl-spatial": Row("attention-mnet", "AttMnetDDLTrainer", MNET, {"gate": "spatial"}),
    "mnet-ddl-channel": Row("attention-mnet", "AttMnetDDLTrainer", MNET, {"gate": "channel"}),
    "mnet-ddl-nogate": Row("attention-mnet", "AttMnetDDLTrainer", MNET, {"gate": "none"}),
    "mnet-ddl-3d": Row("attention-mnet", "AttMnetDDLTrainer", MNET, {"ddl_dims": 3}),
    "mnet-ddl-1": Row("attention-mnet", "AttMnetDDLTrainer", MNET, {"ddl_weight": 1.0}),
    "mnet-ddl-single": Row("attention-mnet", "AttMnetDDLTrainer", MNET, {"deep_supervision": False}),
    "deepmedic": Row("baseline-3d", "CardiacTrainer", DEEPMEDIC, {"network": "deepmedic"}),
    "fcn": Row("baseline-3d", "CardiacTrainer", FCN, {"network": "fcn"}),
}
FIGURE_3 = ("mnet-ddl", "mnet", "unet", "mnet-ddl-spatial", "mnet-ddl-channel", "mnet-ddl-nogate")


def main() -> None:
    arguments = parse_arguments()
    discovery.enable_trainers()
    os.environ["nnUNet_n_proc_DA"] = "0"  # batches are made in the process whose time is measured
    os.environ["OMP_NUM_THREADS"] = "1"
    os.environ.setdefault("nnUNet_def_n_proc", "2")
    torch.set_num_threads(1)
    evaluations = {row: [evaluate(arguments, row, seed) for seed in arguments.seeds] for row in arguments.rows}
    print_table(evaluations)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-o", dest="output", type=Path, required=True)
    parser.add_argument("-d", dest="dataset_id", type=int, default=31)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--minutes", type=float, default=20, help="processor time of each training")
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--width", type=int, default=8, help="of the attention M-net's first level; the paper's is 32")
    parser.add_argument("--lr", type=float, default=1e-3, help="the paper's 1e-4 is for 13,000 iterations")
    parser.add_argument("--rows", nargs="+", choices=list(ROWS), default=list(FIGURE_3))
    parser.add_argument("--autocast", choices=("off", "bf16"), default="off", help="bf16 pays where AMX computes it")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--table-only", action="store_true", help="train nothing, print what is there")
    return parser.parse_args()


def evaluate(arguments: argparse.Namespace, row: str, seed: int) -> Path:
    """Train and score one model unless that is done; return the folder of its evaluation."""
    name = f"study_{row}_s{seed}"
    evaluation = arguments.output / "eval" / name
    if (evaluation / "metrics.csv").is_file() or arguments.table_only:
        return evaluation
    seconds = seconds_per_iteration(arguments, row)
    iterations = max(1, round(60 * arguments.minutes / arguments.epochs / seconds))
    print(f"{name}: {seconds:.2f} s an iteration, {iterations} iterations an epoch", flush=True)
    write_configuration(arguments, row, name, {"seed": seed, "iterations_per_epoch": iterations})
    dataset, trainer = str(arguments.dataset_id), ROWS[row].trainer
    call("nnUNetv2_train", dataset, name, "0", "-tr", trainer, "-device", arguments.device, "--c")
    results = discovery.dataset_folder(discovery.results_folder(), arguments.dataset_id)
    validation = results / f"{trainer}__nnUNetPlans__{name}" / "fold_0" / "validation"
    labels = discovery.dataset_folder(discovery.raw_folder(), arguments.dataset_id) / "labelsTr"
    files = ("-ref", str(labels), "-pred", str(validation), "-o", str(evaluation))
    call("nnunet-cardiac", "evaluate", *files, "--metrics", ",".join(COLUMNS))
    return evaluation


def write_configuration(arguments: argparse.Namespace, row: str, name: str, settings: dict[str, object]) -> None:
    """Write the configuration of a row, with the data that all rows share."""
    folder = discovery.dataset_folder(discovery.preprocessed_folder(), arguments.dataset_id)
    stock = read_json(folder / "nnUNetPlans.json")["configurations"]["3d_fullres"]
    spacing = [FACTOR * step for step in stock["spacing"]]
    shared = plan(arguments.dataset_id, "baseline-3d", {"spacing": spacing}, name="study_data", overwrite=True)
    data = folder / shared.content["data_identifier"]
    if not data.is_dir():
        call("nnUNetv2_preprocess", "-d", str(arguments.dataset_id), "-c", "study_data", "-np", "1")
    design = ROWS[row]
    changes = {
        **COMMON, **OPTIMISER, "autocast": arguments.autocast, "initial_lr": arguments.lr,
        "num_epochs": arguments.epochs,
        "val_iterations_per_epoch": 4, "spacing": spacing, "patch_size": PATCH, "batch_size": BATCH,
        "features": [max(1, round(arguments.width * width)) for width in design.widths],
        **design.changes, **settings,
    }  # fmt: skip
    planned = plan(arguments.dataset_id, design.preset, changes, name=name, overwrite=True)
    own = folder / planned.content["data_identifier"]
    if not own.exists():
        own.symlink_to(data.name)


def seconds_per_iteration(arguments: argparse.Namespace, row: str) -> float:
    """Return the processor time of an iteration (passed time on a GPU), measured once and kept."""
    record = arguments.output / "seconds.json"
    known = read_json(record) if record.is_file() else {}
    if row not in known:
        write_configuration(arguments, row, "study_timing", {"seed": 0})
        with tempfile.TemporaryDirectory() as scratch, contextlib.redirect_stdout(None):
            known[row] = measure(arguments, ROWS[row].trainer, scratch)
        arguments.output.mkdir(parents=True, exist_ok=True)
        write_json(record, known)
    return known[row]


def measure(arguments: argparse.Namespace, trainer_name: str, scratch: str) -> float:
    folder = discovery.dataset_folder(discovery.preprocessed_folder(), arguments.dataset_id)
    plans, dataset = read_json(folder / "nnUNetPlans.json"), read_json(folder / "dataset.json")
    results, os.environ[discovery.RESULTS] = os.environ[discovery.RESULTS], scratch
    try:
        trainer = getattr(trainers, trainer_name)(
            {**plans, "continue_training": False}, "study_timing", 0, dataset, torch.device(arguments.device)
        )
        trainer.on_train_start()
    finally:
        os.environ[discovery.RESULTS] = results
    trainer.on_train_epoch_start()
    clock = time.process_time if arguments.device == "cpu" else time.perf_counter
    times = []
    for _ in range(WARM_UP + TIMED):
        start = clock()
        trainer.train_step(next(trainer.dataloader_train))
        times.append(clock() - start)
    return statistics.median(times[WARM_UP:])


def call(program: str, *arguments: str) -> None:
    subprocess.run([str(BIN / program), *arguments], check=True)


def print_table(evaluations: dict[str, list[Path]]) -> None:
    """Print the mean over the cases, then mean and standard deviation of that over the seeds that are there."""
    print("| row | seeds | " + " | ".join(COLUMNS) + " |\n|---|---|" + "---|" * len(COLUMNS))
    for row, folders in evaluations.items():
        summaries = [read_csv(folder / "summary.csv") for folder in folders if (folder / "summary.csv").is_file()]
        cells = [spread([mean(summary, column) for summary in summaries]) for column in COLUMNS]
        print(f"| {row} | {len(summaries)} | " + " | ".join(cells) + " |")


def mean(summary: list[dict[str, str]], metric: str) -> float:
    wanted = {"column": "", "structure": "MYO", "region": "all", "metric": metric}
    return next(float(line["mean"]) for line in summary if wanted.items() <= line.items())


def spread(values: list[float]) -> str:
    if not values:
        return "-"
    deviation = f" ± {statistics.stdev(values):.4f}" if len(values) > 1 else ""
    return f"{statistics.fmean(values):.4f}{deviation}"


if __name__ == "__main__":
    main()
