"""The report: one HTML page about an evaluation or a prediction folder, on request with pages of all cases."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from nnunet_cardiac_ext.errors import UsageError
from nnunet_cardiac_ext.evaluation.reporting.case_pages import write_case_pages
from nnunet_cardiac_ext.evaluation.reporting.cases import CaseLine, case_lines, shown_cases
from nnunet_cardiac_ext.evaluation.reporting.hearts import Heart, draw_heart
from nnunet_cardiac_ext.evaluation.reporting.render import render
from nnunet_cardiac_ext.evaluation.reporting.sections import sections
from nnunet_cardiac_ext.evaluation.reporting.sources import Given, Sources, of_evaluation, of_predictions
from nnunet_cardiac_ext.files import write_text
from nnunet_cardiac_ext.progress import progress

DEFAULT_TITLE = "Cardiac MR segmentation"
PAGE_NAME = "report.html"


def report(
    evaluation: Path | None = None,
    *,
    images: Path | None = None,
    reference: Path | None = None,
    prediction: Path | None = None,
    output: Path | None = None,
    title: str = DEFAULT_TITLE,
    measured: tuple[Path, Path] | None = None,
    quality: Path | None = None,
    comparison: Path | None = None,
    classification: Path | None = None,
    model: Path | None = None,
    cases: Sequence[str] = (),
    all_cases: bool = False,
    quiet: bool = False,
) -> Path:
    """Write one self-contained HTML page about an evaluation, or about predictions without a reference.

    Without `evaluation` the predictions are measured and checked, and the tables are put beside the page. Tables beside
    those of an evaluation are found by their names (docs/report.md).

    Args:
        evaluation: The output folder of `evaluate`; None for predictions that have no reference.
        images: Folder of the images; by default the `imagesTr` of a reference `labelsTr` (`Ts` likewise). Without
            images the contours are drawn on an even ground.
        reference: Folder of reference labels; by default the one that was evaluated.
        prediction: Folder of predicted labels; by default the one that was evaluated.
        output: The page; by default `report.html` in the evaluation folder, or in PREDICTION_report beside the
            predictions.
        title: Heading of the page.
        measured: Folders that `measure` wrote, of reference and prediction.
        quality: Folder that `check_quality` wrote.
        comparison: Folder that `compare` wrote.
        classification: Table of a region classifier: case, slice, region, predicted and, if there, ordered.
        model: nnU-Net's model folder, for its training curves.
        cases: Names of the cases whose slices are shown; by default best, median, worst and those with most flags.
        all_cases: Also write pages with the slices of every case, into a folder beside the page.
        quiet: No progress bar.

    Returns:
        The path of the page.

    Raises:
        UsageError: Tables, folders or cases are absent.
        WorkError: The page cannot be written.
    """
    given = Given(images, reference, prediction, measured, quality, comparison, classification, model)
    path = output or _usual_place(evaluation, prediction)
    if path.is_dir():
        raise UsageError(f"{path}: expected the name of a page ({PAGE_NAME}), got a folder")
    sources = of_evaluation(evaluation, given) if evaluation else of_predictions(given, path.parent, quiet=quiet)
    lines = case_lines(sources)
    shown = shown_cases(lines, cases)
    # All tables are read before the first picture is drawn: what is wrong with them is said at once.
    content = sections(sources, lines, [line.case for _, line in shown])
    pages = write_case_pages(path, sources, lines, title=title, quiet=quiet) if all_cases else []
    hearts = list(_drawn(sources, shown, quiet))
    write_text(path, render("report.html.j2", title=title, hearts=hearts, pages=pages, **content))
    return path


def _drawn(sources: Sources, shown: Sequence[tuple[str, CaseLine]], quiet: bool) -> Iterator[Heart]:
    for place, line in progress(shown, label="drawing hearts", quiet=quiet):
        yield draw_heart(sources, place, line)


def _usual_place(evaluation: Path | None, prediction: Path | None) -> Path:
    if evaluation is not None:
        return evaluation / PAGE_NAME
    if prediction is None:
        raise UsageError("report: expected an evaluation (-i) or a folder of predictions (-pred), got neither")
    folder = prediction.resolve()
    return folder.with_name(f"{folder.name}_report") / PAGE_NAME
