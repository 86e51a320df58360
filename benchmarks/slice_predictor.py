"""Slice-batched predictor against nnUNetv2_predict: wall time of whole processes, alternately, and their agreement.

    python benchmarks/slice_predictor.py MODEL_FOLDER IMAGE_FOLDER [--repeats 3] [--folds 0] [--volumes 20]

Both predict the same volumes with the same model folder, from start-up to the last written file. nnU-Net runs twice:
with its default of three workers each for preprocessing and export, and with one each (-npp 1 -nps 1).
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import SimpleITK

from nnunet_cardiac_ext import discovery

BIN = Path(sys.executable).parent
OURS = "nnunet-cardiac"
DEFAULT = "nnUNetv2_predict"
ONE_WORKER = "nnUNetv2_predict -npp 1 -nps 1"


def main() -> None:
    arguments = parse_arguments()
    discovery.enable_trainers()
    with tempfile.TemporaryDirectory() as scratch:
        images = link_volumes(arguments.images, Path(scratch) / "images", arguments.volumes)
        times: dict[str, list[float]] = {OURS: [], DEFAULT: [], ONE_WORKER: []}
        for repeat in range(arguments.repeats):
            for name, seconds in times.items():
                load = os.getloadavg()[0]
                seconds.append(run(name, arguments, images, Path(scratch) / "timed", probabilities=False))
                print(f"round {repeat + 1}: {name}: {seconds[-1]:.1f} s (load before: {load:.1f})", flush=True)
        print_times(times, len(list(images.iterdir())))
        for name in (OURS, DEFAULT):
            run(name, arguments, images, Path(scratch) / name, probabilities=True)
        print_agreement(Path(scratch) / OURS, Path(scratch) / DEFAULT)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("images", type=Path)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--folds", nargs="+", default=["0"])
    parser.add_argument("--volumes", type=int, default=20)
    parser.add_argument("--device", default="cpu")
    return parser.parse_args()


def link_volumes(source: Path, target: Path, count: int) -> Path:
    target.mkdir()
    for path in sorted(source.glob("*_0000.nii.gz"))[:count]:
        (target / path.name).symlink_to(path.resolve())
    return target


def run(name: str, arguments: argparse.Namespace, images: Path, output: Path, *, probabilities: bool) -> float:
    shutil.rmtree(output, ignore_errors=True)
    common = ["-i", str(images), "-o", str(output), "-m", str(arguments.model), "-f", *arguments.folds]
    common += ["-device", arguments.device] + ["--save_probabilities"] * probabilities
    command = {
        OURS: [str(BIN / "nnunet-cardiac"), "predict", "slices"],
        DEFAULT: [str(BIN / "nnUNetv2_predict_from_modelfolder")],
        ONE_WORKER: [str(BIN / "nnUNetv2_predict_from_modelfolder"), "-npp", "1", "-nps", "1"],
    }[name]
    start = time.perf_counter()
    subprocess.run([*command, *common], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.perf_counter() - start


def print_times(times: dict[str, list[float]], volumes: int) -> None:
    ours = statistics.median(times[OURS])
    print(f"\n{volumes} volumes, seconds         median    min    max   ratio of medians to ours")
    for name, seconds in times.items():
        middle = statistics.median(seconds)
        print(f"{name:<31} {middle:6.1f} {min(seconds):6.1f} {max(seconds):6.1f}   {middle / ours:.2f}")


def print_agreement(ours: Path, reference: Path) -> None:
    voxels = same = close = 0
    worst = 0.0
    for path in sorted(reference.glob("*.nii.gz")):
        labels, expected = (read_labels(folder / path.name) for folder in (ours, reference))
        name = path.name.replace(".nii.gz", ".npz")
        mine, theirs = (np.load(folder / name)["probabilities"] for folder in (ours, reference))
        distance = np.abs(mine - theirs).max(axis=0)
        voxels += labels.size
        same += int((labels == expected).sum())
        close += int((distance <= 1e-4).sum())
        worst = max(worst, float(distance.max()))
    print(f"\nlabels: {100 * same / voxels:.5f} % of {voxels} voxels identical")
    print(f"probabilities: greatest difference {worst:.1e}; within 1e-4 in {100 * close / voxels:.5f} % of voxels")


def read_labels(path: Path) -> np.ndarray:
    return SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(str(path)))


if __name__ == "__main__":
    main()
