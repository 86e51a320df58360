import pytest
from helpers.emidec_files import TESTING, TRAINING, write_case, write_database

from dataset_conversion.emidec.reader import find_subjects
from nnunet_cardiac_ext.errors import UsageError

FOUND = {"Case_P001": ("P", "train"), "Case_P002": ("P", "train"), "Case_N003": ("N", "train")}
TEST = {"Case_101": ("", "test")}


@pytest.fixture
def database(tmp_path):
    return write_database(tmp_path / "download")


def found(source):
    rows = {subject.name: subject.cases[0].row for subject in find_subjects(source)}
    return {name: (row.group, row.part) for name, row in rows.items()}


def test_both_parts_are_found_from_above(database):
    assert found(database) == found(database.parent) == FOUND | TEST


def test_each_part_is_found_alone(database):
    assert found(database / TRAINING) == FOUND
    assert found(database / TESTING) == TEST


def test_an_archive_unpacked_into_a_folder_of_its_name_is_found(tmp_path):
    write_case(tmp_path / TRAINING / TRAINING / "Case_P001")
    assert found(tmp_path) == {"Case_P001": ("P", "train")}


def test_cases_deep_below_are_not_searched_for(tmp_path):
    write_case(tmp_path / "a" / "b" / "c" / "Case_P001")
    with pytest.raises(UsageError, match="found none"):
        find_subjects(tmp_path)


def test_image_and_contours_are_told_apart_by_their_folder(database):
    case = find_subjects(database)[1].cases[0]
    assert (case.image.path.parent.name, case.labels.path.parent.name) == ("Images", "Contours")
    assert case.image.path.name == case.labels.path.name


def test_test_cases_have_no_labels(database):
    (subject,) = find_subjects(database / TESTING)
    assert subject.cases[0].labels is None
    assert not subject.problem


def test_contours_of_test_cases_are_used_where_they_are(tmp_path):
    write_case(tmp_path / "Case_101")
    case = find_subjects(tmp_path)[0].cases[0]
    assert (case.row.part, case.labels is None) == ("test", False)


def test_folders_in_small_letters_and_plain_files_are_found(tmp_path):
    folder = write_case(tmp_path / "Case_101", labels=False, suffix=".nii")
    (folder / "Images").rename(folder / "images")
    assert find_subjects(tmp_path)[0].cases[0].image.path == folder / "images" / "Case_101.nii"


def test_hidden_files_are_no_cases(database):
    (database / "__MACOSX" / TRAINING / "Case_P001").mkdir(parents=True)
    (database / ".Trash" / "Case_P009").mkdir(parents=True)
    folder = database / TRAINING / "Case_P001"
    (folder / "Images" / "._Case_P001.nii.gz").write_bytes(b"\0\5\26\7")
    (folder / ".DS_Store").write_bytes(b"x")
    (folder / "Contours" / "old.nii.gz").write_bytes(b"x")
    assert found(database) == FOUND | TEST
    ignored = find_subjects(database)[2].ignored
    assert {path.name: reason for path, reason in ignored.items()} == {
        "._Case_P001.nii.gz": "hidden file",
        ".DS_Store": "hidden file",
        "old.nii.gz": "neither image nor contours nor clinical data of this case",
    }


@pytest.mark.parametrize("place", ["Case P001.txt", "Case_P001.txt", "Case_P001/Case P001.txt"])
def test_clinical_text_lies_beside_or_inside(tmp_path, place):
    write_case(tmp_path / "Case_P001")
    (tmp_path / "Case P001.txt").rename(tmp_path / place)
    (subject,) = find_subjects(tmp_path)
    assert subject.cases[0].row.extra["lvef_percent"] == "55"
    assert subject.ignored == {}


def test_a_case_without_clinical_text_is_no_problem(tmp_path):
    write_case(tmp_path / "Case_P001", clinical=False)
    (subject,) = find_subjects(tmp_path)
    assert not subject.problem
    assert set(subject.cases[0].row.extra.values()) == {""}


def test_source_is_told_relative_to_the_input(database):
    row = find_subjects(database)[1].cases[0].row
    assert row.source == f"{TRAINING}/Case_N003/Images/Case_N003.nii.gz"


def test_no_cases_absent_folder_and_a_file_are_wrong_use(tmp_path):
    with pytest.raises(UsageError, match="expected EMIDEC's folder with Case_N006, Case_P001 and so on"):
        find_subjects(tmp_path)
    with pytest.raises(UsageError, match="expected a folder, found nothing"):
        find_subjects(tmp_path / "absent")
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="expected a folder, found a file"):
        find_subjects(tmp_path / "file")
