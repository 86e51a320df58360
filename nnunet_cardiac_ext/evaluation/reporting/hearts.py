"""One case with its pictures: files are read, views are drawn, and what went wrong is said instead."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from nnunet_cardiac_ext.errors import CardiacError
from nnunet_cardiac_ext.evaluation.heart.images import LabelImage, read_frames
from nnunet_cardiac_ext.evaluation.inputs import IMAGE_ENDINGS, read_labels, read_volume, require_same_shape
from nnunet_cardiac_ext.evaluation.reporting.cases import CaseLine
from nnunet_cardiac_ext.evaluation.reporting.overlays import SliceView, slice_views
from nnunet_cardiac_ext.evaluation.reporting.sources import Sources
from nnunet_cardiac_ext.evaluation.scoring_settings import DEFAULT_SCHEME


@dataclass(frozen=True)
class Heart:
    """A case as the page shows it.

    Attributes:
        place: Why it is shown ("Worst case").
        line: What is known of it.
        views: Its slices.
        problem: Why there are none.
    """

    place: str
    line: CaseLine
    views: list[SliceView]
    problem: str = ""


def draw_heart(sources: Sources, place: str, line: CaseLine) -> Heart:
    """Draw all slices of a case; a file that has gone or does not fit is told in `problem`."""
    try:
        return Heart(place, line, _views(sources, line.case))
    except CardiacError as error:
        return Heart(place, line, [], str(error))


def _views(sources: Sources, case: str) -> list[SliceView]:
    labels, facts = sources.labels, sources.evaluation.facts if sources.evaluation else {}
    # Where --labels named the structures, the evaluation took other values for background; so does its picture.
    loosely = bool(facts.get("others_as_background"))
    path = _file(sources.prediction, case)
    if sources.reference is None:
        # Predictions alone may be cines; of those the first frame is shown, which usually is end-diastole.
        predicted = read_frames(LabelImage(case, path), labels)[0][0].volume
    else:
        predicted = read_labels(path, labels, others_as_background=loosely)
    expected, image = predicted, None
    if sources.reference:
        expected = read_labels(_file(sources.reference, case), labels, others_as_background=loosely)
        require_same_shape(path, predicted, expected)
    if sources.images:
        path = _image_file(sources.images, case)
        image = read_volume(path)
        require_same_shape(path, image, expected)
    reference = expected.array if sources.reference else None
    scheme = facts.get("scheme", DEFAULT_SCHEME)
    return slice_views(image, reference, predicted.array, spacing=expected.spacing, labels=labels, scheme=scheme)


def _file(folder: Path, case: str) -> Path:
    candidates = (folder / f"{case}{ending}" for ending in IMAGE_ENDINGS)
    return next((path for path in candidates if path.is_file()), folder / f"{case}{IMAGE_ENDINGS[0]}")


def _image_file(folder: Path, case: str) -> Path:
    channel = _file(folder, f"{case}_0000")
    return channel if channel.is_file() else _file(folder, case)
