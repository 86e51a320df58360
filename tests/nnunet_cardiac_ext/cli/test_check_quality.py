from pathlib import Path

import pytest
from helpers.drawn_hearts import SPACING, cine_stack
from helpers.label_stacks import write_volume

from nnunet_cardiac_ext.cli.check_quality import checks_table
from nnunet_cardiac_ext.cli.main import main


@pytest.fixture
def labels(tmp_path):
    for number in range(3):
        array = cine_stack().array
        if number:
            array[2 + number] = 0
        write_volume(tmp_path / "labels" / f"case{number}.nii.gz", array, SPACING)
    return tmp_path / "labels"


def run(labels, *more):
    return main(["quality", "-i", str(labels), "-o", str(labels.parent / "out"), "-np", "1", *more])


def test_prints_the_worst_cases_with_their_reasons(labels, capsys):
    assert run(labels) == 0
    out, error = capsys.readouterr()
    assert out.startswith("3 cases checked, 2 with a flag\n  10  case1  ")
    assert "missing between slices 2 and 4, first in slice 3: 1 slice, expected at most 0" in out
    assert "no case table" in error


def test_an_unreadable_image_is_exit_code_one(labels, capsys):
    (labels / "case1.nii.gz").write_bytes(b"broken")
    assert run(labels, "--quiet") == 1
    out, error = capsys.readouterr()
    assert not out
    assert "case1.nii.gz: cannot be read as an image" in error


def test_folders_are_needed_unless_the_checks_are_asked_for(capsys):
    assert main(["quality"]) == 2
    assert "expected -i LABELS and -o OUT" in capsys.readouterr().err
    assert main(["quality", "--checks"]) == 0
    assert capsys.readouterr().out.rstrip() == checks_table()


def test_docs_hold_the_table_of_checks():
    page = (Path(__file__).parents[3] / "docs" / "quality.md").read_text(encoding="utf-8")
    assert checks_table() in page
