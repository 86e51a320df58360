import pytest
from helpers.mnms2_files import write_challenge, write_dataset, write_subject

from dataset_conversion.mnms2.reader import find_subjects
from dataset_conversion.mnms2.source import find_source
from nnunet_cardiac_ext.errors import UsageError


def subjects(folder, view="sa", *, train_on="training", **options):
    return find_subjects(find_source(folder, train_on=train_on), view=view, **options)


@pytest.fixture
def dataset(tmp_path):
    return write_dataset(tmp_path / "MnM2")


@pytest.mark.parametrize("view", ["sa", "la"])
def test_cases_are_named_after_their_files(dataset, view):
    subject = subjects(dataset, view)[1]
    name = view.upper()
    assert [case.row.case for case in subject.cases] == [f"002_{name}_ED", f"002_{name}_ES"]
    row = subject.cases[1].row
    assert (row.subject, row.phase, row.frame, row.group, row.vendor, row.part) == (
        "002", "ES", None, "NOR", "GE", "train",
    )  # fmt: skip
    assert row.source == f"dataset/002/002_{name}_ES.nii.gz"
    assert row.extra == {"official_part": "training", "scanner": "Scanner 2", "field_tesla": "1.5"}


def test_files_of_the_other_view_and_the_series_are_ignored_with_a_reason(dataset):
    reasons = {path.name: reason for path, reason in subjects(dataset, "la")[0].ignored.items()}
    assert reasons["001_LA_CINE.nii.gz"] == "whole cycle, read with --frames all"
    assert reasons["001_SA_ED.nii.gz"] == "neither ED nor ES of this view nor their labels"
    assert len(reasons) == 6


def test_all_frames_adds_the_series_where_there_is_one(tmp_path):
    write_subject(tmp_path / "001")
    write_subject(tmp_path / "002", cine=False)
    with_series, without = subjects(tmp_path, frames="all")
    cine = [case for case in with_series.cases if case.row.part == "cine"]
    assert [(case.row.case, case.image.frame) for case in cine] == [(f"001_SA_frame{n:02d}", n) for n in range(4)]
    assert len(without.cases) == 2


def test_uncompressed_files_are_found(tmp_path):
    write_subject(tmp_path / "001", suffix=".nii")
    assert [path.suffix for path in subjects(tmp_path)[0].files] == [".nii"] * 4


def test_subjects_without_labels_are_for_testing_unless_they_are_training_ones(tmp_path):
    write_challenge(tmp_path)
    validation = subjects(tmp_path)[2]
    assert [(case.row.part, case.labels) for case in validation.cases] == [("test", None)] * 2
    write_subject(tmp_path / "training" / "003", labelled=False)
    assert subjects(tmp_path)[2].problem == "003_SA_ED_gt.nii.gz: expected the labels of ED, found none"


def test_a_view_without_labels_does_not_train_because_the_other_has_some(tmp_path):
    write_subject(tmp_path / "201", views=("SA",))
    write_subject(tmp_path / "201", views=("LA",), labelled=False)
    (short,), (long,) = (subjects(tmp_path, view, train_on="labelled") for view in ("sa", "la"))
    assert {case.row.part for case in short.cases} == {"train"}
    assert {case.row.part for case in long.cases} == {"test"}


def test_a_missing_view_is_a_problem_of_that_view_alone(tmp_path):
    write_subject(tmp_path / "001", views=("LA",))
    assert subjects(tmp_path, "sa")[0].problem == "001_SA_ED.nii.gz: expected the frame of ED, found no SA file"
    assert not subjects(tmp_path, "la")[0].problem


def test_an_unknown_choice_of_frames_is_wrong_use(dataset):
    with pytest.raises(UsageError, match="--frames: expected labelled or all, got 'some'"):
        subjects(dataset, frames="some")
