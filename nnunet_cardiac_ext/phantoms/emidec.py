"""Phantoms in the official layout of EMIDEC, with the defects of its headers and a table of what is true of them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from nnunet_cardiac_ext.anatomy import MYOCARDIAL_DENSITY
from nnunet_cardiac_ext.files import written_whole
from nnunet_cardiac_ext.phantoms.infarct import sliced_infarct
from nnunet_cardiac_ext.phantoms.integrals import sliced_volumes
from nnunet_cardiac_ext.phantoms.lge_clinical import clinical_text
from nnunet_cardiac_ext.phantoms.lge_subject import LgeSubject, draw_lge_subject, label_lge, paint_lge
from nnunet_cardiac_ext.phantoms.writing import folder_written_whole, save_nifti, write_subjects

TRAINING_FOLDER = "emidec-dataset-1.0.1"
TESTING_FOLDER = "emidec-segmentation-testset-1.0.0"
_CASE = "Case_"
# One case in three is normal, as in the official training set (33 of 100).
_GROUP_CYCLE = ("P", "P", "N")
# The directions of the official files; their scale is wrong, the spacing stands in pixdim alone.
_AFFINE = np.diag([-1.0, -1.0, 1.0, 1.0])


@dataclass(frozen=True)
class Truth:
    """What a perfect reader would measure in one phantom: areas in the middle of each slice times the slice spacing.

    Attributes:
        case: Folder of the case.
        part: "training" or "testing".
        group: N (normal) or P (pathological).
        lv_ml: Volume of the LV cavity, papillary muscles included, as EMIDEC counts.
        mass_g: Mass of the LV myocardium, infarct included (1.05 g/ml).
        infarct_g: Mass of the whole infarct, no-reflow included.
        infarct_percent: The same in % of the myocardium.
        no_reflow_g: Mass of the no-reflow core.
        territory: Artery of the infarct (LAD, RCA, LCX), or nothing.
        transmurality_percent: Infarcted share of the wall's thickness, averaged over the infarcted circumference of all
            slices; NaN without an infarct.
        apex_first: Whether slice 0 is at the apex.
    """

    case: str
    part: str
    group: str
    lv_ml: float
    mass_g: float
    infarct_g: float
    infarct_percent: float
    no_reflow_g: float
    territory: str
    transmurality_percent: float
    apex_first: bool


def write_phantoms(
    output: Path,
    *,
    subjects: int = 20,
    testing: int = 5,
    seed: int = 0,
    workers: int | None = None,
    quiet: bool = False,
) -> list[Truth]:
    """Write phantoms as EMIDEC lays out its cases, and `truth.csv` with their true volumes and masses.

    A subject appears whole or not at all; what is already there from an interrupted run of the same command stays.

    Args:
        output: Folder that gets the training set, the test set, `truth.csv` and `phantoms.json`.
        subjects: Number of training cases, named from 001 on; every third is normal.
        testing: Number of test cases, named from 101 on or after the training cases; they have no contours.
        seed: The same seed gives the same images, whatever the number of workers.
        workers: Processes; by default one per core.
        quiet: Draw no progress bar.

    Returns:
        The truth of each case.

    Raises:
        UsageError: A number is out of range, or the folder holds phantoms of other settings.
        WorkError: A file cannot be written, or a worker process died.
    """  # fmt: skip
    names = [(TRAINING_FOLDER, f"{_group(number)}{number:03d}") for number in range(1, subjects + 1)]
    first = max(subjects, 100) + 1
    names += [(TESTING_FOLDER, f"{number:03d}") for number in range(first, first + testing)]
    return write_subjects(
        output, _write_subject, {output / parent / f"{_CASE}{name}": (seed,) for parent, name in names},
        kind=Truth, workers=workers, quiet=quiet,
        settings={"subjects": subjects, "testing": testing, "seed": seed},
        limits={"subjects": 1, "testing": 0, "seed": 0},
    )  # fmt: skip


def true_values(subject: LgeSubject, case: str, part: str) -> Truth:
    """Compute the truth of a subject."""
    stack = subject.stack
    volumes = sliced_volumes(subject.heart, stack.depths, stack.spacing)
    infarct = sliced_infarct(subject.heart, subject.infarct, stack.depths, stack.spacing)
    return Truth(
        case=case, part=part, group=subject.group, lv_ml=volumes.lv, mass_g=volumes.myocardium * MYOCARDIAL_DENSITY,
        infarct_g=infarct.infarct * MYOCARDIAL_DENSITY, infarct_percent=infarct.infarct / volumes.myocardium * 100,
        no_reflow_g=infarct.core * MYOCARDIAL_DENSITY,
        territory=subject.infarct.territory if subject.infarct else "",
        transmurality_percent=infarct.transmurality, apex_first=subject.apex_first,
    )  # fmt: skip


def _group(number: int) -> str:
    return _GROUP_CYCLE[(number - 1) % len(_GROUP_CYCLE)]


def _write_subject(folder: Path, seed: int) -> Truth:
    number = int(folder.name[-3:])
    labelled = folder.parent.name == TRAINING_FOLDER
    subject = draw_lge_subject(_group(number), (seed, number))
    truth = true_values(subject, folder.name, "training" if labelled else "testing")
    if not folder.exists():
        _write_text(folder.with_name(f"Case {folder.name.removeprefix(_CASE)}.txt"), subject, truth)
        with folder_written_whole(folder) as partial:
            _write_images(partial, truth.case, subject, labelled=labelled)
    return truth


def _write_text(path: Path, subject: LgeSubject, truth: Truth) -> None:
    text = clinical_text(
        path.stem,
        slice_distance=subject.stack.spacing,
        infarct_percent=truth.infarct_percent,
        rng=np.random.default_rng([*subject.seed, 2]),
    )
    with written_whole(path) as partial:
        partial.write_bytes(text)


def _write_images(folder: Path, case: str, subject: LgeSubject, *, labelled: bool) -> None:
    _save(folder / "Images" / f"{case}.nii.gz", paint_lge(subject), subject)
    if labelled:
        labels = label_lge(subject)
        # The official contours are of either type.
        kind = np.float64 if subject.seed[-1] % 2 else np.uint8
        _save(folder / "Contours" / f"{case}.nii.gz", labels.astype(kind), subject)


def _save(path: Path, data: np.ndarray, subject: LgeSubject) -> None:
    stack = subject.stack
    save_nifti(path, data, spacing=(stack.spacing, stack.voxel, stack.voxel), affine=_AFFINE, quatern_d=1)
