"""Scores pairs of files, in this process or in several."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator, Mapping
from dataclasses import replace
from multiprocessing.context import BaseContext
from pathlib import Path
from typing import NamedTuple

import numpy as np

from nnunet_cardiac_ext.errors import CardiacError
from nnunet_cardiac_ext.evaluation.inputs import Volume, format_numbers, read_labels, require_same_shape
from nnunet_cardiac_ext.evaluation.scoring import CaseScore, score_case
from nnunet_cardiac_ext.evaluation.scoring_settings import ScoringSettings
from nnunet_cardiac_ext.processes import run_jobs

# Headers are rounded to float32 by some writers; a real difference of voxel size is far larger.
SPACING_TOLERANCE = 1e-3


class Outcome(NamedTuple):
    """A case with its score, or with one line that says why there is none."""

    case: str
    score: CaseScore | None
    failure: str = ""


def score_pairs(
    pairs: Mapping[str, tuple[Path, Path]], settings: ScoringSettings, *, workers: int = 1
) -> Iterator[Outcome]:
    """Yield the outcome of each case as it is ready.

    Each process holds two label images at a time.

    Args:
        pairs: Files of reference and prediction by case.
        settings: What to score.
        workers: Number of processes; 1 works in this one.

    Raises:
        WorkError: A worker process died.
    """
    jobs = [(case, *paths, settings) for case, paths in pairs.items()]
    return run_jobs(score_files, jobs, workers=workers, context=_context())


def score_files(case: str, reference: Path, prediction: Path, settings: ScoringSettings) -> Outcome:
    """Read and score one case.

    Voxels are compared by index and the spacing is the reference's; a prediction whose header says otherwise gets a
    remark.
    """
    labels, lenient = settings.labels, settings.others_as_background
    try:
        expected = read_labels(reference, labels, others_as_background=lenient)
        predicted = read_labels(prediction, labels, others_as_background=lenient)
        require_same_shape(prediction, predicted, expected)
    except CardiacError as error:
        return Outcome(case, None, str(error))
    score = score_case(
        case, expected.array, predicted.array, spacing=expected.spacing, labels=labels, settings=settings
    )
    score = replace(score, other_labels=tuple(sorted({*expected.other_labels, *predicted.other_labels})))
    if not np.allclose(expected.spacing, predicted.spacing, rtol=SPACING_TOLERANCE, atol=0):
        score.remarks.append(
            f"{prediction}: spacing {format_numbers(predicted.spacing)} mm differs from the reference's "
            f"{format_numbers(expected.spacing)} mm, which was used"
        )
    if _points_elsewhere(expected, predicted):
        score.remarks.append(
            f"{prediction}: an axis points elsewhere than in the reference; voxels were compared by their index"
        )
    return Outcome(case, score)


def _points_elsewhere(first: Volume, second: Volume) -> bool:
    """Tell whether an axis of one volume is more than 45 degrees off the same axis of the other."""
    if first.axes is None or second.axes is None:
        return False
    return bool(((first.axes * second.axes).sum(axis=0) < np.sqrt(0.5)).any())


def _context() -> BaseContext:
    """One server imports the libraries once, its forks share them; a fork of this process could inherit locks."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    return context
