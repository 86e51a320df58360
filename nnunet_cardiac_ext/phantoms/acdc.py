"""Phantoms in the official layout of ACDC, with the defects of its headers and a table of their true volumes."""

from __future__ import annotations

import gzip
import shutil
import uuid
from dataclasses import asdict, dataclass
from pathlib import Path

import nibabel as nib
import numpy as np

from nnunet_cardiac_ext.anatomy import MYOCARDIAL_DENSITY
from nnunet_cardiac_ext.errors import UsageError, WorkError
from nnunet_cardiac_ext.files import read_json, write_csv, write_json
from nnunet_cardiac_ext.phantoms.groups import GROUPS
from nnunet_cardiac_ext.phantoms.heart import Heart
from nnunet_cardiac_ext.phantoms.integrals import sliced_volumes
from nnunet_cardiac_ext.phantoms.subject import Subject, draw_subject, label_frame, paint_frames
from nnunet_cardiac_ext.processes import available_cores, run_jobs
from nnunet_cardiac_ext.progress import progress

# Systole takes about a third of the cycle.
_SYSTOLE = 0.36
# Noise hardly compresses: a higher level costs time and saves little.
_COMPRESSION = 1


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
    _check(subjects, testing, seed, cine_frames)
    if workers is not None and workers < 1:
        raise UsageError(f"workers: expected at least 1, got {workers}")
    _claim(output, {"subjects": subjects, "testing": testing, "seed": seed, "cine_frames": cine_frames})
    jobs = [
        (output / ("training" if number <= subjects else "testing") / f"patient{number:03d}", seed, cine_frames)
        for number in range(1, subjects + testing + 1)
    ]
    # Spawned workers, because the caller may hold torch's threads, which a fork would copy half alive.
    running = run_jobs(_write_subject, jobs, workers=min(len(jobs), workers or available_cores()))
    done = progress(running, label="drawing phantoms", total=len(jobs), quiet=quiet)
    truths = sorted(done, key=lambda truth: truth.patient)
    rows = [{key: round(v, 4) if isinstance(v, float) else v for key, v in asdict(t).items()} for t in truths]
    write_csv(output / "truth.csv", rows)
    return truths


def true_volumes(subject: Subject, patient: str, part: str) -> Truth:
    """Compute the truth of a subject."""
    stack = subject.stack
    diastole, systole = (sliced_volumes(Heart(subject.shape, phase), stack.depths, stack.spacing) for phase in (0, 1))
    return Truth(
        patient=patient, part=part, group=subject.group,
        lv_ed_ml=diastole.lv, lv_es_ml=systole.lv, lv_ef=_ejected(diastole.lv, systole.lv),
        rv_ed_ml=diastole.rv, rv_es_ml=systole.rv, rv_ef=_ejected(diastole.rv, systole.rv),
        mass_g=diastole.myocardium * MYOCARDIAL_DENSITY,
    )  # fmt: skip


def cycle(frames: int) -> np.ndarray:
    """Phase of the heart in each cine frame: 0 in the first, 1 at end-systole, a plateau before the next beat."""
    systole = end_systole(frames)
    index = np.arange(frames)
    rise = 0.5 - 0.5 * np.cos(np.pi * np.clip(index / systole, 0, 1))
    fall = np.clip((index - systole) / (frames - systole), 0, 1)
    return np.where(index <= systole, rise, (1 - fall) ** 2 * (1 + 2 * fall))


def end_systole(frames: int) -> int:
    """Index (from 0) of the end-systolic frame."""
    return max(1, round(_SYSTOLE * frames))


def _check(subjects: int, testing: int, seed: int, cine_frames: int) -> None:
    limits = (("subjects", subjects, 1), ("testing", testing, 0), ("seed", seed, 0), ("cine frames", cine_frames, 3))
    for name, value, least in limits:
        if value < least:
            raise UsageError(f"{name}: expected at least {least}, got {value}")


def _claim(output: Path, settings: dict[str, int]) -> None:
    record = output / "phantoms.json"
    if record.exists():
        present = read_json(record)
        if present != settings:
            raise UsageError(f"{output}: expected phantoms of {settings}, got {present}; choose another folder")
    else:
        write_json(record, settings)


def _write_subject(folder: Path, seed: int, cine_frames: int) -> Truth:
    number = int(folder.name.removeprefix("patient"))
    group = list(GROUPS)[(number - 1) % len(GROUPS)]
    subject = draw_subject(group, (seed, number))
    if not (folder / "Info.cfg").exists():
        partial = folder.with_name(f".{uuid.uuid4().hex[:8]}.{folder.name}")
        try:
            partial.mkdir(parents=True)
            _write_files(partial, folder.name, subject, cine_frames)
            partial.replace(folder)
        except OSError as error:
            raise WorkError(f"{folder}: cannot be written ({error.strerror or error})") from error
        finally:
            shutil.rmtree(partial, ignore_errors=True)
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
    header = nib.Nifti1Header()
    header.set_data_dtype(data.dtype)
    header.set_data_shape(data.T.shape)
    header.set_zooms((stack.voxel, stack.voxel, stack.spacing, 0.08)[: data.ndim])
    affine = np.diag([-1.0, -1.0, 1.0, 1.0])
    header.set_sform(affine, code=2)
    header["quatern_d"] = 1
    header.set_xyzt_units("mm", "sec")
    image = nib.Nifti1Image(data.T, affine, header)
    # Without a name and a time in its header the same image is the same file.
    with path.open("wb") as raw, gzip.GzipFile("", "wb", _COMPRESSION, raw, mtime=0) as stream:
        image.to_file_map({"image": nib.FileHolder(fileobj=stream)})


def _ejected(diastole: float, systole: float) -> float:
    return (diastole - systole) / diastole * 100
