"""Batches per second of one of our loaders beside nnU-Net's own, on a preprocessed data set.

Both loaders run in one process on the same cases, in turns. The time is the process's own, so that other work on the
machine matters little:

    python benchmarks/loader_throughput.py "$nnUNet_preprocessed"/Dataset027_ACDC
    python benchmarks/loader_throughput.py "$nnUNet_preprocessed"/Dataset115_EMIDEC --loader mixup
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
import torch
from batchgeneratorsv2.transforms.utils.compose import ComposeTransforms
from nnunetv2.training.data_augmentation.compute_initial_patch_size import get_patch_size
from nnunetv2.training.dataloading.data_loader import nnUNetDataLoader
from nnunetv2.training.dataloading.nnunet_dataset import infer_dataset_class
from nnunetv2.training.nnUNetTrainer.nnUNetTrainer import nnUNetTrainer
from nnunetv2.utilities.plans_handling.plans_handler import PlansManager
from spreads import spread

from nnunet_cardiac_ext.data.heart_slices import hearts_of, left_ventricle_labels
from nnunet_cardiac_ext.data.mixup_loader import MixupLoader
from nnunet_cardiac_ext.data.region_sampling import RegionSamplingDataLoader, slice_laws
from nnunet_cardiac_ext.data.stack_regions import label_map_of
from nnunet_cardiac_ext.files import read_json

ROTATION = (-np.pi, np.pi)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dataset", type=Path, help="folder of a preprocessed data set")
    parser.add_argument("--loader", choices=("region-sampling", "mixup"), default="region-sampling")
    parser.add_argument("--probability", type=float, default=0.5, help="share of the slices that mixup blends")
    parser.add_argument("-c", dest="configuration", default="2d")
    parser.add_argument("-p", dest="plans", default="nnUNetPlans")
    parser.add_argument("--batches", type=int, default=20, help="batches per turn")
    parser.add_argument("--turns", type=int, default=11)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    for augmented in (False, True):
        stock, ours = build_loaders(arguments, augmented=augmented)
        report("nnU-Net augmentation" if augmented else "no augmentation", compare(stock, ours, arguments))


def build_loaders(arguments, *, augmented):
    plans = PlansManager(str(arguments.dataset / f"{arguments.plans}.json"))
    configuration = plans.get_configuration(arguments.configuration)
    dataset_json = read_json(arguments.dataset / "dataset.json")
    labels = plans.get_label_manager(dataset_json)
    folder = str(arguments.dataset / configuration.data_identifier)
    cases = infer_dataset_class(folder)(folder)
    final = configuration.patch_size
    patch = get_patch_size(final, ROTATION, ROTATION, ROTATION, (0.85, 1.25)) if augmented else final
    if augmented:
        transforms = nnUNetTrainer.get_training_transforms(final, ROTATION, None, (0, 1), False)
    else:
        transforms = ComposeTransforms([])
    options = {"oversample_foreground_percent": 0.33, "transforms": transforms}
    given = (cases, configuration.batch_size, patch, final, labels)
    start = time.perf_counter()
    if arguments.loader == "mixup":
        label_map = label_map_of(dataset_json)
        own = {
            "hearts": hearts_of(cases, label_map), "heart_labels": left_ventricle_labels(label_map),
            "probability": arguments.probability, "tolerance": 0.1,
        }  # fmt: skip
        ours = MixupLoader(*given, **own, **options)
    else:
        ours = RegionSamplingDataLoader(*given, laws=slice_laws(cases, 20, ignore_label=labels.ignore_label), **options)
    if not augmented:
        print(
            f"labels of {len(cases.identifiers)} cases read in {time.perf_counter() - start:.2f} s, once per training"
        )
    return nnUNetDataLoader(*given, **options), ours


def compare(stock, ours, arguments):
    """Batches per second of each turn, (stock, ours) by turn; who goes first changes from turn to turn."""
    turns = []
    for turn in range(-1, arguments.turns):
        order = (stock, ours) if turn % 2 else (ours, stock)
        rates = {loader: rate(loader, arguments.batches) for loader in order}
        if turn >= 0:  # the turn before is to warm up
            turns.append((rates[stock], rates[ours]))
    return turns


def rate(loader, batches):
    start = time.process_time()
    for _ in range(batches):
        next(loader)
    return batches / (time.process_time() - start)


def report(name, turns):
    columns = (*zip(*turns, strict=True), [ours / stock for stock, ours in turns])
    shown = [spread(column, ".2f") for column in columns]
    print(f"{name}, batches/s, median (range) of {len(turns)} turns:")
    print(f"  nnU-Net {shown[0]}, ours {shown[1]}, ratio {shown[2]}")


if __name__ == "__main__":
    main()
