import nibabel as nib
import numpy as np
import pytest
from helpers.emidec_files import write_case

from dataset_conversion.cases import Volume
from dataset_conversion.emidec.reader import find_subjects
from dataset_conversion.emidec.slices import SingleSlice, slices_as_cases, split_slices
from dataset_conversion.geometry import Geometry
from nnunet_cardiac_ext.case_table import CaseRow


def volume():
    # Slices along the patient's y axis, so that a shift along the wrong axis shows.
    axes = np.array([[1.0, 0, 0], [0, 0, 1], [0, -1, 0]])
    image = np.arange(4 * 3 * 2, dtype=np.float32).reshape(4, 3, 2)
    return Volume(image, (image % 5).astype(np.uint8), Geometry((10.0, 1.5, 1.25), axes, np.array([1.0, 2, 3])), ("a",))


@pytest.mark.parametrize("index", range(4))
def test_a_slice_keeps_its_place_in_the_patient(index):
    whole, single = volume(), SingleSlice(index)(volume())
    assert np.array_equal(single.image[0], whole.image[index])
    assert np.array_equal(single.labels[0], whole.labels[index])
    corner = nib.affines.apply_affine(whole.geometry.affine, (1, 2, index))
    assert nib.affines.apply_affine(single.geometry.affine, (1, 2, 0)) == pytest.approx(corner)


def test_notes_on_the_header_are_told_once():
    assert [SingleSlice(index)(volume()).notes for index in range(3)] == [("a",), (), ()]


def test_training_cases_become_one_case_per_slice(tmp_path):
    write_case(tmp_path / "Case_P001")
    (subject,) = find_subjects(tmp_path)
    cases = slices_as_cases(subject).cases
    assert [case.row.case for case in cases] == [f"Case_P001_z{index:02d}" for index in range(5)]
    assert {case.row.subject for case in cases} == {"Case_P001"}
    assert [(case.prepare.index, case.row.extra["slice"]) for case in cases] == [(i, str(i)) for i in range(5)]


def test_test_cases_stay_whole(tmp_path):
    write_case(tmp_path / "Case_101", labels=False)
    (subject,) = find_subjects(tmp_path)
    assert slices_as_cases(subject) == subject


def test_an_image_that_cannot_be_read_is_a_problem_of_its_subject(tmp_path):
    folder = write_case(tmp_path / "Case_P001")
    (folder / "Images" / "Case_P001.nii.gz").write_bytes(b"")
    (subject,) = (slices_as_cases(subject) for subject in find_subjects(tmp_path))
    assert subject.problem == "Images/Case_P001.nii.gz: expected a NIfTI file, got 0 bytes"
    assert subject.cases == ()


def rows(count):
    return [CaseRow(f"Case_P{i // 7:03d}_z{i % 7:02d}", f"Case_P{i // 7:03d}") for i in range(count)]


@pytest.mark.parametrize(("count", "validating"), [(708, 71), (431, 43), (2, 1), (14, 1)])
def test_a_tenth_of_the_slices_validates_and_none_is_lost(count, validating):
    (fold,) = split_slices(rows(count), seed=1)
    assert len(fold["val"]) == validating
    assert sorted(fold["train"] + fold["val"]) == sorted(row.case for row in rows(count))
    assert fold["train"] == sorted(fold["train"])


def test_the_seed_decides():
    assert split_slices(rows(70), seed=1) == split_slices(rows(70)[::-1], seed=1)
    assert split_slices(rows(70), seed=1) != split_slices(rows(70), seed=2)


def test_one_slice_has_no_folds():
    assert split_slices(rows(1), seed=1) == []
