"""Region cascade against the slow way: nnUNetv2_predict once per model, then merge-regions; whole processes in turn.

    python benchmarks/region_cascade.py IMAGE_FOLDER -d 27 [-c 2d_cascade] [-f 0] [--volumes 20] [--repeats 3]

Both segment the same volumes with the same models, from the start of the first process to the last written file. The
slow way runs twice: with nnU-Net's default of three workers each for preprocessing and export, and with one each
(-npp 1 -nps 1). It is given the region table of a first run of the cascade, which is not timed, so that classifying
the slices costs it nothing. With --disable_tta neither side averages mirrored copies. The largest memory is that of
all processes of a command together.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import tempfile
from pathlib import Path

from process_watch import Watched, watch
from slice_predictor import BIN, link_volumes, read_labels
from spreads import spread

from inference_pipelines.cascade_models import CLASSIFIER, GROUP, TRAINERS, find_models
from nnunet_cardiac_ext import discovery
from nnunet_cardiac_ext.cli.predict_region_cascade import parse_models
from nnunet_cardiac_ext.region_table import read_region_table

CASCADE = "cascade"
DEFAULT = "4 x nnUNetv2_predict, merge"
ONE_WORKER = "4 x nnUNetv2_predict -npp 1 -nps 1, merge"
CLI = str(BIN / "nnunet-cardiac")
PARTS = [name for name in TRAINERS if name != CLASSIFIER]


def main() -> None:
    arguments = parse_arguments()
    discovery.enable_trainers()
    arguments.models = find_models(
        arguments.dataset, prefix=arguments.prefix, plans=arguments.plans, given=parse_models(arguments.given)
    )
    with tempfile.TemporaryDirectory() as scratch:
        images = link_volumes(arguments.images, Path(scratch) / "images", arguments.volumes)
        first = Path(scratch) / "first"
        cascade(arguments, images, first)
        ways = {
            CASCADE: lambda out: cascade(arguments, images, out),
            DEFAULT: lambda out: slow_way(arguments, images, out, first / "regions.csv", []),
            ONE_WORKER: lambda out: slow_way(arguments, images, out, first / "regions.csv", ["-npp", "1", "-nps", "1"]),
        }
        runs: dict[str, list[Watched]] = {way: [] for way in ways}
        for repeat in range(arguments.repeats):
            for way, run in ways.items():
                load = os.getloadavg()[0]
                shutil.rmtree(Path(scratch) / way, ignore_errors=True)
                runs[way].append(run(Path(scratch) / way))
                print(f"round {repeat + 1}: {way}: {runs[way][-1].seconds:.1f} s (load before: {load:.1f})", flush=True)
            # After each round, so that a run that is cut short has something to show.
            print_runs(runs, len(list(images.iterdir())), len(read_region_table(first / "regions.csv")))
            for way in (DEFAULT, ONE_WORKER):
                print_agreement(way, Path(scratch) / CASCADE, Path(scratch) / way / "merged")


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("images", type=Path)
    parser.add_argument("-d", dest="dataset")
    parser.add_argument("-c", dest="prefix", default=GROUP.configuration)
    parser.add_argument("-p", dest="plans", default="nnUNetPlans")
    parser.add_argument("-m", dest="given", nargs="+", default=[], metavar="NAME=DIR")
    parser.add_argument("-f", dest="folds", nargs="+", default=["0"])
    parser.add_argument("--regions", default="predicted", choices=("predicted", "ordered", "extent"))
    parser.add_argument("--disable_tta", action="store_true")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--volumes", type=int, default=20)
    parser.add_argument("--device", default="cpu")
    return parser.parse_args()


def common(arguments: argparse.Namespace, images: Path) -> list[str]:
    options = ["-i", str(images), "-f", *arguments.folds, "-device", arguments.device]
    return options + ["--disable_tta"] * arguments.disable_tta


def cascade(arguments: argparse.Namespace, images: Path, output: Path) -> Watched:
    models = [f"{name}={folder}" for name, folder in arguments.models.items()]
    command = [CLI, "predict", "region-cascade", *common(arguments, images), "-o", str(output), "-m", *models]
    return watch([*command, "--regions", arguments.regions], gpu=arguments.device == "cuda")


def slow_way(arguments: argparse.Namespace, images: Path, output: Path, table: Path, workers: list[str]) -> Watched:
    steps = []
    for name in PARTS:
        model = ["-m", str(arguments.models[name]), "-o", str(output / name), *workers]
        command = [str(BIN / "nnUNetv2_predict_from_modelfolder"), *common(arguments, images), *model]
        steps.append(watch(command, gpu=arguments.device == "cuda"))
    folders = [text for name in PARTS for text in (f"--{name}", str(output / name))]
    merge = [CLI, "merge-regions", *folders, "--regions", str(table), "--column", "used"]
    steps.append(watch([*merge, "-o", str(output / "merged"), "--quiet"]))
    seconds = sum(step.seconds for step in steps)
    load = sum(step.gpu_percent * step.seconds for step in steps[:-1]) / seconds
    return Watched(seconds, max(step.megabytes for step in steps), load)


def print_runs(runs: dict[str, list[Watched]], volumes: int, slices: int) -> None:
    ours = [run.seconds for run in runs[CASCADE]]
    print(
        f"\n{volumes} volumes, {slices} slices, {len(ours)} rounds; ratios are of the same round; GPU: mean utilisation"
    )
    print("| way | seconds, median (range) | slices/s | time / cascade's, median (range) | peak MB | GPU % |")
    print("|---|---|---|---|---|---|")
    for way, found in runs.items():
        seconds = [run.seconds for run in found]
        ratios = [own / base for own, base in zip(seconds, ours, strict=True)]
        load = statistics.fmean(run.gpu_percent for run in found)
        print(
            f"| {way} | {spread(seconds)} | {slices / statistics.median(seconds):.2f} | {spread(ratios, '.2f')} "
            f"| {max(run.megabytes for run in found):.0f} | {load:.0f} |"
        )


def print_agreement(way: str, ours: Path, merged: Path) -> None:
    voxels = same = 0
    for path in sorted(merged.glob("*.nii.gz")):
        expected, labels = read_labels(path), read_labels(ours / path.name)
        voxels += labels.size
        same += int((labels == expected).sum())
    print(f"{way}: labels identical in {100 * same / voxels:.5f} % of {voxels} voxels", flush=True)


if __name__ == "__main__":
    main()
