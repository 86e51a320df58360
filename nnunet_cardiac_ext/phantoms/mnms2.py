"""Phantoms in the official layout of M&Ms-2: short axis and 4-chamber long axis of the same hearts, three vendors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from nnunet_cardiac_ext.errors import UsageError
from nnunet_cardiac_ext.files import written_whole
from nnunet_cardiac_ext.phantoms.cycle import end_systole
from nnunet_cardiac_ext.phantoms.groups import GROUPS, Group
from nnunet_cardiac_ext.phantoms.heart import Heart
from nnunet_cardiac_ext.phantoms.integrals import cine_volumes
from nnunet_cardiac_ext.phantoms.long_axis import section_areas
from nnunet_cardiac_ext.phantoms.long_axis_subject import draw_view
from nnunet_cardiac_ext.phantoms.mnms2_files import SubjectFiles
from nnunet_cardiac_ext.phantoms.subject import draw_subject
from nnunet_cardiac_ext.phantoms.vendors import VENDORS
from nnunet_cardiac_ext.phantoms.writing import folder_written_whole, write_subjects

CSV_FILE = "dataset_information.csv"
VIEWS = ("sa", "la", "both")
# First and last number of each part's subjects in the official folder.
NUMBERS: Mapping[str, tuple[int, int]] = MappingProxyType(
    {"subjects": (1, 160), "validation": (161, 200), "testing": (201, 360)}
)
# Vendors in about their official shares: by letter, the name and scanners in the csv.
_VENDOR_TURNS = "AABAC"
_SCANNERS: Mapping[str, tuple[str, tuple[str, ...]]] = MappingProxyType(
    {
        "A": ("SIEMENS", ("SymphonyTim", "Avanto Fit", "TrioTim")),
        "B": ("Philips Medical Systems", ("Achieva",)),
        "C": ("GE MEDICAL SYSTEMS", ("Signa HDxt", "SIGNA EXCITE", "Signa Explorer")),
    }
)
# Two diagnoses of the right heart do not occur in training.
_TRAINING_GROUPS = ("NOR", "LV", "HCM", "FALL", "CIA", "ARR")
_ALL_GROUPS = (*_TRAINING_GROUPS, "TRI", "RV")
MNMS2_GROUPS: Mapping[str, Group] = MappingProxyType(
    {
        "NOR": GROUPS["NOR"], "LV": GROUPS["DCM"], "HCM": GROUPS["HCM"], "RV": GROUPS["RV"],
        "ARR": Group((130, 28), (56, 6), (165, 35), (48, 8), (0.75, 0.1), (10.5, 2)),
        "FALL": Group((120, 28), (57, 6), (215, 50), (44, 8), (0.76, 0.1), (9.5, 2), flat_septum=(0.02, 0.06)),
        "CIA": Group((105, 24), (61, 5), (205, 45), (52, 7), (0.75, 0.1), (11, 2), flat_septum=(0.02, 0.06)),
        "TRI": Group((115, 28), (58, 6), (210, 45), (47, 8), (0.75, 0.1), (10, 2), flat_septum=(0.01, 0.06)),
    }
)  # fmt: skip
# How much larger than usual the right atrium is.
_ENLARGED: Mapping[str, float] = MappingProxyType({"TRI": 1.3, "CIA": 1.2, "FALL": 1.1, "RV": 1.15})
# Rows without a subject at the end of the csv. The official file has a million; these are enough to be in the way.
_PADDING = 5000
# Every so many subjects the headers of the series say 1 mm, as some official ones do.
_WRONG_SERIES = 4


@dataclass(frozen=True)
class Truth:
    """What a perfect reader would measure in one phantom.

    Attributes:
        subject: Folder of the subject.
        part: "training", "validation" or "testing".
        group: Diagnosis.
        vendor: Letter of the vendor as in M&Ms.
        es: End-systolic frame of the series, from 0; end-diastole is 0.
        distractors: Structures outside the heart that look like a ventricle, in the long-axis images.
        lv_ed_ml: End-diastolic LV volume: areas in the middle of each short-axis slice times the slice spacing.
        lv_es_ml: End-systolic LV volume, as are the next ones.
        lv_ef: LV ejection fraction, %.
        rv_ed_ml: End-diastolic RV volume.
        rv_es_ml: End-systolic RV volume.
        rv_ef: RV ejection fraction, %.
        mass_g: LV myocardial mass at end-diastole (1.05 g/ml).
        la_lv_ed_mm2: Area of the LV cavity in the long-axis plane at end-diastole, from the continuous heart.
        la_lv_es_mm2: At end-systole.
        la_rv_ed_mm2: Area of the RV cavity.
        la_rv_es_mm2: At end-systole.
        la_myo_ed_mm2: Area of the LV myocardium.
        la_myo_es_mm2: At end-systole.
    """

    subject: str
    part: str
    group: str
    vendor: str
    es: int
    distractors: int
    lv_ed_ml: float
    lv_es_ml: float
    lv_ef: float
    rv_ed_ml: float
    rv_es_ml: float
    rv_ef: float
    mass_g: float
    la_lv_ed_mm2: float
    la_lv_es_mm2: float
    la_rv_ed_mm2: float
    la_rv_es_mm2: float
    la_myo_ed_mm2: float
    la_myo_es_mm2: float


def write_phantoms(
    output: Path,
    *,
    subjects: int = 20,
    validation: int = 4,
    testing: int = 6,
    seed: int = 0,
    view: str = "both",
    cine_frames: int = 12,
    distractors: int = 2,
    workers: int | None = None,
    quiet: bool = False,
) -> list[Truth]:
    """Write phantoms as M&Ms-2 lays out its subjects, its csv, and `truth.csv` with their true volumes and areas.

    A subject appears whole or not at all; what is already there from an interrupted run of the same command stays.

    Args:
        output: Folder that gets `MnM2/dataset/NNN/`, the csv, `truth.csv` and `phantoms.json`.
        subjects: Training subjects, numbered from 001; at most 160.
        validation: Validation subjects, from 161; at most 40.
        testing: Testing subjects, from 201; at most 160.
        seed: The same seed gives the same images, whatever the number of workers and the views.
        view: "both", or "sa" or "la" to write the files of one view only.
        cine_frames: Frames of the series, at least 3.
        distractors: In each long-axis image up to this many bright structures that look like a ventricle.
        workers: Processes; by default one per core.
        quiet: Draw no progress bar.

    Returns:
        The truth of each subject, by number.

    Raises:
        UsageError: An option is out of range, or the folder holds phantoms of other settings.
        WorkError: A file cannot be written, or a worker process died.
    """  # fmt: skip
    if view not in VIEWS:
        raise UsageError(f"view: expected {', '.join(VIEWS)}, got {view!r}")
    counts = {"subjects": subjects, "validation": validation, "testing": testing}
    for name, (first, last) in NUMBERS.items():
        if counts[name] > last - first + 1:
            raise UsageError(f"{name}: expected at most {last - first + 1}, got {counts[name]}")
    numbers = [first + index for name, (first, _) in NUMBERS.items() for index in range(counts[name])]
    jobs = {
        output / "MnM2" / "dataset" / f"{number:03d}": (seed, view, cine_frames, distractors) for number in numbers
    }
    truths = write_subjects(
        output, _write_subject, jobs, kind=Truth, workers=workers, quiet=quiet,
        settings={**counts, "seed": seed, "view": view, "cine_frames": cine_frames, "distractors": distractors},
        limits={"subjects": 1, "validation": 0, "testing": 0, "seed": 0, "cine_frames": 3, "distractors": 0},
    )  # fmt: skip
    _write_csv(output / "MnM2" / CSV_FILE, truths)
    return truths


def _write_subject(folder: Path, seed: int, view: str, cine_frames: int, distractors: int) -> Truth:
    number = int(folder.name)
    part = next(name for name, (first, last) in NUMBERS.items() if first <= number <= last)
    groups = _TRAINING_GROUPS if part == "subjects" else _ALL_GROUPS
    group, letter = groups[(number - 1) % len(groups)], _VENDOR_TURNS[number // 2 % len(_VENDOR_TURNS)]
    subject = draw_subject(group, (seed, number), protocol=VENDORS[letter].protocol, groups=MNMS2_GROUPS)
    long_axis = draw_view(subject, distractors=distractors, enlarged=_ENLARGED.get(group, 1.0))
    if not folder.exists():
        with folder_written_whole(folder) as partial:
            wrong_series = number % _WRONG_SERIES == 0
            files = SubjectFiles(subject, long_axis, VENDORS[letter], cine_frames, wrong_series)
            files.write(partial, folder.name, view)
    la_ed, la_es = (section_areas(Heart(subject.shape, phase), long_axis.plane) for phase in (0, 1))
    return Truth(
        subject=folder.name, part="training" if part == "subjects" else part, group=group, vendor=letter,
        es=end_systole(cine_frames), distractors=len(long_axis.distractors),
        **cine_volumes(subject.shape, subject.stack.depths, subject.stack.spacing),
        la_lv_ed_mm2=la_ed.lv, la_lv_es_mm2=la_es.lv, la_rv_ed_mm2=la_ed.rv, la_rv_es_mm2=la_es.rv,
        la_myo_ed_mm2=la_ed.myocardium, la_myo_es_mm2=la_es.myocardium,
    )  # fmt: skip


def _write_csv(path: Path, truths: list[Truth]) -> None:
    lines = ["SUBJECT_CODE,DISEASE,VENDOR,SCANNER,FIELD"]
    for truth in truths:
        name, scanners = _SCANNERS[truth.vendor]
        number = int(truth.subject)
        field = "3.0" if number % 7 == 3 else "1.5"
        lines.append(f"{number},{truth.group},{name},{scanners[number % len(scanners)]},{field}")
    with written_whole(path) as partial:
        partial.write_text("\n".join([*lines, *[",,,,"] * _PADDING, ""]), encoding="utf-8")
