"""ED and ES of M&Ms by the labels: the csv names the wrong frames for some subjects, and for copies nothing at all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from dataset_conversion.cases import SourceCase, SourceSubject, Stacks, VolumeFile
from dataset_conversion.images import SourceError, Stack

# The label value of the left ventricle in the source: it alone says which of two frames is end-diastole.
LV = 1


def settle_frames(subject: SourceSubject, stacks: Stacks) -> SourceSubject:
    """Take as ED and ES the two frames that hold labels, the one with the larger left ventricle as ED.

    Where the csv says otherwise, that is noted. Where more than two frames hold labels, those of the csv are taken.
    A subject of a flat copy whose labels are all empty is unlabelled, and its frames are those of the csv.

    Raises:
        SourceError: The labels do not tell two frames, or there are not as many frames of labels as of the image.
    """
    labelled = [(case, case.labels.path) for case in subject.cases if case.labels]
    if len({path for _, path in labelled}) != 1:
        return subject  # without labels, or the first release, where each frame is a file
    first, path = labelled[0]
    labels, image = stacks[path, ""], stacks[first.image.path, ""]
    if len(labels.series) != len(image.series):
        counts = f"{len(image.series)}, got {len(labels.series)}"
        raise SourceError(f"{path.name}: expected as many frames as its image, {counts}")
    told = [case.row.frame for case, _ in labelled]
    filled = [frame for frame, volume in enumerate(labels.series) if volume.any()]
    if not filled and not first.row.extra["official_part"]:
        return _unlabelled(subject, labels, told)
    frames, note = _settled(labels, filled, told)
    return replace(subject, cases=tuple(_moved(case, frames, note) for case in subject.cases))


def _settled(labels: Stack, filled: Sequence[int], told: Sequence[int | None]) -> tuple[dict[str, int], str]:
    """The frames of ED and ES, and a note if they are not those told."""
    name, (ed, es) = labels.path.name, told
    among = f"frame{'s'[: len(filled) - 1]} {', '.join(map(str, filled))}" if filled else "none"
    if len(filled) > 2 and ed is not None and es is not None and ed != es and {ed, es} <= set(filled):
        return {"ED": ed, "ES": es}, f"{name}: labels in {among}; those of the csv are used"
    if len(filled) != 2:
        raise SourceError(f"{name}: expected labels in the frames of ED and ES, found them in {among}")
    first, last = filled
    if _volume(labels, last) > _volume(labels, first):
        first, last = last, first
    if (ed, es) == (first, last) or (ed is None and es is None):
        return {"ED": first, "ES": last}, ""
    says, found = (f"ED {a} and ES {b}" for a, b in ((ed, es), (first, last)))
    return {"ED": first, "ES": last}, f"{name}: the csv says {says}, the labels {found}, which are used"


def _unlabelled(subject: SourceSubject, labels: Stack, told: Sequence[int | None]) -> SourceSubject:
    if None in told:
        raise SourceError(f"{labels.path.name}: expected labels or ED and ES in the csv, found neither")
    note = f"{labels.path.name}: no frame holds labels, so the subject is unlabelled"
    cases = [
        replace(case, row=replace(case.row, part="unlabelled"), labels=None, notes=(*case.notes, note))
        if case.labels
        else case
        for case in subject.cases
    ]
    return replace(subject, cases=tuple(cases))


def _moved(case: SourceCase, frames: dict[str, int], note: str) -> SourceCase:
    """The case at the frame of its phase, or the cine frame with the phase that it has."""
    if case.labels is None:
        phase = next((phase for phase, frame in frames.items() if frame == case.row.frame), "")
        return replace(case, row=replace(case.row, phase=phase))
    frame = frames[case.row.phase]
    return replace(
        case,
        row=replace(case.row, frame=frame),
        image=VolumeFile(case.image.path, frame),
        labels=VolumeFile(case.labels.path, frame),
        notes=(*case.notes, note) if note else case.notes,
    )


def _volume(labels: Stack, frame: int) -> tuple[int, int]:
    """Voxels of the left ventricle, then of all labels where it is the same or absent."""
    volume = labels.series[frame]
    return int((np.abs(volume - LV) < 0.5).sum()), int(np.count_nonzero(volume))
