"""Measures the hearts of one folder of label images, predictions without a reference too, and writes the tables."""

from __future__ import annotations

import platform
import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from nnunet_cardiac_ext import case_table
from nnunet_cardiac_ext.anatomy import CINE, LGE, MOUSE
from nnunet_cardiac_ext.case_table import CaseRow
from nnunet_cardiac_ext.errors import UsageError, WorkError
from nnunet_cardiac_ext.evaluation.clinical import phases_by_subject
from nnunet_cardiac_ext.evaluation.heart.images import HeartFiles, group_by_heart
from nnunet_cardiac_ext.evaluation.heart.subject import WALL_COLUMNS, SubjectTables, measure_subject
from nnunet_cardiac_ext.evaluation.heart.tables import open_tables
from nnunet_cardiac_ext.evaluation.inputs import find_labels, image_files, remark_on_labels
from nnunet_cardiac_ext.files import remove, write_json
from nnunet_cardiac_ext.processes import number_of_workers, run_jobs
from nnunet_cardiac_ext.progress import progress

FACTS_FILE = "measure.json"
# A heart takes some 50 ms, a worker process a second to start.
SUBJECTS_WORTH_A_WORKER = 40
KNOWN_STRUCTURES = tuple(dict.fromkeys(name for m in (CINE, LGE, MOUSE) for name in m.structures))
# Some 30 kB each until they are written; fewer would start the workers too often.
SUBJECTS_AT_A_TIME = 2000
# nnU-Net's name of the first channel of a case.
FIRST_CHANNEL = "_0000"


@dataclass(frozen=True)
class MeasureResult:
    """What was measured.

    Attributes:
        output: The folder with the tables.
        images: Number of measured images; each frame of a cine is one.
        subjects: The lines of `subjects.csv`; empty where no phases are known.
        volumes: The lines of `volumes.csv`, without the frames of a cine between ED and ES.
        failures: One line by case that could not be measured.
        remarks: What was odd, one line each.
    """

    output: Path
    images: int
    subjects: list[dict[str, Any]]
    volumes: list[dict[str, Any]]
    failures: dict[str, str]
    remarks: list[str]


def measure(
    folder: Path,
    output: Path,
    *,
    labels: Mapping[str, int] | None = None,
    cases: Path | None = None,
    images: Path | None = None,
    workers: int | None = None,
    quiet: bool = False,
) -> MeasureResult:
    """Measure label images and write `subjects.csv`, `volumes.csv`, `segments.csv`, `slices.csv`, `curves.csv`.

    docs/clinical.md defines every column. Images of one subject belong together: by the case table, else by the part of
    the name before `_frameXX`.

    Args:
        folder: Folder of label images, 3-D, or 4-D NIfTI.
        output: Folder for the tables and `measure.json`.
        labels: Label value by structure; by default those of a `dataset.json` beside or in `folder` or beside the
            case table, or cine's, which is remarked.
        cases: Case table with subject, phase, and height_cm, weight_kg, heart_rate_bpm where they are known; by default
            `cases.csv` beside or in `folder`, where it exists.
        images: Folder of the images, named as the labels or with `_0000`; their voxel size counts where a label file
            has lost it.
        workers: Number of processes; by default one per core, fewer where there are few subjects. A script that calls
            this with more than one guards its own start by `if __name__ == "__main__"`.
        quiet: No progress bar.

    Returns:
        The lines per subject and per image, and what failed.

    Raises:
        UsageError: Folder, labels and case table do not fit together.
        WorkError: No image could be measured, or a worker process died.
    """
    files = image_files(folder)
    cases = cases or next((path for path in _tables_near(folder) if path.is_file()), None)
    near = folder, cases.parent if cases else folder
    assumed = [] if labels else remark_on_labels(*near)
    labels = _known(dict(labels) if labels else find_labels(*near), folder)
    table = case_table.read_case_table(cases) if cases else []
    phases_by_subject(table, files)
    hearts = group_by_heart(files, table, _by_case(images) if images else None)
    done = progress(
        _in_order(hearts, labels, number_of_workers(workers, len(hearts), jobs_per_worker=SUBJECTS_WORTH_A_WORKER)),
        label="measuring", total=len(hearts), quiet=quiet,
    )  # fmt: skip
    remove(output / FACTS_FILE)
    result = _write(output, done, labels)
    result = replace(result, remarks=[*assumed, *_not_in_table(files, table), *result.remarks])
    write_json(output / FACTS_FILE, _facts(result, folder, labels, cases, images))
    return result


def _known(labels: dict[str, int], folder: Path) -> dict[str, int]:
    if not labels.keys() & set(KNOWN_STRUCTURES):
        raise UsageError(
            f"{folder}: expected labels of {', '.join(KNOWN_STRUCTURES)}, got {', '.join(labels)}; "
            "name them with --labels LV=3,MYO=2,RV=1"
        )
    return labels


def _tables_near(folder: Path) -> tuple[Path, Path]:
    return folder.resolve().parent / case_table.FILE_NAME, folder / case_table.FILE_NAME


def _by_case(images: Path) -> dict[str, Path]:
    """Image by case: of `CASE_0000` and `CASE_0001` the first."""
    files = image_files(images)
    return files | {name.removesuffix(FIRST_CHANNEL): path for name, path in files.items()}


def _not_in_table(files: Mapping[str, Path], table: Sequence[CaseRow]) -> list[str]:
    unknown = sorted(files.keys() - {row.case for row in table}) if table else []
    others = f" and {len(unknown) - 1} more" if len(unknown) > 1 else ""
    return [f"{unknown[0]}{others}: no line in the case table"] if unknown else []


def _in_order(hearts: Sequence[HeartFiles], labels: Mapping[str, int], workers: int) -> Iterator[SubjectTables]:
    """Yield the tables of all subjects in order, a part at a time: 50,000 at once would need gigabytes."""
    for start in range(0, len(hearts), SUBJECTS_AT_A_TIME):
        jobs = [(heart, labels) for heart in hearts[start : start + SUBJECTS_AT_A_TIME]]
        yield from sorted(run_jobs(measure_subject, jobs, workers=workers), key=lambda found: found.subject)


def _write(output: Path, tables: Iterable[SubjectTables], labels: Mapping[str, int]) -> MeasureResult:
    """Write the lines as they come; the files appear when all are there."""
    images, failures, remarks = 0, dict[str, str](), list[str]()
    subjects, volumes = list[dict[str, Any]](), list[dict[str, Any]]()
    with open_tables(output, labels) as write:
        for found in tables:
            write(found)
            images += len(found.volumes)
            subjects += [found.numbers] if found.numbers else []
            volumes += [line for line in found.volumes if WALL_COLUMNS[0] in line]
            failures |= found.failures
            remarks += found.remarks
        if not images:
            raise WorkError(f"no image could be measured; the first: {next(iter(failures.values()))}")
    return MeasureResult(output, images, subjects, volumes, failures, remarks)


def _facts(
    result: MeasureResult, folder: Path, labels: Mapping[str, int], cases: Path | None, images: Path | None
) -> dict[str, Any]:
    command = ["nnunet-cardiac", "measure", "-i", str(folder), "-o", str(result.output)]
    command += ["--labels", ",".join(f"{name}={value}" for name, value in labels.items())]
    command += ["--cases", str(cases)] if cases else []
    command += ["--images", str(images)] if images else []
    return {
        "created": datetime.now().astimezone().isoformat(timespec="seconds"),
        "command": shlex.join(command),
        "labels": dict(labels),
        "subjects": len(result.subjects),
        "images": result.images,
        "failures": dict(result.failures),
        "remarks": list(result.remarks),
        "versions": {"python": platform.python_version()}
        | {name: version(name) for name in ("nnunet-cardiac-ext", "numpy", "scipy", "SimpleITK", "nibabel")},
    }
