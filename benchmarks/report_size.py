"""Weight, build time and memory of the report at 100 and at 5,000 cases, drawn from phantoms.

A few phantom hearts are drawn and converted; their labels, moved by a pixel or two, are the predictions. They are
evaluated, measured and checked once. The tables are then repeated under new names, with their clinical numbers varied
by 5 %, until there are as many cases as asked for; the label files are links to the drawn ones, and summary.csv stays
that of the drawn ones (its size does not depend on the number of cases). What is measured is the
command `nnunet-cardiac report` from its start to the finished page.

    python benchmarks/report_size.py --cases 100 5000 [--all]
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import SimpleITK as sitk  # noqa: N813
from scipy import ndimage

COMMAND = str(Path(sys.executable).with_name("nnunet-cardiac"))
SUBJECTS = 10
TABLES = (
    "metrics.csv", "profiles.csv", "clinical.csv", "quality/quality.csv",
    *(f"measure_{side}/{name}.csv" for side in ("reference", "prediction")
      for name in ("subjects", "volumes", "segments", "curves")),
)  # fmt: skip
NAMES = ("case", "subject", "ed_case", "es_case")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, nargs="+", default=[100, 5000])
    parser.add_argument("--all", action="store_true", help="also write the pages of every case")
    parser.add_argument("--keep", type=Path, help="folder for everything, kept; by default a scratch folder")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        root = arguments.keep or Path(scratch)
        drawn = draw(root / "drawn")
        print(f"{'cases':>6}{'page, MB':>10}{'pages, MB':>11}{'seconds':>9}{'peak memory, MB':>17}")
        for cases in arguments.cases:
            folder = repeat(drawn, root / f"cases_{cases}", cases)
            seconds, peak = build(folder, ["--all"] if arguments.all else [])
            page, others = folder / "report.html", sum(p.stat().st_size for p in (folder / "report_cases").glob("*"))
            print(f"{cases:>6}{page.stat().st_size / 1e6:>10.1f}{others / 1e6:>11.1f}{seconds:>9.1f}{peak:>17.0f}")


def draw(root: Path) -> Path:
    """Draw, convert, spoil, evaluate, measure and check; return the evaluation."""
    environment = os.environ | {
        name: str(root / name) for name in ("nnUNet_raw", "nnUNet_preprocessed", "nnUNet_results")
    }
    raw = root / "nnUNet_raw" / "Dataset900_ACDC"
    labels, predictions, out = raw / "labelsTr", root / "predictions", root / "evaluation"

    def run(*words: object) -> None:
        subprocess.run([COMMAND, *map(str, words), "--quiet"], check=True, env=environment)

    if not (out / "quality" / "quality.csv").is_file():
        run("phantom", "acdc", "-o", root / "phantoms", "--subjects", SUBJECTS)
        run("convert", "acdc", "-i", root / "phantoms", "-d", 900)
        spoil(labels, predictions)
        run("evaluate", "-ref", labels, "-pred", predictions, "-o", out, "--by", "group", "phase")
        for side, folder in (("reference", labels), ("prediction", predictions)):
            run("measure", "-i", folder, "-o", out / f"measure_{side}", "--cases", raw / "cases.csv")
        run("quality", "-i", predictions, "-o", out / "quality", "--cases", raw / "cases.csv")
    return out


def spoil(labels: Path, predictions: Path) -> None:
    """Write each label image moved by one or two pixels, now and then with a slice lost."""
    generator = np.random.default_rng(0)
    predictions.mkdir(parents=True, exist_ok=True)
    for path in sorted(labels.iterdir()):
        image = sitk.ReadImage(str(path))
        array = ndimage.shift(sitk.GetArrayFromImage(image), (0, *generator.integers(-2, 3, 2)), order=0)
        if generator.random() < 0.2:
            array[generator.integers(len(array))] = 0
        spoiled = sitk.GetImageFromArray(array)
        spoiled.CopyInformation(image)
        sitk.WriteImage(spoiled, str(predictions / path.name))


def repeat(drawn: Path, folder: Path, cases: int) -> Path:
    """Write the evaluation of so many cases and link the images of each."""
    facts = json.loads((drawn / "evaluation.json").read_text())
    names = sorted(path.name.removesuffix(".nii.gz") for path in Path(facts["prediction"]).glob("*.nii.gz"))
    times = -(-cases // len(names))
    folder.mkdir(parents=True, exist_ok=True)
    raw = Path(facts["reference"]).parent
    for key, source, ending in (
        ("reference", raw / "labelsTr", ""), ("prediction", Path(facts["prediction"]), ""),
        ("images", raw / "imagesTr", "_0000"),
    ):  # fmt: skip
        target = folder / {"reference": "labelsTr", "images": "imagesTr"}.get(key, key)
        target.mkdir(exist_ok=True)
        for k in range(times):
            for name in names:
                link = target / f"r{k:04d}_{name}{ending}.nii.gz"
                if not link.is_symlink():
                    link.symlink_to((source / f"{name}{ending}.nii.gz").resolve())
        facts[key] = str(target)
    for table in TABLES:
        repeat_table(drawn / table, folder / table, times)
    repeat_table(Path(facts["case_table"]), folder / "cases.csv", times)
    (folder / "summary.csv").write_bytes((drawn / "summary.csv").read_bytes())
    facts["case_table"] = str(folder / "cases.csv")
    (folder / "evaluation.json").write_text(json.dumps(facts))
    return folder


def repeat_table(source: Path, target: Path, times: int) -> None:
    """Write a table again and again, each time under other names; clinical numbers vary by 5 %."""
    generator = np.random.default_rng(0)
    vary = source.name == "clinical.csv"
    with source.open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    target.parent.mkdir(exist_ok=True)
    with target.open("w", newline="") as stream:
        if not rows:
            stream.write(source.read_text())
            return
        writer = csv.DictWriter(stream, rows[0], lineterminator="\n")
        writer.writeheader()
        for k in range(times):
            for row in rows:
                named = {key: f"r{k:04d}_{row[key]}" for key in NAMES if row.get(key)}
                varied = [key for key in row if vary and key not in NAMES]
                numbers = {key: float(row[key]) * generator.normal(1, 0.05) for key in varied}
                writer.writerow(row | numbers | named)


def build(folder: Path, options: list[str]) -> tuple[float, float]:
    """Return seconds and peak memory in MB of one `nnunet-cardiac report`."""
    start = time.perf_counter()
    process = subprocess.Popen([COMMAND, "report", "-i", str(folder), "--quiet", *options], stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        sys.exit(f"{folder}: the report failed")
    return time.perf_counter() - start, usage.ru_maxrss / 1024


if __name__ == "__main__":
    main()
