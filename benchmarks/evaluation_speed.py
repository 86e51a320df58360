"""Wall time of evaluating a folder, beside nnU-Net (Dice) and MONAI (surface distances), in one run, taken in turn.

Labels of ACDC (the official folder) against the same labels moved by a pixel or two, or thinned: made on the fly in a
scratch folder. Whole processes from start-up to the last table; ratios are peer over ours, turn by turn.

- Dice: `nnunet-cardiac evaluate --metrics dice` beside `nnUNetv2_evaluate_folder` (Dice, IoU, counts).
- Surfaces: `--metrics hd,hd95,assd,nsd` beside the same four by MONAI (monai_folder.py).
- All: `nnunet-cardiac evaluate` as it is, for scale.

    python benchmarks/evaluation_speed.py "$NNUNET_CARDIAC_REAL_DATA"/acdc/training --volumes 120 -np 2 --turns 5
"""

from __future__ import annotations

import argparse
import csv
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import SimpleITK as sitk  # noqa: N813
from scipy import ndimage
from spreads import spread

HERE, SCRIPTS = Path(__file__).parent, Path(sys.executable).parent
LABELS = {"background": 0, "RV": 1, "MYO": 2, "LV": 3}
PAIRS = (("Dice: ours", "Dice: nnU-Net"), ("surfaces: ours", "surfaces: MONAI"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=Path, help="official ACDC folder with patientNNN/")
    parser.add_argument("--volumes", type=int, default=120)
    parser.add_argument("-np", type=int, default=2, help="processes, for all")
    parser.add_argument("--turns", type=int, default=5)
    arguments = parser.parse_args()
    sitk.ProcessObject.SetGlobalWarningDisplay(False)  # "unexpected scales in sform", twice per file of ACDC
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        count = write_folders(arguments.source, scratch, arguments.volumes)
        commands = all_commands(scratch, arguments.np)
        times: dict[str, list[float]] = {name: [] for name in commands}
        for _ in range(arguments.turns):
            for name, command in commands.items():
                times[name].append(wall_time(command))
        print_times(times, f"{count} volumes, {arguments.np} processes, {arguments.turns} turns")
        print_agreement(scratch)


def write_folders(source: Path, scratch: Path, volumes: int) -> int:
    """Write reference and prediction of each volume, and the two JSON files that nnU-Net asks for."""
    files = sorted(source.glob("patient*/*_gt.nii.gz"))[:volumes]
    if not files:
        sys.exit(f"{source}: expected patient*/*_gt.nii.gz, found none")
    for name in ("labels", "predictions"):
        (scratch / name).mkdir()
    for number, path in enumerate(files):
        image = sitk.ReadImage(str(path), sitk.sitkUInt8)
        spoiled = sitk.GetImageFromArray(spoil(sitk.GetArrayFromImage(image), number))
        spoiled.CopyInformation(image)
        for folder, content in (("labels", image), ("predictions", spoiled)):
            sitk.WriteImage(content, str(scratch / folder / path.name.replace("_gt", "")))
    (scratch / "dataset.json").write_text(json.dumps({"labels": LABELS, "file_ending": ".nii.gz"}))
    (scratch / "plans.json").write_text(json.dumps({"label_manager": "LabelManager"}))
    return len(files)


def spoil(labels: np.ndarray, number: int) -> np.ndarray:
    """Move the labels by a pixel or two in the plane; of every third volume thin each of them instead."""
    if number % 3:
        return np.roll(labels, (1 + number % 2, 1), axis=(1, 2))
    cross = ndimage.generate_binary_structure(2, 1)[None]
    thinned = [value * ndimage.binary_erosion(labels == value, cross) for value in (1, 2, 3)]
    return np.sum(thinned, axis=0).astype(np.uint8)


def all_commands(scratch: Path, processes: int) -> dict[str, list[object]]:
    labels, predictions, count = scratch / "labels", scratch / "predictions", ["-np", processes]
    ours = [SCRIPTS / "nnunet-cardiac", "evaluate", "-ref", labels, "-pred", predictions, "--quiet", *count, "-o"]
    return {
        "Dice: ours": [*ours, scratch / "dice", "--metrics", "dice"],
        "Dice: nnU-Net": [
            SCRIPTS / "nnUNetv2_evaluate_folder", labels, predictions, "-djfile", scratch / "dataset.json",
            "-pfile", scratch / "plans.json", "-o", scratch / "summary.json", *count,
        ],
        "surfaces: ours": [*ours, scratch / "surfaces", "--metrics", "hd,hd95,assd,nsd"],
        "surfaces: MONAI": [
            sys.executable, HERE / "monai_folder.py", labels, predictions, scratch / "monai.jsonl", *count
        ],
        "all: ours": [*ours, scratch / "all"],
    }  # fmt: skip


def wall_time(command: list[object]) -> float:
    start = time.perf_counter()
    subprocess.run(list(map(str, command)), check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.perf_counter() - start


def print_times(times: dict[str, list[float]], about: str) -> None:
    print(f"{about}\n\n| | seconds, median (range) |\n|---|---|")
    for name, seconds in times.items():
        print(f"| {name} | {spread(seconds, '.1f')} |")
    print("\n| | peer / ours, median (range) |\n|---|---|")
    for ours, peer in PAIRS:
        ratios = [theirs / mine for mine, theirs in zip(times[ours], times[peer], strict=True)]
        print(f"| {peer} | {spread(ratios, '.2f')} |")


def print_agreement(scratch: Path) -> None:
    """Say how far both sides differ in what they computed; the mean distance is left out, MONAI pools it.

    MONAI rounds distances and the rank of the percentile to float32, which moves an HD95 between ranks by some 1e-5 mm.
    """
    structures = [name for name in LABELS if name != "background"]
    ours = {}
    for name in ("dice", "surfaces"):
        with (scratch / name / "metrics.csv").open(newline="") as stream:
            rows = [row for row in csv.DictReader(stream) if row["region"] == "all"]
        ours |= {(row["case"], row["structure"], row["metric"]): float(row["value"]) for row in rows}
    peers = {}
    for case in json.loads((scratch / "summary.json").read_text())["metric_per_case"]:
        name = Path(case["reference_file"]).name.removesuffix(".nii.gz")
        peers |= {(name, s, "dice"): case["metrics"][str(LABELS[s])]["Dice"] for s in structures}
    for line in map(json.loads, (scratch / "monai.jsonl").read_text().splitlines()):
        name = line["case"].removesuffix(".nii.gz")
        peers |= {(name, s, m): line[m][LABELS[s] - 1] for s in structures for m in ("hd", "hd95", "nsd")}
    print("\nlargest difference between both sides:")
    for metric in ("dice", "hd", "hd95", "nsd"):
        differences = [abs(ours[key] - value) for key, value in peers.items() if key[2] == metric]
        print(f"{metric:<5} {np.nanmax(differences):.1e} in {np.isfinite(differences).sum()} values")


if __name__ == "__main__":
    main()
