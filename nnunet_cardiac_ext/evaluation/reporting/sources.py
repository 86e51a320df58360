"""What a report is made of: the evaluation, the folders of images, and the tables that lie beside them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from nnunet_cardiac_ext import case_table
from nnunet_cardiac_ext.case_table import CaseRow
from nnunet_cardiac_ext.errors import UsageError, WorkError
from nnunet_cardiac_ext.evaluation.comparison.folder import COMPARISON_FILE
from nnunet_cardiac_ext.evaluation.heart.tables import SEGMENTS_FILE
from nnunet_cardiac_ext.evaluation.inputs import find_labels, image_files
from nnunet_cardiac_ext.evaluation.measure import FACTS_FILE as MEASURE_FACTS
from nnunet_cardiac_ext.evaluation.measure import measure
from nnunet_cardiac_ext.evaluation.quality import check_quality
from nnunet_cardiac_ext.evaluation.quality.folder import QUALITY_FILE
from nnunet_cardiac_ext.evaluation.tables import Evaluation, read_evaluation

# Names by which tables are found beside those of an evaluation (or beside the page of a prediction folder).
MEASURED_REFERENCE, MEASURED_PREDICTION = "measure_reference", "measure_prediction"
QUALITY, COMPARISON, CLASSIFICATION = "quality", "comparison", "classification.csv"


@dataclass(frozen=True)
class Given:
    """What was named by the user; None where the usual place counts.

    Attributes:
        images: Folder of the images.
        reference: Folder of reference labels.
        prediction: Folder of predicted labels.
        measured: Folders of `nnunet-cardiac measure`: of the reference and of the prediction.
        quality: Folder of `nnunet-cardiac quality`.
        comparison: Folder of `nnunet-cardiac compare`.
        classification: Table of a region classifier's answers.
        model: An nnU-Net model folder.
    """

    images: Path | None = None
    reference: Path | None = None
    prediction: Path | None = None
    measured: tuple[Path, Path] | None = None
    quality: Path | None = None
    comparison: Path | None = None
    classification: Path | None = None
    model: Path | None = None


@dataclass(frozen=True)
class Sources:
    """What the sections are made of; None or empty where there is nothing.

    Attributes:
        cases: Names of the cases.
        labels: Label value by structure name.
        prediction: Folder of predicted labels.
        reference: Folder of reference labels.
        images: Folder of images.
        case_rows: Rows of the case table by case.
        evaluation: The tables of `nnunet-cardiac evaluate`.
        measured: Folders of `nnunet-cardiac measure` by side, "reference" and "prediction".
        quality: Folder of `nnunet-cardiac quality`.
        comparison: Folder of `nnunet-cardiac compare`.
        classification: Table of a region classifier's answers.
        model: An nnU-Net model folder.
        remarks: What was odd while tables were made for this report, one line each.
    """

    cases: tuple[str, ...]
    labels: Mapping[str, int]
    prediction: Path
    reference: Path | None
    images: Path | None
    case_rows: Mapping[str, CaseRow]
    evaluation: Evaluation | None
    measured: Mapping[str, Path]
    quality: Path | None
    comparison: Path | None
    classification: Path | None
    model: Path | None
    remarks: tuple[str, ...] = ()


def of_evaluation(folder: Path, given: Given) -> Sources:
    """Return what there is to say about an evaluation.

    Raises:
        UsageError: The evaluation's tables, or what was named, are absent.
    """
    _check(given)
    found = read_evaluation(folder)
    reference = given.reference or Path(found.facts["reference"])
    beside = {side: folder / name for side, name in _MEASURED.items()}
    measured = dict(zip(_MEASURED, given.measured, strict=True)) if given.measured else beside
    return Sources(
        cases=found.cases, labels=found.facts["labels"], case_rows=found.case_rows, evaluation=found,
        prediction=given.prediction or Path(found.facts["prediction"]), reference=reference,
        images=given.images or _images_beside(reference),
        measured={side: path for side, path in measured.items() if (path / SEGMENTS_FILE).is_file()},
        quality=given.quality or _if_there(folder / QUALITY, QUALITY_FILE),
        comparison=given.comparison or _if_there(folder / COMPARISON, COMPARISON_FILE),
        classification=given.classification or _if_there(folder / CLASSIFICATION), model=given.model,
    )  # fmt: skip


def of_predictions(given: Given, beside: Path, *, quiet: bool) -> Sources:
    """Return what there is to say about a prediction folder without a reference: it is measured and checked for it.

    Tables of an earlier report are taken where they are newer than every prediction.

    Args:
        given: What was named; the prediction folder among it.
        beside: Folder for the tables.
        quiet: No progress bars.

    Raises:
        UsageError: What was named is absent, or the label order cannot be told.
        WorkError: No image could be read.
    """
    _check(given)
    prediction = given.prediction or Path()
    files, labels, table = image_files(prediction), find_labels(prediction, prediction), _case_table(given)
    rows = {row.case: row for row in case_table.read_case_table(table)} if table else {}
    measured = given.measured[1] if given.measured else beside / MEASURED_PREDICTION
    quality, remarks = given.quality or beside / QUALITY, list[str]()
    newest = max(path.stat().st_mtime for path in files.values())
    if not given.measured and not _is_newer(measured / MEASURE_FACTS, newest):
        result = measure(prediction, measured, labels=labels, cases=table, images=given.images, quiet=quiet)
        remarks += [*result.remarks, *result.failures.values()]
    if not given.quality and not _is_newer(quality / QUALITY_FILE, newest):
        remarks += _checked(prediction, quality, labels, table, quiet=quiet)
    return Sources(
        cases=tuple(sorted(files)), labels=labels, case_rows=rows, evaluation=None, prediction=prediction,
        reference=None, images=given.images, measured={"prediction": measured},
        quality=quality if (quality / QUALITY_FILE).is_file() else None, comparison=None,
        classification=given.classification or _if_there(beside / CLASSIFICATION), model=given.model,
        remarks=tuple(dict.fromkeys(remarks)),
    )  # fmt: skip


_MEASURED = {"reference": MEASURED_REFERENCE, "prediction": MEASURED_PREDICTION}


def _check(given: Given) -> None:
    """Raise UsageError where something was named that is not there."""
    for folder in (given.images, given.reference, given.prediction):
        if folder is not None and not folder.is_dir():
            raise UsageError(f"{folder}: expected a folder with images, found none")
    tables = [(path, SEGMENTS_FILE, "measure") for path in given.measured or ()]
    tables += [(path, QUALITY_FILE, "quality") for path in (given.quality,) if path]
    tables += [(path, COMPARISON_FILE, "compare") for path in (given.comparison,) if path]
    for path, name, command in tables:
        if not (path / name).is_file():
            raise UsageError(f"{path}: expected a folder that nnunet-cardiac {command} wrote, found no {name}")
    for found, what in ((given.classification, "a csv"), (given.model, "an nnU-Net model folder")):
        if found is not None and not found.exists():
            raise UsageError(f"{found}: expected {what}, found none")


def _checked(
    prediction: Path, output: Path, labels: Mapping[str, int], table: Path | None, *, quiet: bool
) -> Sequence[str]:
    """Check the predictions and return what is to be remarked; what was measured is worth a page without the checks."""
    try:
        return check_quality(prediction, output, labels=labels, cases=table, quiet=quiet).remarks
    except WorkError as error:
        return [f"quality control: {error}"]


def _images_beside(reference: Path) -> Path | None:
    folder = reference.parent / reference.name.replace("labels", "images", 1)
    return folder if folder != reference and folder.is_dir() else None


def _if_there(path: Path, name: str = "") -> Path | None:
    return path if (path / name).is_file() else None


def _case_table(given: Given) -> Path | None:
    """The case table beside or in the prediction folder, or beside the images."""
    folders = [given.prediction.resolve().parent, given.prediction] if given.prediction else []
    folders += [given.images.resolve().parent] if given.images else []
    places = (folder / case_table.FILE_NAME for folder in folders)
    return next((path for path in places if path.is_file()), None)


def _is_newer(path: Path, newest: float) -> bool:
    return path.is_file() and path.stat().st_mtime >= newest
