import numpy as np
import pytest
from helpers.acdc_files import save_nifti

from inference_pipelines.nifti import read_file_order
from nnunet_cardiac_ext.cli.main import main
from nnunet_cardiac_ext.region_table import RegionRow, write_region_table
from nnunet_cardiac_ext.regions import Region

FOLDERS = ("baseline", "base", "middle", "apex")


@pytest.fixture
def command(tmp_path):
    for number, name in enumerate(FOLDERS, start=1):
        for case in ("a", "b"):
            save_nifti(tmp_path / name / f"{case}.nii.gz", np.full((4, 6, 5), number, dtype=np.uint8))
    rows = [
        RegionRow(case, number, None, (1, 0, 0, 0), Region(number), ordered=Region(3 - number))
        for case in ("a", "b") for number in range(4)
    ]  # fmt: skip
    write_region_table(tmp_path / "regions.csv", rows)
    folders = [text for name in FOLDERS for text in (f"--{name}", str(tmp_path / name))]
    table = ["--regions", str(tmp_path / "regions.csv")]
    return ["merge-regions", *folders, *table, "-o", str(tmp_path / "out"), "--quiet"]


@pytest.mark.parametrize(("column", "expected"), [([], [1, 2, 3, 4]), (["--column", "ordered"], [4, 3, 2, 1])])
def test_slices_of_four_folders_become_one_image(tmp_path, command, capsys, column, expected):
    assert main([*command, *column]) == 0
    assert capsys.readouterr().out == f"{tmp_path}/out: 2 cases written\n"
    for case in ("a", "b"):
        assert read_file_order(tmp_path / "out" / f"{case}.nii.gz")[0, 0].tolist() == expected
    assert main([*command, *column]) == 0
    assert "0 cases written" in capsys.readouterr().out
    assert main([*command, *column, "--overwrite"]) == 0
    assert "2 cases written" in capsys.readouterr().out


def test_a_case_that_is_missing_is_one_line_and_the_others_are_merged(tmp_path, command, capsys):
    (tmp_path / "apex" / "a.nii.gz").unlink()
    assert main(command) == 1
    captured = capsys.readouterr()
    assert captured.err == f"nnunet-cardiac: a: {tmp_path}/apex: expected a label image of this case, found none\n"
    assert captured.out == f"{tmp_path}/out: 1 cases written\n"
    assert main([*command, "--column", "used", "--overwrite"]) == 1
    assert "expected a region in column used" in capsys.readouterr().err


def test_a_missing_folder_or_table_is_one_line(tmp_path, command, capsys):
    (tmp_path / "regions.csv").unlink()
    assert main(command) == 2
    assert "regions.csv: cannot be read" in capsys.readouterr().err
    assert main(command[:-3]) == 2
    assert "the following arguments are required: -o" in capsys.readouterr().err
