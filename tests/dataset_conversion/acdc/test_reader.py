import pytest
from helpers.acdc_files import write_database, write_info, write_patient

from dataset_conversion.acdc.reader import find_subjects
from nnunet_cardiac_ext.errors import UsageError


@pytest.fixture
def database(tmp_path):
    return write_database(tmp_path / "database")


def parts(source):
    return {subject.name: {case.row.part for case in subject.cases} for subject in find_subjects(source)}


TRAINING = {"patient001": {"train"}, "patient002": {"train"}, "patient003": {"train"}}
TESTING = {"patient101": {"test"}}


def test_database_and_the_folder_above_it_give_both_parts(database):
    assert parts(database) == parts(database.parent) == TRAINING | TESTING


def test_training_and_testing_alone_give_their_part(database, monkeypatch):
    assert parts(database / "training") == TRAINING
    assert parts(database / "testing") == TESTING
    monkeypatch.chdir(database / "testing")
    assert parts(type(database)(".")) == TESTING


def test_a_link_to_testing_is_still_testing(database, tmp_path):
    (tmp_path / "heldout").symlink_to(database / "testing")
    assert parts(tmp_path / "heldout") == TESTING


def test_hidden_files_are_no_patients_and_no_frames(database):
    folder = database / "training" / "patient001"
    for path in (folder / "._patient001_frame01.nii.gz", folder / ".DS_Store", database / "training" / "._patient001"):
        path.write_bytes(b"\0\5\26\7")
    (database / "__MACOSX" / "training" / "patient001").mkdir(parents=True)
    subject = find_subjects(database)[0]
    assert parts(database) == TRAINING | TESTING
    assert {path.name: reason for path, reason in subject.ignored.items()} == {
        "._patient001_frame01.nii.gz": "hidden file",
        ".DS_Store": "hidden file",
    }


def test_ed_and_es_come_from_info_cfg(tmp_path):
    write_patient(tmp_path / "patient090", ed=4, es=2, group="RV")
    rows = {case.row.phase: case.row for case in find_subjects(tmp_path)[0].cases}
    assert (rows["ED"].case, rows["ES"].case) == ("patient090_frame04", "patient090_frame02")
    assert (rows["ED"].frame, rows["ED"].group) == (4, "RV")
    assert rows["ED"].extra == {"height_cm": "170.0", "weight_kg": "70.5", "frames_in_cycle": "4"}
    assert rows["ED"].source == "patient090/patient090_frame04.nii.gz"


def test_uncompressed_files_are_found(tmp_path):
    write_patient(tmp_path / "patient001", suffix=".nii")
    assert [path.name for path in find_subjects(tmp_path)[0].files] == [
        "patient001_frame01.nii",
        "patient001_frame01_gt.nii",
        "patient001_frame03.nii",
        "patient001_frame03_gt.nii",
    ]


def test_test_patients_may_come_without_labels(tmp_path):
    write_patient(tmp_path / "testing" / "patient101", labelled=False)
    (subject,) = find_subjects(tmp_path)
    assert not subject.problem
    assert [case.labels for case in subject.cases] == [None, None]


def test_all_frames_adds_the_whole_cycle_where_there_is_one(tmp_path):
    write_patient(tmp_path / "patient001", cine=True)
    write_patient(tmp_path / "patient002")
    with_cycle, without = find_subjects(tmp_path, frames="all")
    cine = [case for case in with_cycle.cases if case.row.part == "cine"]
    assert [(case.row.case, case.row.phase, case.image.frame) for case in cine] == [
        ("patient001_frame01", "ED", 0),
        ("patient001_frame02", "", 1),
        ("patient001_frame03", "ES", 2),
        ("patient001_frame04", "", 3),
    ]
    assert len(without.cases) == 2


def test_the_cycle_is_left_alone_unless_asked_for(tmp_path):
    folder = write_patient(tmp_path / "patient001", cine=True)
    (subject,) = find_subjects(tmp_path)
    assert subject.ignored == {folder / "patient001_4d.nii.gz": "whole cycle, read with --frames all"}


def test_missing_height_weight_and_group_are_empty_cells(tmp_path):
    folder = write_patient(tmp_path / "patient001")
    write_info(folder, ED=1, ES=3)
    row = find_subjects(tmp_path)[0].cases[0].row
    assert (row.group, row.extra["height_cm"]) == ("", "")


@pytest.mark.parametrize("frame", ["0", "-1", "1.5", "", "²"])
def test_a_frame_number_that_is_none_is_a_problem(tmp_path, frame):
    folder = write_patient(tmp_path / "patient001")
    write_info(folder, ED=frame, ES=3)
    (subject,) = find_subjects(tmp_path)
    assert subject.problem.startswith("Info.cfg: expected ED to be a frame number from 1, got ")
    assert folder / "patient001_frame01.nii.gz" in subject.ignored


def test_no_patients_absent_folder_and_a_file_are_wrong_use(tmp_path):
    with pytest.raises(UsageError, match="with folders patientNNN; found none"):
        find_subjects(tmp_path)
    with pytest.raises(UsageError, match="expected a folder, found nothing"):
        find_subjects(tmp_path / "absent")
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="expected a folder, found a file"):
        find_subjects(tmp_path / "file")
    with pytest.raises(UsageError, match="--frames: expected labelled or all, got 'some'"):
        find_subjects(tmp_path, frames="some")
