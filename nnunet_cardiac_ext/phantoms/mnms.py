"""Phantoms in the official layout of M&Ms: four vendors, five centres, and the defects of the real files."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from string import ascii_uppercase, digits
from types import MappingProxyType

import numpy as np

from nnunet_cardiac_ext.anatomy import CINE
from nnunet_cardiac_ext.files import write_csv
from nnunet_cardiac_ext.phantoms.cycle import cycle, end_systole
from nnunet_cardiac_ext.phantoms.groups import GROUPS, Group
from nnunet_cardiac_ext.phantoms.integrals import cine_volumes
from nnunet_cardiac_ext.phantoms.mnms_files import Export, draw_export, save_series
from nnunet_cardiac_ext.phantoms.subject import Subject, draw_subject, label_frame, paint_frames
from nnunet_cardiac_ext.phantoms.vendors import VENDORS, Vendor
from nnunet_cardiac_ext.phantoms.writing import folder_written_whole, write_subjects

CSV_FILE = "211230_M&Ms_Dataset_information_diagnosis_opendataset.csv"
# The folders of the parts, and the vendors in each as in the challenge: Canon was kept for testing.
PARTS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "subjects": ("Training/Labeled", "AB"),
        "unlabelled": ("Training/Unlabeled", "C"),
        "validation": ("Validation", "DCBA"),
        "testing": ("Testing", "BCDBCDA"),
    }
)
# Diagnoses with their number in the public 345 subjects.
DIAGNOSES: Mapping[str, int] = MappingProxyType(
    {"DCM": 97, "NOR": 89, "HCM": 85, "Other": 25, "HHD": 24, "ARV": 15, "IHD": 5, "AHS": 3, "LVNC": 2}
)
MNMS_GROUPS: Mapping[str, Group] = MappingProxyType(
    {
        "NOR": GROUPS["NOR"], "HCM": GROUPS["HCM"], "ARV": GROUPS["RV"], "IHD": GROUPS["MINF"],
        "DCM": Group((240, 45), (30, 7), (160, 50), (42, 11), (0.64, 0.07), (6, 1.5)),
        "Other": Group((150, 40), (52, 10), (150, 40), (50, 9), (0.85, 0.18), (9, 2.5)),
        "HHD": Group((145, 30), (58, 8), (135, 35), (57, 8), (1.1, 0.15), (9, 2), septal_bulge=(0.0, 0.25)),
        "AHS": Group((195, 25), (58, 4), (210, 30), (54, 4), (0.85, 0.1), (13, 2)),
        "LVNC": Group((190, 40), (38, 10), (155, 40), (46, 10), (0.7, 0.1), (7, 2)),
    }
)  # fmt: skip
# Every so many subjects one has the defect; the real share is lower, but a small set should hold each.
_SLICES_ELSEWHERE, _SHEARED, _WRONG_CSV = 7, 5, 6
# The label values of the source.
_VALUES = {"LV": 1, "MYO": 2, "RV": 3}


@dataclass(frozen=True)
class Truth:
    """What a perfect reader would measure in one phantom: areas in the middle of each slice times the slice spacing.

    Attributes:
        subject: Folder of the subject.
        part: Folder of its part, "Training/Labeled".
        vendor: Letter of the vendor.
        centre: Number of the hospital.
        group: Diagnosis.
        ed: End-diastolic frame, from 0; the csv may say another.
        es: End-systolic frame.
        csv_ed: What the csv says.
        csv_es: What the csv says.
        apex_first: Whether slice 0 is at the apex.
        slices_along: Axis of the file (0, 1, 2) along which the slices lie.
        sheared: Whether the axes are off right angles.
        lv_ed_ml: End-diastolic LV volume.
        lv_es_ml: End-systolic LV volume.
        lv_ef: LV ejection fraction, %.
        rv_ed_ml: End-diastolic RV volume.
        rv_es_ml: End-systolic RV volume.
        rv_ef: RV ejection fraction, %.
        mass_g: LV myocardial mass at end-diastole (1.05 g/ml).
    """

    subject: str
    part: str
    vendor: str
    centre: int
    group: str
    ed: int
    es: int
    csv_ed: int
    csv_es: int
    apex_first: bool
    slices_along: int
    sheared: bool
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
    unlabelled: int = 4,
    validation: int = 4,
    testing: int = 7,
    seed: int = 0,
    cine_frames: int = 12,
    workers: int | None = None,
    quiet: bool = False,
) -> list[Truth]:
    """Write phantoms as M&Ms lays out its subjects, its csv, and `truth.csv` with their true volumes.

    A subject appears whole or not at all; what is already there from an interrupted run of the same command stays.

    Args:
        output: Folder that gets `Training/`, `Validation/`, `Testing/`, the csv, `truth.csv` and `phantoms.json`.
        subjects: Subjects of `Training/Labeled`, of vendors A and B in turn.
        unlabelled: Subjects of `Training/Unlabeled`, of vendor C, whose label files are empty.
        validation: Subjects of `Validation`, of all vendors.
        testing: Subjects of `Testing`, of all vendors, with few of A.
        seed: The same seed gives the same images, whatever the number of workers.
        cine_frames: Frames of the cycle, at least 4.
        workers: Processes; by default one per core.
        quiet: Draw no progress bar.

    Returns:
        The truth of each subject, by part.

    Raises:
        UsageError: A number is out of range, or the folder holds phantoms of other settings.
        WorkError: A file cannot be written, or a worker process died.
    """
    counts = {"subjects": subjects, "unlabelled": unlabelled, "validation": validation, "testing": testing}
    places = [
        (part, vendors[index % len(vendors)])
        for name, (part, vendors) in PARTS.items()
        for index in range(counts[name])
    ]
    jobs = {
        output / part / code: (part, number, vendor, seed, cine_frames)
        for number, ((part, vendor), code) in enumerate(zip(places, _codes(len(places), seed), strict=True))
    }
    truths = write_subjects(
        output, _write_subject, jobs, kind=Truth, workers=workers, quiet=quiet,
        settings={**counts, "seed": seed, "cine_frames": cine_frames},
        limits={"subjects": 1, "unlabelled": 0, "validation": 0, "testing": 0, "seed": 0, "cine_frames": 4},
    )  # fmt: skip
    write_csv(output / CSV_FILE, [_csv_row(number, truth, seed) for number, truth in enumerate(truths)])
    return truths


@dataclass(frozen=True)
class _Scan:
    subject: Subject
    vendor: Vendor
    export: Export
    centre: int
    ed: int
    es: int
    frames: int


def _write_subject(folder: Path, part: str, number: int, letter: str, seed: int, cine_frames: int) -> Truth:
    scan = _draw_scan(VENDORS[letter], number, seed, cine_frames)
    if not folder.exists():
        with folder_written_whole(folder) as partial:
            _write_files(partial, folder.name, scan, labelled=part != PARTS["unlabelled"][0])
    csv_ed, csv_es = _csv_frames(part, number, scan)
    stack, export = scan.subject.stack, scan.export
    return Truth(
        subject=folder.name, part=part, vendor=letter, centre=scan.centre, group=scan.subject.group,
        ed=scan.ed, es=scan.es, csv_ed=csv_ed, csv_es=csv_es, apex_first=export.apex_first,
        slices_along=export.slices_along, sheared=export.sheared,
        **cine_volumes(scan.subject.shape, stack.depths, stack.spacing),
    )  # fmt: skip


def _draw_scan(vendor: Vendor, number: int, seed: int, frames: int) -> _Scan:
    rng = np.random.default_rng([seed, number, 3])
    names, weights = list(DIAGNOSES), np.array(list(DIAGNOSES.values()))
    group = str(rng.choice(names, p=weights / weights.sum()))
    ed = (frames - int(rng.integers(0, vendor.late_diastole + 1))) % frames
    slices_along = 0 if number % _SLICES_ELSEWHERE == 3 else 2
    return _Scan(
        subject=draw_subject(group, (seed, number), protocol=vendor.protocol, groups=MNMS_GROUPS),
        vendor=vendor,
        export=draw_export(vendor, rng, slices_along=slices_along, sheared=number % _SHEARED == 2),
        centre=int(rng.choice(vendor.centres)),
        ed=ed,
        es=(ed + end_systole(frames)) % frames,
        frames=frames,
    )


def _write_files(folder: Path, code: str, scan: _Scan, *, labelled: bool) -> None:
    subject = scan.subject
    image = paint_frames(subject, np.roll(cycle(scan.frames), scan.ed).tolist())
    image = scan.vendor.finish(image, subject.scanner.level, np.random.default_rng([*subject.seed, 2]))
    save_series(folder / f"{code}_sa.nii.gz", image, subject.stack, scan.export)
    labels = np.zeros(image.shape)
    for frame, phase in ((scan.ed, 0.0), (scan.es, 1.0)) if labelled else ():
        canonical = label_frame(subject, phase)
        for structure, value in _VALUES.items():
            labels[frame][canonical == CINE.values[structure]] = value
    save_series(folder / f"{code}_sa_gt.nii.gz", labels, subject.stack, scan.export)


def _csv_frames(part: str, number: int, scan: _Scan) -> tuple[int, int]:
    """What the csv says: for some labelled subjects the two swapped, for some ES a frame late."""
    if part == PARTS["unlabelled"][0] or number % _WRONG_CSV != 4:
        return scan.ed, scan.es
    swapped = number % (2 * _WRONG_CSV) == 4
    return (scan.es, scan.ed) if swapped else (scan.ed, (scan.es + 1) % scan.frames)


def _csv_row(number: int, truth: Truth, seed: int) -> dict[str, object]:
    rng = np.random.default_rng([seed, number, 4])
    height = rng.uniform(152, 190)
    measured = rng.random() > 0.1
    return {
        "": number, "External code": truth.subject, "VendorName": VENDORS[truth.vendor].name, "Vendor": truth.vendor,
        "Centre": truth.centre, "ED": truth.csv_ed, "ES": truth.csv_es, "Age": int(rng.integers(18, 82)),
        "Pathology": truth.group, "Sex": str(rng.choice(["F", "M"])), "Height": f"{height:.1f}" if measured else "",
        "Weight": f"{rng.normal(26, 4) * (height / 100) ** 2:.1f}" if measured else "",
    }  # fmt: skip


def _codes(count: int, seed: int) -> list[str]:
    """Different names like A0B1C2."""
    generator = random.Random(f"codes {seed}")
    codes: dict[str, None] = {}
    while len(codes) < count:
        codes["".join(generator.choice(letters) for letters in (ascii_uppercase, digits) * 3)] = None
    return list(codes)
