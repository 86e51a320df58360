"""Converters: volumes per second and peak memory, with one and two workers, beside nnU-Net's own converters.

    python benchmarks/conversion_throughput.py -o SCRATCH [--sets acdc mnms emidec] [--subjects 200] [--rounds 3]

Phantoms are drawn once into SCRATCH; each round then converts them with every converter in turn, into an empty folder.
nnU-Net's converters of ACDC and M&Ms crash on start with 2.8 (they call a text method of a path object), so the folder
is handed to them as text. What they do is less: ACDC's and EMIDEC's copy files without opening them, none keeps the
test labels, checks a label or makes folds by patient for M&Ms and EMIDEC. Memory is that of the largest process; ours
is also measured on half of the subjects: it must not grow with their number.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

CLI = [sys.executable, "-m", "nnunet_cardiac_ext.cli.main"]
# Run in a process of its own: imports nnU-Net's converter, gives it the raw folder as text, converts.
PEERS = {
    "acdc": """
import os, sys
from nnunetv2.dataset_conversion import Dataset027_ACDC as peer
peer.nnUNet_raw = os.environ["nnUNet_raw"]
peer.convert_acdc(sys.argv[1], 27)
""",
    "mnms": """
import os, sys
from pathlib import Path
from nnunetv2.dataset_conversion import Dataset027_ACDC, Dataset114_MNMs as peer
Dataset027_ACDC.nnUNet_raw = os.environ["nnUNet_raw"]
source = Path(sys.argv[1])
peer.convert_mnms(source, next(path.name for path in source.glob("*.csv") if path.name != "truth.csv"), 27)
""",
    "emidec": """
import os, sys
from nnunetv2.dataset_conversion import Dataset027_ACDC, Dataset115_EMIDEC as peer
Dataset027_ACDC.nnUNet_raw = os.environ["nnUNet_raw"]
peer.convert_emidec(*sys.argv[1:3], 27)
""",
}


# Short cycles, and next to nothing beside the training part: drawing takes longer than converting.
FEWER_FILES = {
    "acdc": ["--frames", "4", "--testing", "1"],
    "mnms": ["--frames", "4", "--unlabelled", "0", "--validation", "0", "--testing", "1"],
    "emidec": ["--testing", "1"],
}


class Run(NamedTuple):
    """One conversion: wall time in seconds, memory of the largest process in MB, image files written, exit code."""

    seconds: float
    megabytes: float
    volumes: int
    code: int


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-o", type=Path, required=True, metavar="SCRATCH")
    parser.add_argument("--sets", nargs="+", default=list(PEERS))
    parser.add_argument("--subjects", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    print("| data set | converter | volumes | volumes/s median (min to max) | of ours with 1 worker | peak MB | exit |")
    print("|---|---|---|---|---|---|---|")
    for name in arguments.sets:
        whole = phantoms(name, arguments.o, arguments.subjects)
        half = phantoms(name, arguments.o, arguments.subjects // 2)
        ways = {
            "ours, 1 worker": (ours(name, 1), whole),
            "ours, 2 workers": (ours(name, 2), whole),
            "ours, 2 workers, half the subjects": (ours(name, 2), half),
        }
        if name in PEERS:
            ways["nnU-Net's own"] = ([sys.executable, "-c", PEERS[name]], whole)
        compare(name, ways, arguments.o, arguments.rounds)


def phantoms(name: str, scratch: Path, subjects: int) -> Path:
    folder = scratch / f"{name}_{subjects}"
    own = FEWER_FILES.get(name, [])
    subprocess.run([*CLI, "phantom", name, "-o", str(folder), "--subjects", str(subjects), "--quiet", *own], check=True)
    return folder


def ours(name: str, workers: int) -> list[str]:
    return [*CLI, "convert", name, "-d", "27", "-np", str(workers), "--quiet", "-i"]


def compare(name: str, ways: dict[str, tuple[list[str], Path]], scratch: Path, rounds: int) -> None:
    runs: dict[str, list[Run]] = {way: [] for way in ways}
    for _ in range(rounds):
        for way, (command, source) in ways.items():
            runs[way].append(convert([*command, *sources(way, source)], scratch / "raw"))
    one_worker = [run.volumes / run.seconds for run in runs["ours, 1 worker"]]
    for way, found in runs.items():
        rates = [run.volumes / run.seconds for run in found]
        ratio = statistics.median(rate / base for rate, base in zip(rates, one_worker, strict=True))
        print(
            f"| {name} | {way} | {found[0].volumes} | {statistics.median(rates):.1f} "
            f"({min(rates):.1f} to {max(rates):.1f}) | {ratio:.2f} | {max(run.megabytes for run in found):.0f} "
            f"| {found[0].code} |",
            flush=True,
        )


def sources(way: str, source: Path) -> list[str]:
    if way != "nnU-Net's own" or "emidec" not in source.name:
        return [str(source)]
    # It asks for a folder of labelled cases and one of test cases, and takes every folder in them for a case.
    labelled = next(path.parent for path in sorted(source.rglob("Case_*")) if (path / "Contours").is_dir())
    empty = source / "none"
    empty.mkdir(exist_ok=True)
    return [str(labelled), str(empty)]


def convert(command: list[str], raw: Path) -> Run:
    shutil.rmtree(raw, ignore_errors=True)
    raw.mkdir(parents=True)
    environment = os.environ | {"nnUNet_raw": str(raw), "nnUNet_preprocessed": "", "nnUNet_results": ""}
    start = time.perf_counter()
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    errors = process.stderr.read()  # type: ignore[union-attr]
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    images = list(raw.glob("*/images*/*.nii.gz"))
    if not images:
        raise SystemExit(f"{json.dumps(command)}: wrote nothing: {errors.decode()[-500:]}")
    return Run(seconds, usage.ru_maxrss / 1024, len(images), os.waitstatus_to_exitcode(status))


if __name__ == "__main__":
    main()
