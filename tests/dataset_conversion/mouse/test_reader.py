from pathlib import Path

import pytest
from helpers.mouse_files import write_listing, write_mice, write_mouse, write_v5, write_v73

from dataset_conversion.mouse.reader import find_source, find_subjects
from nnunet_cardiac_ext.errors import UsageError


def subjects(source, **options):
    return find_subjects(find_source(source), **({"spacing": None, "workers": 1, "quiet": True} | options))


def rows(source):
    return {case.row.case: case.row for subject in subjects(source) for case in subject.cases}


def test_mice_lie_in_the_folder_or_in_data_and_come_in_natural_order(tmp_path):
    write_mice(tmp_path / "whole", animals=11)
    assert [subject.name for subject in subjects(tmp_path / "whole")] == [f"Mouse{n}" for n in range(1, 12)]
    assert [subject.name for subject in subjects(tmp_path / "whole" / "Data")] == [f"Mouse{n}" for n in range(1, 12)]


def test_animal_and_time_point_by_the_place_of_a_file(tmp_path):
    for name in ("WT_12.mat", "WT_13_day7.mat", "m 5/pre-op.mat", "m6/scan/d1.mat", "KO-2_PRE.mat"):
        write_v5(tmp_path / name)
    found = {(row.subject, row.extra["time_point"]) for row in rows(tmp_path).values()}
    assert found == {("WT-12", ""), ("WT-13", "day7"), ("m-5", "pre-op"), ("m6", "scan_d1"), ("KO-2", "PRE")}
    assert {"WT-12_frame01", "WT-13_day7_frame04", "m-5_pre-op_frame01", "m6_scan-d1_frame01"} <= set(rows(tmp_path))


def test_a_table_says_whose_scans_they_are(tmp_path):
    write_v5(tmp_path / "a1.mat")
    write_v73(tmp_path / "sub" / "a2.mat")
    write_v5(tmp_path / "m3_pre.mat")
    lines = "file;animal;time_point;group\na1.mat;Gal3 7;pre;KO\nsub/a2.mat;Gal3 7;day56;KO\n"
    (tmp_path / "animals.csv").write_text(lines)
    found = {case: (row.subject, row.group, row.extra["time_point"]) for case, row in rows(tmp_path).items()}
    assert found["Gal3-7_pre_frame01"] == ("Gal3-7", "KO", "pre")
    assert found["Gal3-7_day56_frame04"] == ("Gal3-7", "KO", "day56")
    assert found["m3_pre_frame01"] == ("m3", "", "pre")


def test_an_animal_with_and_without_a_group_is_a_problem_of_its_scans(tmp_path):
    write_v5(tmp_path / "m1_pre.mat")
    write_v5(tmp_path / "m1_day7.mat")
    write_v5(tmp_path / "m2_pre.mat")
    (tmp_path / "animals.csv").write_text("file,animal,time_point,group\nm1_pre.mat,m1,pre,KO\n")
    problems = {subject.name: subject.problem for subject in subjects(tmp_path)}
    assert problems == {
        "m1_day7": "expected one group per animal, got '' and 'KO'",
        "m1_pre": "expected one group per animal, got '' and 'KO'",
        "m2_pre": "",
    }


def test_a_table_without_the_name_of_an_animal_is_wrong_use(tmp_path):
    write_v5(tmp_path / "m1.mat")
    (tmp_path / "animals.csv").write_text("file,animal\nm1.mat,--\n")
    with pytest.raises(UsageError, match="row 2: expected an animal, got '--'"):
        subjects(tmp_path)


def test_a_file_that_a_table_lists_and_nobody_has_is_a_problem_of_its_scan_only(tmp_path):
    write_v5(tmp_path / "m1.mat")
    (tmp_path / "animals.csv").write_text("file,animal,time_point\nm1.mat,m1,pre\nm9.mat,m9,pre\n")
    problems = {subject.name: subject.problem for subject in subjects(tmp_path)}
    assert problems == {"m1_pre": "", "m9_pre": "animals.csv: expected the file m9.mat, found none"}


def test_a_table_lies_beside_the_files_as_a_spreadsheet_saved_it(tmp_path):
    write_mice(tmp_path, animals=2)
    lines = "File;Animal;Time_Point;Group\r\nMouse1.h5;A 1;pre;KO\r\nMouse2.h5;A 1;day7;KO\r\n"
    (tmp_path / "Data" / "Mice.CSV").write_bytes(lines.encode("utf-8-sig"))
    for source in (tmp_path, tmp_path / "Data"):
        assert [subject.name for subject in subjects(source)] == ["A-1_day7", "A-1_pre"]
        assert {row.group for row in rows(source).values()} == {"KO"}


def test_a_listing_is_found_in_a_folder_or_named(tmp_path):
    write_listing(tmp_path, name="any.csv")
    (tmp_path / "truth.csv").write_text("animal,volume\nm1,80\n")
    assert len(subjects(tmp_path)) == 6
    assert find_source(tmp_path / "any.csv").folder == tmp_path
    (tmp_path / "other.csv").write_text((tmp_path / "any.csv").read_text())
    with pytest.raises(UsageError, match=r"expected one csv, found any.csv, other.csv; name it"):
        find_source(tmp_path)
    assert len(subjects(tmp_path / "other.csv")) == 6


def test_hidden_files_are_no_scans(tmp_path):
    write_mice(tmp_path, animals=1)
    for name in ("Data/._Mouse1.h5", "__MACOSX/Data/Mouse2.h5", ".cache/m1.mat"):
        (tmp_path / name).parent.mkdir(exist_ok=True, parents=True)
        (tmp_path / name).write_bytes(b"\0\5\26\7")
    assert [subject.name for subject in subjects(tmp_path)] == ["Mouse1"]


def test_nothing_or_two_kinds_of_files_are_wrong_use(tmp_path):
    with pytest.raises(UsageError, match=r"expected one of HDF5 files, MATLAB files or a csv .*; found none"):
        find_source(tmp_path)
    write_mouse(tmp_path / "Mouse1.h5")
    write_v5(tmp_path / "m1.mat")
    with pytest.raises(UsageError, match="found HDF5 files and MATLAB files"):
        find_source(tmp_path)
    with pytest.raises(UsageError, match="expected a folder, found nothing"):
        find_source(tmp_path / "absent")
    with pytest.raises(UsageError, match="expected a folder, found a file"):
        find_source(tmp_path / "m1.mat")


def test_worker_processes_find_the_same(tmp_path):
    write_mice(tmp_path, animals=3)
    assert subjects(tmp_path, workers=2) == subjects(tmp_path)


def test_names_in_other_letters_are_kept(tmp_path):
    write_v5(tmp_path / "Mäuse 1" / "心臓.mat")
    assert Path(tmp_path / "Mäuse 1").is_dir()
    assert list(rows(tmp_path)) == ["Mäuse-1_心臓_frame01", "Mäuse-1_心臓_frame04"]
