import pytest
from helpers.acdc_files import write_database, write_patient

from nnunet_cardiac_ext.cli.main import main
from nnunet_cardiac_ext.files import read_json


@pytest.fixture
def database(tmp_path):
    return write_database(tmp_path / "database")


def convert(*options):
    return main(["convert", "acdc", *map(str, options), "--quiet", "-np", "1"])


def test_the_summary_says_what_was_written(database, nnunet_root, capsys):
    assert convert("-i", database, "-d", 27) == 0
    output = capsys.readouterr()
    assert output.out.splitlines()[:2] == [
        "Dataset027_ACDC: 6 train, 2 test cases of 4 subjects (0 unchanged since an earlier run), 0 failed",
        "splits_final.json: 3 folds, 0 subjects on both sides of one",
    ]
    assert output.err == ""


def test_options_reach_the_converter(database, nnunet_root, capsys):
    (database / "training/patient001").rename(database / "training/patient009")  # unlike its files: a broken patient
    write_patient(database / "training/patient004", cine=True)
    assert convert("-i", database, "-d", 5, "--folds", 2, "--seed", 9, "--frames", "all") == 1
    first = capsys.readouterr().out
    assert "Dataset005_ACDC: 6 train, 2 test, 2 cine cases" in first
    assert "2 folds" in first
    assert read_json(nnunet_root / "raw/Dataset005_ACDC/conversion_report.json")["settings"]["seed"] == 9
    assert convert("-i", database, "-d", 5, "--folds", 3, "--overwrite-splits") == 1
    assert "3 folds" in capsys.readouterr().out


def test_each_broken_patient_is_one_line_and_the_exit_code_is_1(database, nnunet_root, capsys):
    (database / "training/patient001/Info.cfg").unlink()
    (database / "training/patient003/patient003_frame01.nii.gz").write_bytes(b"")
    assert convert("-i", database, "-d", 27) == 1
    assert capsys.readouterr().err.splitlines() == [
        "nnunet-cardiac: patient001: Info.cfg: cannot be read (No such file or directory)",
        "nnunet-cardiac: patient003: patient003_frame01.nii.gz: expected a NIfTI file, got 0 bytes",
    ]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("-d", 27), "the following arguments are required: -i"),
        (("-i", "absent", "-d", 27), "absent: expected a folder, found nothing"),
        (("-i", ".", "-d", "x"), "invalid int value: 'x'"),
        (("-i", ".", "-d", 27, "--frames", "some"), "invalid choice: 'some'"),
    ],
)
def test_wrong_use_is_one_line_and_exit_code_2(tmp_path, nnunet_root, monkeypatch, capsys, options, message):
    monkeypatch.chdir(tmp_path)
    assert convert(*options) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


@pytest.mark.parametrize(
    ("options", "message"), [(("--folds", 1), "--folds: expected at least 2"), (("-np", 0), "-np: exp")]
)
def test_numbers_that_make_no_sense_are_wrong_use(database, nnunet_root, capsys, options, message):
    assert main(["convert", "acdc", "-i", str(database), "-d", "27", "--quiet", *map(str, options)]) == 2
    assert message in capsys.readouterr().err


def test_an_unset_nnunet_raw_is_one_line(database, monkeypatch, capsys):
    monkeypatch.delenv("nnUNet_raw", raising=False)
    assert convert("-i", database, "-d", 27) == 2
    assert "nnUNet_raw is not set" in capsys.readouterr().err


def test_check_prints_a_table_and_exits_by_what_it_finds(nnunet_root, tmp_path, capsys):
    source = write_database(tmp_path / "database")
    assert main(["convert", "acdc", "-i", str(source), "-d", "27", "-np", "1", "--quiet"]) == 0
    capsys.readouterr()
    assert main(["convert", "--check", "27"]) == 0
    assert "passed" in capsys.readouterr().out
    (nnunet_root / "raw/Dataset027_ACDC/imagesTs/patient101_frame01_0000.nii.gz").unlink()
    assert main(["convert", "--check", "27"]) == 1
    assert "patient101_frame01: cannot be checked" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [[], ["--check", "27", "acdc", "-i", "x", "-d", "27"]])
def test_either_a_data_set_or_a_check_is_wanted(arguments, capsys):
    assert main(["convert", *arguments]) == 2
    assert "expected a data set to convert, or --check ID" in capsys.readouterr().err
