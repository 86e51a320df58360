"""Wall time of evaluating a folder: `nnunet-cardiac evaluate` beside `nnUNetv2_evaluate_simple`, in one run.

The peer computes Dice, IoU and voxel counts; ours adds surface distances, regions, profiles and clinical numbers.
(`nnUNetv2_evaluate_folder` does the same work as `_simple`, but asks for a plans file.)

    python benchmarks/evaluation_speed.py -ref labelsTr -pred predictions -np 2
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-ref", type=Path, required=True)
    parser.add_argument("-pred", type=Path, required=True, help="predictions of the same cases")
    parser.add_argument("-np", type=int, default=2, help="processes, for both")
    parser.add_argument("--repeats", type=int, default=3)
    arguments = parser.parse_args()
    scripts = Path(sys.executable).parent
    with tempfile.TemporaryDirectory() as folder:
        commands = {
            "nnunet-cardiac evaluate": [
                scripts / "nnunet-cardiac", "evaluate", "-ref", arguments.ref, "-pred", arguments.pred,
                "-o", f"{folder}/ours", "-np", str(arguments.np), "--quiet",
            ],
            "nnUNetv2_evaluate_simple": [
                scripts / "nnUNetv2_evaluate_simple", arguments.ref, arguments.pred, "-l", "1", "2", "3",
                "-o", f"{folder}/summary.json", "-np", str(arguments.np),
            ],
        }  # fmt: skip
        times = {name: [] for name in commands}
        for _ in range(arguments.repeats):
            for name, command in commands.items():
                times[name].append(wall_time(command))
    print(f"{sum(1 for _ in arguments.pred.glob('*.nii.gz'))} volumes, {arguments.np} processes, seconds:")
    for name, seconds in times.items():
        print(f"{name:<26} median {statistics.median(seconds):6.1f}   all {', '.join(f'{s:.1f}' for s in seconds)}")
    ours, peer = (statistics.median(seconds) for seconds in times.values())
    print(f"time ratio ours / peer: {ours / peer:.2f}")


def wall_time(command):
    start = time.perf_counter()
    subprocess.run(list(map(str, command)), check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
