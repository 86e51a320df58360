"""Phantoms of mouse hearts at 11.7 T, healthy and after infarction, in each of the layouts that mouse data come in."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from nnunet_cardiac_ext.errors import UsageError
from nnunet_cardiac_ext.files import write_csv
from nnunet_cardiac_ext.phantoms.mouse_animals import STAGES, chosen_stages
from nnunet_cardiac_ext.phantoms.mouse_files import write_hdf5, write_matlab, write_nifti
from nnunet_cardiac_ext.phantoms.mouse_scan import draw_scan
from nnunet_cardiac_ext.phantoms.mouse_truth import Truth, true_values
from nnunet_cardiac_ext.phantoms.writing import write_subjects

# Layouts, and how their animals are called.
LAYOUTS: Mapping[str, str] = MappingProxyType({"hdf5": "Mouse{}", "mat": "mouse{:02d}", "nifti": "mouse{:02d}"})
MATLAB_VERSIONS = ("5", "7.3")
# The field of view must hold a dilated heart with its neighbours: 11 mm of 0.13 mm.
_LEAST_MATRIX = 96


def write_phantoms(
    output: Path,
    *,
    subjects: int = 20,
    time_points: int = 3,
    seed: int = 0,
    layout: str = "hdf5",
    cine_frames: int = 12,
    annotated: int = 2,
    slices: int = 0,
    matrix: int = 256,
    mat_version: str = "5",
    workers: int | None = None,
    quiet: bool = False,
) -> list[Truth]:
    """Write scans of mice, and `truth.csv` with what is true of each.

    A scan appears whole or not at all; what is already there from an interrupted run of the same command stays.

    Args:
        output: Folder that gets the scans, `truth.csv` and `phantoms.json`, and a csv that says whose scan each file
            is: `scans.csv`, or `mice.csv` that lists the NIfTI images and masks.
        subjects: Number of animals; controls and animals with infarction take turns.
        time_points: Scans of each animal, 1 to 5: day 7, day 56, before surgery, day 1, day 28, in this preference.
        seed: The same seed gives the same files, whatever the number of workers.
        layout: "hdf5" (the public data set's), "mat" (Segment's export) or "nifti".
        cine_frames: Frames of the cycle, at least 3.
        annotated: Frames with labels, at least 1: end-diastole, end-systole, then others evenly over the cycle.
        slices: Slices of each stack; 0 takes 8 to 11, as the heart needs.
        matrix: Rows and columns, at least 96, of 0.1307 mm.
        mat_version: Version of the MATLAB files, "5" or "7.3".
        workers: Processes; by default one per core.
        quiet: Draw no progress bar.

    Returns:
        The truth of each scan, by animal and time.

    Raises:
        UsageError: An option is out of range, or the folder holds phantoms of other settings.
        WorkError: A file cannot be written, or a worker process died.
    """  # fmt: skip
    settings = {
        "layout": layout, "subjects": subjects, "time_points": time_points, "seed": seed, "cine_frames": cine_frames,
        "annotated": annotated, "slices": slices, "matrix": matrix, "mat_version": mat_version,
    }  # fmt: skip
    _check(settings)
    truths = write_subjects(
        output, _write_scan, _jobs(output, settings), kind=Truth, workers=workers, quiet=quiet, settings=settings,
        limits={"subjects": 1, "time_points": 1, "seed": 0, "cine_frames": 3, "annotated": 1, "slices": 0,
                "matrix": _LEAST_MATRIX},
    )  # fmt: skip
    if layout == "nifti":
        write_csv(output / "mice.csv", [row for truth in truths for row in _listed(truth, annotated)])
    else:
        write_csv(output / "scans.csv", [_scan_row(truth, layout) for truth in truths])
    return truths


def _check(settings: dict[str, Any]) -> None:
    _check_choice("layout", settings["layout"], tuple(LAYOUTS))
    _check_choice("MATLAB version", settings["mat_version"], MATLAB_VERSIONS)
    _check_most("time points", settings["time_points"], len(STAGES))
    _check_most("annotated frames", settings["annotated"], settings["cine_frames"])


def annotated_frames(frames: int, systole: int, count: int) -> list[int]:
    """Choose the frames that get labels: the first, the end-systolic one, then others evenly over the cycle.

    Args:
        frames: Frames of the cycle.
        systole: Index of the end-systolic frame.
        count: How many to choose.

    Returns:
        Their indices in order.
    """
    others = [frame for frame in range(1, frames) if frame != systole]
    more = max(0, count - 2)
    spread = [others[int((position + 0.5) * len(others) / more)] for position in range(more)]
    return sorted([0, systole][:count] + spread)


def _jobs(output: Path, settings: Mapping[str, Any]) -> dict[Path, tuple[Any, ...]]:
    """Return the file or folder of each scan with what `_write_scan` wants to know of it."""
    layout, stages = settings["layout"], chosen_stages(settings["time_points"])
    animals = {number: LAYOUTS[layout].format(number) for number in range(1, settings["subjects"] + 1)}
    return {
        output / _file_name(layout, animal, stage): (animal, number, stage, settings)
        for number, animal in animals.items()
        for stage in stages
    }


def _write_scan(path: Path, animal: str, number: int, stage: str, settings: Mapping[str, Any]) -> Truth:
    layout = settings["layout"]
    scan = draw_scan(
        settings["seed"], number, stage,
        frames=settings["cine_frames"], matrix=settings["matrix"], slices=settings["slices"],
    )  # fmt: skip
    chosen = annotated_frames(scan.frames, scan.systole, settings["annotated"])
    if not path.exists():
        if layout == "hdf5":
            write_hdf5(path, scan, chosen)
        elif layout == "mat":
            write_matlab(path, scan, chosen, animal=animal, version=settings["mat_version"])
        else:
            write_nifti(path, scan, chosen)
    return true_values(scan, animal)


def _file_name(layout: str, animal: str, stage: str) -> str:
    return {"hdf5": f"{animal}_{stage}.h5", "mat": f"{animal}_{stage}.mat", "nifti": f"{animal}/{stage}"}[layout]


def _scan_row(truth: Truth, layout: str) -> dict[str, str]:
    file = _file_name(layout, truth.animal, truth.time_point)
    return {"file": file, "animal": truth.animal, "time_point": truth.time_point, "group": truth.group}


def _listed(truth: Truth, annotated: int) -> list[dict[str, Any]]:
    folder = _file_name("nifti", truth.animal, truth.time_point)
    return [
        {
            "animal": truth.animal, "time_point": truth.time_point, "frame": frame,
            "phase": {0: "ED", truth.es_frame: "ES"}.get(frame, ""), "image": f"{folder}/frame{frame:02d}.nii.gz",
            "mask": f"{folder}/frame{frame:02d}_mask.nii.gz", "group": truth.group,
        }
        for frame in annotated_frames(truth.frames, truth.es_frame, annotated)
    ]  # fmt: skip


def _check_choice(name: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise UsageError(f"{name}: expected one of {', '.join(choices)}, got {value!r}")


def _check_most(name: str, value: int, most: int) -> None:
    if value > most:
        raise UsageError(f"{name}: expected at most {most}, got {value}")
