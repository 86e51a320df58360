"""What `nnunet-cardiac convert acdc` says to each kind of broken input, as a markdown table.

Each kind spoils a small fake database of three training patients and a test patient; the command runs as a user types
it. The table stands in docs/datasets/acdc.md.

    python benchmarks/broken_acdc.py
"""

from __future__ import annotations

import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parents[1] / "tests")]

from helpers.acdc_files import write_database  # noqa: E402  # after the path
from helpers.broken_acdc import BROKEN_PATIENTS, BROKEN_TEST_PATIENT, SHEARED_AFFINE  # noqa: E402  # after the path

COMMAND = (sys.executable, "-m", "nnunet_cardiac_ext.cli.main", "convert", "acdc", "-np", "1", "--quiet")


def main():
    print("| kind | line printed | exit code | patients converted |")
    print("|---|---|---|---|")
    for broken in (*BROKEN_PATIENTS, BROKEN_TEST_PATIENT, SHEARED_AFFINE):
        with tempfile.TemporaryDirectory() as scratch:
            root = Path(scratch)
            database = write_database(root / "database")
            broken.spoil(database)
            show(broken.kind, root, run(root, database, *broken.options))
    for kind, scenario in SCENARIOS.items():
        with tempfile.TemporaryDirectory() as scratch:
            root = Path(scratch)
            show(kind, root, scenario(root, write_database(root / "database")))


def run(root, source, *options, dataset_id=27, limits=None):
    return subprocess.run(
        [*COMMAND, "-i", str(source), "-d", str(dataset_id), *options],
        env=environment(root), capture_output=True, text=True, check=False, preexec_fn=limits,
    )  # fmt: skip


def environment(root):
    names = {"nnUNet_raw": "raw", "nnUNet_preprocessed": "preprocessed", "nnUNet_results": "results"}
    return os.environ | {variable: str(root / name) for variable, name in names.items()}


def show(kind, root, result):
    line = result.stderr.strip() or result.stdout.splitlines()[0]
    line = line.removeprefix("nnunet-cardiac: ").replace(f"{root}/", "")
    images = {path.name.split("_")[0] for path in root.glob("raw/*/images*/*")}
    left = [path for path in root.glob("raw/*/*/.*") if path.is_file()]
    if "\n" in line or left:
        raise SystemExit(f"{kind}: expected one line and no half file, got {line!r} and {left}")
    print(f"| {kind} | `{line}` | {result.returncode} | {len(images)} |", flush=True)


def absent(root, database):
    return run(root, root / "nowhere")


def no_patients(root, database):
    (root / "empty").mkdir()
    return run(root, root / "empty")


def unwritable(root, database):
    (root / "raw").write_text("a file where nnUNet_raw should be a folder")
    return run(root, database)


def taken_id(root, database):
    (root / "raw" / "Dataset027_Other").mkdir(parents=True)
    return run(root, database)


def wrong_id(root, database):
    return run(root, database, dataset_id=1027)


def other_source(root, database):
    run(root, database / "testing")
    return run(root, database / "training")


def other_folds(root, database):
    run(root, database, "--folds", "2")
    return run(root, database, "--folds", "3")


def full_disk(root, database):
    """No file may grow beyond 1500 bytes, which stops the first image as a full disk would."""
    return run(root, database, limits=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1500, 1500)))


def killed_and_resumed(root, database):
    """Kill the first run while it writes; the second has to give what an undisturbed one gives."""
    process = subprocess.Popen([*COMMAND, "-i", str(database), "-d", "27"], env=environment(root))
    while not list(root.glob("raw/*/.conversion/*.json")) and process.poll() is None:
        time.sleep(0.001)
    process.send_signal(signal.SIGKILL)
    process.wait()
    result = run(root, database)
    resumed = contents(root / "raw")
    shutil.rmtree(root / "raw")
    run(root, database)
    if contents(root / "raw") != resumed:
        raise SystemExit("the resumed conversion differs from an undisturbed one")
    return result


def strange_path(root, database):
    return run(root, database.rename(root / "Herz Übung 心臓"))


def hidden_files(root, database):
    (database / "training" / "patient002" / "._patient002_frame01.nii.gz").write_bytes(b"\0\5\26\7")
    (database / "__MACOSX" / "training" / "patient002").mkdir(parents=True)
    return run(root, database)


def contents(folder):
    files = (path for path in folder.rglob("*") if path.is_file() and path.name != "conversion_report.json")
    return {path.relative_to(folder): path.read_bytes() for path in files}


SCENARIOS = {
    "input folder absent": absent,
    "no patients in it": no_patients,
    "output cannot be written": unwritable,
    "id of another data set": taken_id,
    "id out of range": wrong_id,
    "other subjects under the same id": other_source,
    "other folds on disk": other_folds,
    "disk full": full_disk,
    "killed (SIGKILL) and run again": killed_and_resumed,
    "path with spaces and other letters": strange_path,
    "hidden macOS files": hidden_files,
}

if __name__ == "__main__":
    main()
