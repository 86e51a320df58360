import time

import pytest

from dataset_conversion.mnms2.information import find_table, subject_code, vendor_name

HEADER = "SUBJECT_CODE,DISEASE,VENDOR,SCANNER,FIELD\n"


@pytest.fixture
def table(tmp_path):
    def written(text):
        (tmp_path / "dataset_information.csv").write_text(text)
        return find_table([tmp_path / "absent", tmp_path])

    return written


def test_a_row_gives_group_vendor_scanner_and_field(table):
    information = table(HEADER + "24,NOR,Philips Medical Systems,Achieva,1.50\n").of("024")
    assert (information.group, information.vendor) == ("NOR", "Philips")
    assert information.extra == {"scanner": "Achieva", "field_tesla": "1.5"}
    assert information.notes == ()


@pytest.mark.parametrize("cell", ["7", "7.0", "007"])
def test_codes_get_their_leading_zeros(cell):
    assert subject_code(cell) == "007"


def test_a_code_that_is_no_number_is_kept():
    assert subject_code("A7") == "A7"


@pytest.mark.parametrize(
    ("cell", "name"),
    [
        ("SIEMENS", "Siemens"), ("Siemens Healthineers", "Siemens"), ("Philips Medical Systems", "Philips"),
        ("GE MEDICAL SYSTEMS", "GE"), ("ge", "GE"), ("Gemini", "Gemini"), ("", ""),
    ],
)  # fmt: skip
def test_vendors_are_called_as_in_mnms(cell, name):
    assert vendor_name(cell) == name


def test_a_million_rows_of_commas_cost_little(table):
    start = time.perf_counter()
    information = table(HEADER + "24.0,HCM,SIEMENS,Symphony,3.0\n" + ",,,,\n" * 1_048_000)
    assert time.perf_counter() - start < 5  # 0.1 s when nothing else runs
    assert list(information.rows) == ["024"]
    assert information.of("024").extra["field_tesla"] == "3"


def test_an_absent_csv_or_row_is_a_note(tmp_path, table):
    assert find_table([tmp_path]).of("001").notes == ("no dataset_information.csv: group and vendor unknown",)
    information = table(HEADER).of("001")
    assert information.notes == ("no row in dataset_information.csv: group and vendor unknown",)
    assert information.extra == {"scanner": "", "field_tesla": ""}


def test_equal_rows_are_one_and_different_ones_an_error(table):
    row = "3,NOR,SIEMENS,Symphony,1.5\n"
    assert table(HEADER + row + row).of("003").group == "NOR"
    with pytest.raises(ValueError, match="expected one row of 003, got 2 that differ"):
        table(HEADER + row + row.replace("NOR", "RV")).of("003")


def test_another_csv_and_hidden_files_are_not_it(tmp_path):
    (tmp_path / "scores.csv").write_text("case,dice\n")
    (tmp_path / "._dataset_information.csv").write_text(HEADER + "1,NOR,,,\n")
    assert find_table([tmp_path]).name == ""
