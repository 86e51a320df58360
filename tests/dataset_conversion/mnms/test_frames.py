from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from dataset_conversion.cases import SourceCase, SourceSubject, VolumeFile
from dataset_conversion.geometry import Geometry
from dataset_conversion.images import SourceError, Stack
from dataset_conversion.mnms.frames import settle_frames
from nnunet_cardiac_ext.case_table import CaseRow

IMAGE, LABELS = Path("A0B1C2_sa.nii.gz"), Path("A0B1C2_sa_gt.nii.gz")
GEOMETRY = Geometry((10.0, 1.0, 1.0), np.eye(3), np.zeros(3))


def series(lv=None, frames=5):
    """Labels whose left ventricle has so many voxels by frame; the myocardium has 4 in each of these frames."""
    array = np.zeros((frames, 1, 5, 5))
    for frame, voxels in (lv or {}).items():
        array[frame].flat[:voxels] = 1
        array[frame].flat[-4:] = 2
    return array


def settled(lv, *, ed=None, es=None, part="training", image_frames=5, cine=False):
    row = CaseRow("A0B1C2_ED", "A0B1C2", part="train", extra={"official_part": part})
    cases = [
        SourceCase(replace(row, phase=phase, frame=told), VolumeFile(IMAGE, told or 0), VolumeFile(LABELS, told or 0))
        for phase, told in (("ED", ed), ("ES", es))
    ]
    if cine:
        cases += [SourceCase(replace(row, part="cine", frame=i), VolumeFile(IMAGE, i)) for i in range(image_frames)]
    stacks = {
        (IMAGE, ""): Stack(IMAGE, np.ones((image_frames, 1, 5, 5)), GEOMETRY),
        (LABELS, ""): Stack(LABELS, lv if isinstance(lv, np.ndarray) else series(lv), GEOMETRY),
    }
    return settle_frames(SourceSubject("A0B1C2", tuple(cases)), stacks)


def frames(subject):
    return [(c.row.phase, c.row.frame, c.image.frame, c.labels.frame) for c in subject.cases if c.labels]


def notes(subject):
    return {note for case in subject.cases for note in case.notes}


def test_frames_of_the_csv_that_hold_the_labels_stay_without_a_note():
    subject = settled({1: 9, 3: 4}, ed=1, es=3)
    assert frames(subject) == [("ED", 1, 1, 1), ("ES", 3, 3, 3)]
    assert notes(subject) == set()


@pytest.mark.parametrize("told", [(3, 1), (0, 3), (1, None), (1, 1)])
def test_labels_win_over_the_csv(told):
    subject = settled({1: 9, 3: 4}, ed=told[0], es=told[1])
    assert frames(subject) == [("ED", 1, 1, 1), ("ES", 3, 3, 3)]
    assert notes(subject) == {
        f"A0B1C2_sa_gt.nii.gz: the csv says ED {told[0]} and ES {told[1]}, the labels ED 1 and ES 3, which are used"
    }


def test_without_a_csv_the_larger_left_ventricle_is_ed():
    assert frames(settled({0: 3, 4: 8})) == [("ED", 4, 4, 4), ("ES", 0, 0, 0)]
    assert notes(settled({0: 3, 4: 8})) == set()


def test_a_tie_goes_to_the_larger_heart_then_to_the_first_frame():
    labels = series({1: 5, 3: 5})
    assert frames(settled(labels))[0][1] == 1
    labels[3, 0, 2] = 3
    assert frames(settled(labels))[0][1] == 3


def test_of_more_than_two_labelled_frames_those_of_the_csv_are_taken():
    subject = settled({0: 9, 2: 6, 3: 4}, ed=0, es=3)
    assert frames(subject) == [("ED", 0, 0, 0), ("ES", 3, 3, 3)]
    assert notes(subject) == {"A0B1C2_sa_gt.nii.gz: labels in frames 0, 2, 3; those of the csv are used"}


@pytest.mark.parametrize(
    ("lv", "told", "found"),
    [({}, (0, 1), "none"), ({2: 5}, (2, 3), "frame 2"), ({0: 9, 2: 6, 3: 4}, (1, 3), "0, 2, 3")],
)
def test_labels_that_do_not_tell_two_frames_are_refused(lv, told, found):
    with pytest.raises(SourceError, match=f"expected labels in the frames of ED and ES, found them in .*{found}"):
        settled(lv, ed=told[0], es=told[1])


def test_a_subject_of_a_flat_copy_with_empty_labels_is_unlabelled():
    subject = settled({}, ed=1, es=3, part="")
    assert [(case.row.part, case.labels, case.image.frame) for case in subject.cases] == [
        ("unlabelled", None, 1),
        ("unlabelled", None, 3),
    ]
    assert notes(subject) == {"A0B1C2_sa_gt.nii.gz: no frame holds labels, so the subject is unlabelled"}
    with pytest.raises(SourceError, match="expected labels or ED and ES in the csv, found neither"):
        settled({}, part="")


def test_cine_frames_get_the_phases_of_the_labels():
    subject = settled({1: 9, 3: 4}, ed=3, es=1, cine=True)
    assert [case.row.phase for case in subject.cases if case.row.part == "cine"] == ["", "ED", "", "ES", ""]


def test_labels_of_fewer_frames_than_the_image_are_refused():
    with pytest.raises(SourceError, match="expected as many frames as its image, 6, got 5"):
        settled({1: 9, 3: 4}, image_frames=6)


def test_subjects_without_labels_and_of_one_file_per_frame_stay_as_they_are():
    bare = SourceSubject("A0B1C2", (SourceCase(CaseRow("A0B1C2_ED", "A0B1C2"), VolumeFile(IMAGE, 0)),))
    assert settle_frames(bare, {}) is bare
    two = [(CaseRow(name, "A0B1C2", phase=name), Path(name), Path(f"{name}_gt")) for name in ("ED", "ES")]
    subject = SourceSubject("A0B1C2", tuple(SourceCase(row, VolumeFile(a), VolumeFile(b)) for row, a, b in two))
    assert settle_frames(subject, {}) is subject
