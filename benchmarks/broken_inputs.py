"""Print what `nnunet-cardiac convert` says to broken input as a markdown table: shared by broken_<data set>.py.

A data set describes itself as a `Bench`: its small fake data set, the ways to spoil it, the scenarios of its own.
Every kind starts from a fresh copy, and the command runs as a user types it.
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
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

ROOT = Path(__file__).parents[1]
# Run from a checkout: the package beside this folder, and the helpers of its tests.
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

# Between a data set's header and its first finished image, whatever the size of its images.
FULL_DISK_BYTES = 1500


@dataclass(frozen=True)
class Bench:
    """A data set under test.

    Attributes:
        name: What people type.
        write: Writes a small fake data set into a folder that is not there yet and returns what `-i` takes.
        dataset_id: What `-d` gets.
        broken: The ways to spoil it, `helpers.broken_inputs.Broken`.
        scenarios: What else may go wrong, by kind: given this bench, a scratch folder and the data set's folder, they
            run the command and return what it did.
        subject_of: The subject of a written image, by its file name.
    """

    name: str
    write: Callable[[Path], Path]
    dataset_id: int
    broken: Sequence[Any]
    scenarios: Mapping[str, Scenario] = field(default_factory=dict)
    subject_of: Callable[[str], str] = lambda name: name.split("_")[0]

    def command(self, source: Path, *options: str, dataset_id: int | None = None) -> list[str]:
        """Return the command as a list of words."""
        program = [sys.executable, "-m", "nnunet_cardiac_ext.cli.main", "convert", self.name, "-np", "1", "--quiet"]
        return [*program, "-i", str(source), "-d", str(dataset_id or self.dataset_id), *options]

    def run(self, root: Path, source: Path, *options: str, dataset_id: int | None = None, limits: Any = None) -> Result:
        """Run the command with nnU-Net's folders in `root`."""
        return subprocess.run(
            self.command(source, *options, dataset_id=dataset_id),
            env=environment(root), capture_output=True, text=True, check=False, preexec_fn=limits,
        )  # fmt: skip


Result = subprocess.CompletedProcess
Scenario = Callable[[Bench, Path, Path], Result]


def print_table(bench: Bench, *, subjects: str = "subjects") -> None:
    """Print one row per kind; stops at one that prints several lines, leaves half a file or another exit code."""
    print(f"| kind | line printed | exit code | {subjects} converted |")
    print("|---|---|---|---|")
    for broken in bench.broken:
        with tempfile.TemporaryDirectory() as scratch:
            root = Path(scratch)
            source = bench.write(root / "source")
            broken.spoil(source)
            result = bench.run(root, source, *broken.options)
            if result.returncode != broken.exit_code:
                raise SystemExit(f"{broken.kind}: expected exit code {broken.exit_code}, got {result.returncode}")
            show(bench, broken.kind, root, result, note=broken.message if broken.exit_code == 0 else "")
    for kind, scenario in (COMMON_SCENARIOS | dict(bench.scenarios)).items():
        with tempfile.TemporaryDirectory() as scratch:
            root = Path(scratch)
            show(bench, kind, root, scenario(bench, root, bench.write(root / "source")))


def show(bench: Bench, kind: str, root: Path, result: Result, *, note: str = "") -> None:
    """Print a row; of what was accepted, also what stands in the report."""
    lines = result.stderr.strip() or (result.stdout.splitlines() or ["nothing"])[0]
    line = lines.removeprefix("nnunet-cardiac: ").replace(f"{root}/", "")
    converted = {bench.subject_of(path.name) for path in root.glob("raw/*/images*/*")}
    left = [path for path in root.glob("raw/*/*/.*") if path.is_file()]
    if "\n" in line or left:
        raise SystemExit(f"{kind}: expected one line and no half file, got {line!r} and {left}")
    reports = "".join(path.read_text(encoding="utf-8") for path in root.glob("raw/*/conversion_report.json"))
    if note not in reports:
        raise SystemExit(f"{kind}: expected the note {note!r} in the report")
    noted = f"; the report notes `{note}`" if note else ""
    print(f"| {kind} | `{line}`{noted} | {result.returncode} | {len(converted)} |", flush=True)


def environment(root: Path) -> dict[str, str]:
    """Return this process's environment with nnU-Net's folders in `root`."""
    names = {"nnUNet_raw": "raw", "nnUNet_preprocessed": "preprocessed", "nnUNet_results": "results"}
    return os.environ | {variable: str(root / name) for variable, name in names.items()}


def contents(folder: Path) -> dict[Path, bytes]:
    """Bytes by file, without the report, which holds the command."""
    files = (path for path in folder.rglob("*") if path.is_file() and path.name != "conversion_report.json")
    return {path.relative_to(folder): path.read_bytes() for path in files}


def _absent(bench: Bench, root: Path, source: Path) -> Result:
    return bench.run(root, root / "nowhere")


def _nothing_in_it(bench: Bench, root: Path, source: Path) -> Result:
    (root / "empty").mkdir()
    return bench.run(root, root / "empty")


def _unwritable(bench: Bench, root: Path, source: Path) -> Result:
    (root / "raw").write_text("a file where nnUNet_raw should be a folder")
    return bench.run(root, source)


def _taken_id(bench: Bench, root: Path, source: Path) -> Result:
    (root / "raw" / f"Dataset{bench.dataset_id:03d}_Other").mkdir(parents=True)
    return bench.run(root, source)


def _wrong_id(bench: Bench, root: Path, source: Path) -> Result:
    return bench.run(root, source, dataset_id=1000 + bench.dataset_id)


def _other_folds(bench: Bench, root: Path, source: Path) -> Result:
    bench.run(root, source, "--folds", "2")
    return bench.run(root, source, "--folds", "3")


def _full_disk(bench: Bench, root: Path, source: Path) -> Result:
    """No file may grow beyond a limit, which stops the first image as a full disk would."""
    size = (FULL_DISK_BYTES, FULL_DISK_BYTES)
    return bench.run(root, source, limits=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, size))


def _killed_and_resumed(bench: Bench, root: Path, source: Path) -> Result:
    """Kill the first run while it writes; the second has to give what an undisturbed one gives."""
    process = subprocess.Popen(bench.command(source), env=environment(root), stdout=subprocess.DEVNULL)
    while not list(root.glob("raw/*/.conversion/*.json")) and process.poll() is None:
        time.sleep(0.001)
    process.send_signal(signal.SIGKILL)
    process.wait()
    result = bench.run(root, source)
    resumed = contents(root / "raw")
    shutil.rmtree(root / "raw")
    bench.run(root, source)
    if contents(root / "raw") != resumed:
        raise SystemExit("the resumed conversion differs from an undisturbed one")
    return result


def _strange_path(bench: Bench, root: Path, source: Path) -> Result:
    return bench.run(root, source.rename(root / "Herz Übung 心臓"))


COMMON_SCENARIOS: Mapping[str, Scenario] = MappingProxyType(
    {
        "input folder absent": _absent,
        "none of its files in it": _nothing_in_it,
        "output cannot be written": _unwritable,
        "id of another data set": _taken_id,
        "id out of range": _wrong_id,
        "other folds on disk": _other_folds,
        "disk full": _full_disk,
        "killed (SIGKILL) and run again": _killed_and_resumed,
        "path with spaces and other letters": _strange_path,
    }
)
