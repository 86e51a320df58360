import shutil

import pytest
from helpers.converted_files import check

from nnunet_cardiac_ext.errors import UsageError
from nnunet_cardiac_ext.files import read_json, write_json


def test_a_sound_data_set_has_no_problem_and_one_table(converted):
    found = check()
    assert found.problems == ()
    assert found.exit_code == 0
    table = dict(line.strip().split("  ", 1) for line in found.table().splitlines()[1:])
    table = {name: text.strip() for name, text in table.items()}
    # Three patients of four frames, of which ED and ES are labelled; so is the test patient's pair.
    assert table["cases"] == "8 cine, 2 test, 6 train"
    assert table["subjects"] == "4"
    assert table["labels"] == "RV in 8, MYO in 8, LV in 8 of 8 labelled cases"
    assert table["slice spacing"] == "10 mm"
    assert table["pixel spacing"] == "1.25 to 1.5 mm"
    assert table["base first"] == "100 % (8 of 8 cases, not known of 8)"
    assert table["folds"] == "3, 0 subjects on both sides of one"
    assert table["source"].startswith("16 of 16 cases compared")
    assert table["problems"] == "0"


def test_a_foreign_file_is_found(converted):
    shutil.copy(converted / "imagesTr" / "patient001_frame01_0000.nii.gz", converted / "imagesTr" / "x_0000.nii.gz")
    assert check().problems == ("imagesTr/x_0000.nii.gz: in the folder, but not in cases.csv",)


def test_folds_that_leak_are_found(converted):
    splits = read_json(converted / "splits_final.json")
    moved = splits[0]["train"].pop()
    splits[0]["val"].append(moved)
    write_json(converted / "splits_final.json", splits)
    found = check()
    assert found.problems == ("splits_final.json: 1 subjects have cases on both sides of a fold",)
    assert found.leaks == 1


def test_a_leak_that_was_asked_for_is_counted_but_no_problem(converted):
    splits = read_json(converted / "splits_final.json")
    splits[0]["val"].append(splits[0]["train"].pop())
    write_json(converted / "splits_final.json", splits)
    report = read_json(converted / "conversion_report.json")
    write_json(converted / "conversion_report.json", report | {"leaks_intended": True})
    found = check()
    assert (found.problems, found.leaks) == ((), 1)


def test_folds_that_name_other_cases_are_found(converted):
    write_json(converted / "splits_final.json", [{"train": ["patient001_frame01"], "val": ["patient101_frame01"]}])
    assert check().problems == ("splits_final.json: patient101_frame01 is no training case",)


def test_a_source_that_has_gone_is_said_not_guessed(converted, tmp_path):
    (tmp_path / "database").rename(tmp_path / "elsewhere")
    found = check()
    assert found.problems == ()
    assert "0 of 16 cases compared voxel by voxel with nothing" in found.table()


def test_what_this_converter_did_not_make_is_refused(nnunet_root):
    with pytest.raises(UsageError, match="Dataset027_"):
        check()
    (nnunet_root / "raw" / "Dataset027_ACDC").mkdir()
    with pytest.raises(UsageError, match=r"expected conversion_report\.json of this converter, found none"):
        check()
