"""Phantoms in the official layout of ACDC, with the defects of its headers and a table of their true volumes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from nnunet_cardiac_ext.phantoms.cycle import cycle, end_systole
from nnunet_cardiac_ext.phantoms.groups import GROUPS
from nnunet_cardiac_ext.phantoms.integrals import cine_volumes
from nnunet_cardiac_ext.phantoms.subject import Subject, draw_subject, label_frame, paint_frames
from nnunet_cardiac_ext.phantoms.writing import folder_written_whole, save_nifti, write_subjects

# The directions of the official files; their scale is wrong, the spacing stands in pixdim alone.
_AFFINE = np.diag([-1.0, -1.0, 1.0, 1.0])


@dataclass(frozen=True)
class Truth:
    """What a perfect reader would measure in one phantom: areas in the middle of each slice times the slice spacing.

    Attributes:
        patient: Folder of the subject.
        part: "training" or "testing".
        group: Diagnosis as in Info.cfg.
        lv_ed_ml: End-diastolic LV volume, papillary muscles included, as ACDC counts.
        lv_es_ml: End-systolic LV volume.
        lv_ef: LV ejection fraction, %.
        rv_ed_ml: End-diastolic RV volume.
        rv_es_ml: End-systolic RV volume.
        rv_ef: RV ejection fraction, %.
        mass_g: LV myocardial mass at end-diastole (1.05 g/ml).
    """

    patient: str
    part: str
    group: str
    lv_ed_ml: float
    lv_es_ml: float
    lv_ef: float
    rv_ed_ml: float
    rv_es_ml: float
    rv_ef: float
    mass_g: float


def write_phantoms(
    output: Path,
    *,
    subjects: int = 20,
    testing: int = 5,
    seed: int = 0,
    cine_frames: int = 12,
    workers: int | None = None,
    quiet: bool = False,
) -> list[Truth]:
    """Write phantoms as ACDC lays out its patients, and `truth.csv` with their true volumes.

    A subject appears whole or not at all; what is already there from an interrupted run of the same command stays.

    Args:
        output: Folder that gets `training/`, `testing/`, `truth.csv` and `phantoms.json`.
        subjects: Number of training subjects, named from patient001 on; the five groups take turns.
        testing: Number of testing subjects, numbered on from the training subjects.
        seed: The same seed gives the same images, whatever the number of workers.
        cine_frames: Frames of the 4-D file, at least 3.
        workers: Processes; by default one per core.
        quiet: Draw no progress bar.

    Returns:
        The truth of each subject, by patient.

    Raises:
        UsageError: A number is out of range, or the folder holds phantoms of other settings.
        WorkError: A file cannot be written, or a worker process died.
    """  # fmt: skip
    jobs = {
        output / ("training" if number <= subjects else "testing") / f"patient{number:03d}": (seed, cine_frames)
        for number in range(1, subjects + testing + 1)
    }
    return write_subjects(
        output, _write_subject, jobs, kind=Truth, workers=workers, quiet=quiet,
        settings={"subjects": subjects, "testing": testing, "seed": seed, "cine_frames": cine_frames},
        limits={"subjects": 1, "testing": 0, "seed": 0, "cine_frames": 3},
    )  # fmt: skip


def true_volumes(subject: Subject, patient: str, part: str) -> Truth:
    """Compute the truth of a subject."""
    volumes = cine_volumes(subject.shape, subject.stack.depths, subject.stack.spacing)
    return Truth(patient=patient, part=part, group=subject.group, **volumes)


def _write_subject(folder: Path, seed: int, cine_frames: int) -> Truth:
    number = int(folder.name.removeprefix("patient"))
    group = list(GROUPS)[(number - 1) % len(GROUPS)]
    subject = draw_subject(group, (seed, number))
    if not folder.exists():
        with folder_written_whole(folder) as partial:
            _write_files(partial, folder.name, subject, cine_frames)
    return true_volumes(subject, folder.name, folder.parent.name)


def _write_files(folder: Path, name: str, subject: Subject, cine_frames: int) -> None:
    systole = end_systole(cine_frames)
    image = paint_frames(subject, cycle(cine_frames).tolist())
    _save(folder / f"{name}_4d.nii.gz", image, subject)
    for index, phase in ((0, 0.0), (systole, 1.0)):
        _save(folder / f"{name}_frame{index + 1:02d}.nii.gz", image[index], subject)
        _save(folder / f"{name}_frame{index + 1:02d}_gt.nii.gz", label_frame(subject, phase), subject)
    rng = np.random.default_rng([*subject.seed, 2])
    height = rng.normal(170, 9)
    lines = {
        "ED": 1, "ES": systole + 1, "Group": subject.group, "Height": f"{height:.1f}", "NbFrame": cine_frames,
        "Weight": f"{rng.normal(26, 4) * (height / 100) ** 2:.1f}",
    }  # fmt: skip
    (folder / "Info.cfg").write_text("".join(f"{key}: {value}\n" for key, value in lines.items()), encoding="utf-8")


def _save(path: Path, data: np.ndarray, subject: Subject) -> None:
    """Write (..., slice, row, column) as ACDC does: spacing in pixdim only, the sform without it."""
    stack = subject.stack
    save_nifti(path, data, spacing=(stack.spacing, stack.voxel, stack.voxel), affine=_AFFINE, quatern_d=1)
