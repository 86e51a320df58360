import csv
import math

import numpy as np
import pytest
from helpers.label_stacks import heart, write_study

from nnunet_cardiac_ext.errors import UsageError
from nnunet_cardiac_ext.evaluation import evaluate
from nnunet_cardiac_ext.evaluation.tables import read_evaluation


@pytest.fixture
def folder(tmp_path):
    evaluate(*write_study(tmp_path, subjects=1), tmp_path / "out", by=["phase"], workers=1, quiet=True)
    return tmp_path / "out"


def rewrite(path, change):
    with path.open(newline="") as stream:
        lines = [change(row) for row in csv.reader(stream)]
    with path.open("w", newline="") as stream:
        csv.writer(stream).writerows(lines)


def test_numbers_come_back_with_their_types(folder):
    found = read_evaluation(folder)
    assert found.cases == ("patient000_ED", "patient000_ES")
    volume = (heart() == 3).sum() * 10 * 2 * 1 / 1000
    assert found.value("patient000_ED", "LV", "reference_volume") == pytest.approx(volume)
    assert math.isnan(found.value("patient000_ED", "LV", "hd", "base"))  # distances are not regional
    row = next(row for row in found.summary if (row.column, row.group, row.metric) == ("phase", "ED", "dice"))
    assert (row.n, row.n_undefined) == (1, 0)
    assert math.isnan(row.sd)
    assert found.profiles["LV"].shape == (2, 101)
    assert found.clinical[0]["lv_edv_ml_reference"] == pytest.approx(volume)
    assert found.profiles["LV"].dtype == np.float64
    assert found.case_rows["patient000_ES"].phase == "ES"


def test_a_case_table_that_has_gone_is_no_failure(folder):
    (folder.parent / "cases.csv").unlink()
    assert read_evaluation(folder).case_rows == {}


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("metrics.csv", r"metrics\.csv: expected the columns case, structure"),
        ("summary.csv", r"summary\.csv: expected the columns column, group"),
        ("profiles.csv", r"profiles\.csv: expected structure and the points 0 to 100"),
        ("clinical.csv", r"clinical\.csv: expected numbers, stopped at .*'x'"),
    ],
)
def test_a_table_with_text_for_numbers_is_one_line(folder, name, message):
    rewrite(folder / name, lambda row: [row[0], row[1], *("x" if cell[:2] == "0." else cell for cell in row[2:])])
    with pytest.raises(UsageError, match=message):
        read_evaluation(folder)


def test_an_empty_table_is_refused(folder):
    path = folder / "metrics.csv"
    path.write_text(path.read_text().splitlines()[0] + "\n")
    with pytest.raises(UsageError, match="expected at least one row"):
        read_evaluation(folder)
