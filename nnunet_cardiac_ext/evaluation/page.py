"""The report: one HTML page from the tables of an evaluation and the images behind it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from nnunet_cardiac_ext import __version__
from nnunet_cardiac_ext.errors import CardiacError, UsageError
from nnunet_cardiac_ext.evaluation import sections
from nnunet_cardiac_ext.evaluation.clinical import QUANTITIES
from nnunet_cardiac_ext.evaluation.inputs import IMAGE_ENDINGS, Volume, read_labels, read_volume, require_same_shape
from nnunet_cardiac_ext.evaluation.metrics import METRICS
from nnunet_cardiac_ext.evaluation.overlays import SliceView, slice_views
from nnunet_cardiac_ext.evaluation.scoring import REGIONS
from nnunet_cardiac_ext.evaluation.tables import Evaluation, read_evaluation
from nnunet_cardiac_ext.files import write_text
from nnunet_cardiac_ext.progress import progress

TEMPLATE = "report.html.j2"
DEFAULT_TITLE = "Cardiac MR segmentation"


def report(
    evaluation: Path,
    *,
    images: Path | None = None,
    reference: Path | None = None,
    prediction: Path | None = None,
    output: Path | None = None,
    title: str = DEFAULT_TITLE,
    quiet: bool = False,
) -> Path:
    """Write one self-contained HTML page about an evaluation.

    Args:
        evaluation: The output folder of `evaluate`.
        images: Folder of the images; by default the `imagesTr` of a reference `labelsTr` (`Ts` likewise). Without
            images the contours are drawn on an even ground.
        reference: Folder of reference labels; by default the one that was evaluated.
        prediction: Folder of predicted labels; by default the one that was evaluated.
        output: The page; by default `report.html` in the evaluation folder.
        title: Heading of the page.
        quiet: No progress bar.

    Returns:
        The path of the page.

    Raises:
        UsageError: The evaluation's tables or the folders are absent.
        WorkError: The page cannot be written.
    """
    for folder in (images, reference, prediction):
        if folder is not None and not folder.is_dir():
            raise UsageError(f"{folder}: expected a folder with images, found none")
    found = read_evaluation(evaluation)
    folders = (
        reference or Path(found.facts["reference"]),
        prediction or Path(found.facts["prediction"]),
        images or _images_beside(reference or Path(found.facts["reference"])),
    )
    hearts = [
        _heart(found, place, case, *folders)
        for place, case in progress(sections.best_median_worst(found), label="drawing hearts", quiet=quiet)
    ]
    path = output or evaluation / "report.html"
    write_text(path, _render(found, hearts, title))
    return path


def _images_beside(reference: Path) -> Path | None:
    folder = reference.parent / reference.name.replace("labels", "images", 1)
    return folder if folder != reference and folder.is_dir() else None


def _heart(
    found: Evaluation, place: str, case: str, reference: Path, prediction: Path, images: Path | None
) -> dict[str, Any]:
    """Return what the template shows of one case; a file that has gone is said there, not fatal."""
    heart: dict[str, Any] = {"place": place, "case": sections.case_line(found, case), "views": [], "problem": ""}
    try:
        heart["views"] = _views(found, case, reference, prediction, images)
    except CardiacError as error:
        heart["problem"] = str(error)
    return heart


def _views(found: Evaluation, case: str, reference: Path, prediction: Path, images: Path | None) -> list[SliceView]:
    labels: Mapping[str, int] = found.facts["labels"]
    expected = read_labels(_file(reference, case), labels)
    predicted = read_labels(_file(prediction, case), labels)
    require_same_shape(_file(prediction, case), predicted, expected)
    image: Volume | None = None
    if images is not None:
        path = _image_file(images, case)
        image = read_volume(path)
        require_same_shape(path, image, expected)
    return slice_views(image, expected.array, predicted.array, spacing=expected.spacing, labels=labels)


def _file(folder: Path, case: str) -> Path:
    candidates = (folder / f"{case}{ending}" for ending in IMAGE_ENDINGS)
    return next((path for path in candidates if path.is_file()), folder / f"{case}{IMAGE_ENDINGS[0]}")


def _image_file(folder: Path, case: str) -> Path:
    channel = _file(folder, f"{case}_0000")
    return channel if channel.is_file() else _file(folder, case)


def _render(found: Evaluation, hearts: list[dict[str, Any]], title: str) -> str:
    environment = Environment(
        loader=PackageLoader("nnunet_cardiac_ext.evaluation"), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    environment.filters["number"] = sections.number
    return environment.get_template(TEMPLATE).render(
        title=title,
        version=__version__,
        facts=found.facts,
        cases=len(found.cases),
        subjects=sections.subject_count(found),
        structures=sections.structures(found),
        regions=REGIONS,
        overlap=sections.overlap_table(found),
        ejection=sections.ejection_fractions(found),
        curves=sections.curves(found),
        hearts=hearts,
        agreements=sections.agreements(found),
        groups=sections.group_tables(found),
        worth_a_look=sections.worth_a_look(found),
        metrics=METRICS.values(),
        quantities=QUANTITIES,
    )
