"""Cost of one training step on this CPU, stock nnU-Net against faster settings: variants in turn, processor time.

    OMP_NUM_THREADS=1 python benchmarks/training_step.py -d 27 [--turns 7]

nnU-Net's directories must be set and the data set planned (2d). Batches are random numbers: the loader is not measured.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import tempfile
import time
from pathlib import Path

import torch
from spreads import spread

from nnunet_cardiac_ext import discovery
from nnunet_cardiac_ext.files import read_json
from nnunet_cardiac_ext.network_plan import with_features, with_norm
from nnunet_cardiac_ext.trainers.base import CardiacTrainer

FEATURES, PATCH, BATCH = [16, 32, 64, 128, 128], [128, 128], 8
# Normalisation and settings of each variant; the first is what the others are compared with.
VARIANTS: dict[str, tuple[str, dict]] = {
    "stock (instance norm, float32)": ("instance", {}),
    "instance norm, bf16": ("instance", {"autocast": "bf16"}),
    "batch norm": ("batch", {}),
    "batch norm, channels last": ("batch", {"channels_last": True}),
    "batch norm, channels last, bf16": ("batch", {"channels_last": True, "autocast": "bf16"}),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-d", dest="dataset_id", type=int, default=27)
    parser.add_argument("--turns", type=int, default=7)
    arguments = parser.parse_args()
    dataset = discovery.dataset_folder(discovery.preprocessed_folder(), arguments.dataset_id)
    with tempfile.TemporaryDirectory() as scratch, contextlib.redirect_stdout(None):
        os.environ[discovery.RESULTS] = scratch
        trainers = {name: build(dataset, *variant) for name, variant in VARIANTS.items()}
    times: dict[str, list[float]] = {name: [] for name in trainers}
    for turn in range(arguments.turns + 1):
        for name, trainer in trainers.items():
            seconds = step(trainer)
            if turn:  # the first turn warms up
                times[name].append(1000 * seconds)
    stock = next(iter(times.values()))
    print("| variant | ms, median (range) | ratio, median (range) |\n|---|---|---|")
    for name, values in times.items():
        ratios = [value / other for value, other in zip(values, stock, strict=True)]
        print(f"| {name} | {spread(values, '.0f')} | {spread(ratios, '.2f')} |")


def build(dataset: Path, norm: str, settings: dict) -> CardiacTrainer:
    plans = read_json(dataset / "nnUNetPlans.json")
    configuration = plans["configurations"]["2d"]
    network = with_norm(with_features(configuration["architecture"], FEATURES, PATCH), norm)
    configuration |= {"architecture": network, "patch_size": PATCH, "batch_size": BATCH, "cardiac": settings}
    description = read_json(dataset / "dataset.json")
    trainer = CardiacTrainer({**plans, "continue_training": False}, "2d", 0, description, torch.device("cpu"))
    trainer.initialize()
    trainer.network.train()
    return trainer


def step(trainer: CardiacTrainer) -> float:
    image = torch.randn(BATCH, 1, *PATCH)
    labels = torch.randint(0, 4, (BATCH, 1, *PATCH)).to(torch.int16)
    targets = [labels[..., :: 2**level, :: 2**level].contiguous() for level in range(len(FEATURES) - 1)]
    start = time.process_time()
    trainer.train_step({"data": image, "target": targets})
    return time.process_time() - start


if __name__ == "__main__":
    main()
