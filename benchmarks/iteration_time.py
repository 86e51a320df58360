"""Processor time of a training iteration of planned configurations: how many each may have for equal time.

    OMP_NUM_THREADS=1 python benchmarks/iteration_time.py -d 27 CardiacTrainer:2d RegionSamplingTrainer:2d_sampling

nnU-Net's directories must be set, the configurations planned (`nnunet-cardiac plan`) and preprocessed. Batches are made
and augmented in the same process, so that loader, loss and optimiser are measured too. Configurations take turns. On a
GPU (`--device cuda`) it is the time that passes.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import statistics
import tempfile
import time

import torch
from spreads import spread

from nnunet_cardiac_ext import discovery, trainers
from nnunet_cardiac_ext.files import read_json
from nnunet_cardiac_ext.trainers.base import CardiacTrainer


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rows", nargs="+", metavar="TRAINER:CONFIGURATION")
    parser.add_argument("-d", dest="dataset_id", type=int, required=True)
    parser.add_argument("--turns", type=int, default=12)
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    arguments = parser.parse_args()
    os.environ["nnUNet_n_proc_DA"] = "0"
    with tempfile.TemporaryDirectory() as scratch, contextlib.redirect_stdout(None):
        os.environ[discovery.RESULTS] = scratch
        built = {row: build(arguments.dataset_id, row, arguments.device) for row in arguments.rows}
    times: dict[str, list[float]] = {row: [] for row in built}
    for turn in range(arguments.turns + 2):
        for row, trainer in built.items():
            seconds = iteration(trainer)
            if turn > 1:  # the first turns warm up
                times[row].append(1000 * seconds)
    print("| row | parameters | ms an iteration, median (range) | iterations in ten minutes |\n|---|---|---|---|")
    for row, values in times.items():
        parameters = sum(weight.numel() for weight in built[row].network.parameters())
        print(f"| {row} | {parameters:,} | {spread(values, '.0f')} | {600_000 / statistics.median(values):.0f} |")


def build(dataset_id: int, row: str, device: str) -> CardiacTrainer:
    trainer_name, _, configuration = row.partition(":")
    folder = discovery.dataset_folder(discovery.preprocessed_folder(), dataset_id)
    plans = {**read_json(folder / "nnUNetPlans.json"), "continue_training": False}
    dataset = read_json(folder / "dataset.json")
    trainer = getattr(trainers, trainer_name)(plans, configuration, 0, dataset, torch.device(device))
    trainer.on_train_start()
    trainer.on_train_epoch_start()
    return trainer


def iteration(trainer: CardiacTrainer) -> float:
    on_gpu = trainer.device.type == "cuda"
    clock = time.perf_counter if on_gpu else time.process_time
    start = clock()
    trainer.train_step(next(trainer.dataloader_train))
    if on_gpu:
        torch.cuda.synchronize()
    return clock() - start


if __name__ == "__main__":
    main()
