"""cases.csv keeps what is known of each case."""

import math

import pytest

from nnunet_cardiac_ext.case_table import COLUMNS, CaseRow, read_case_table, write_case_table
from nnunet_cardiac_ext.errors import UsageError


def test_round_trip_keeps_every_field(tmp_path):
    rows = [
        CaseRow("b", "p2", "ES", 12, "DCM", "Siemens", "Dijon", (10.0, 1.5625, 1.5625), 9, True, "test", "p2/b.nii.gz"),
        CaseRow("a", "p1", extra={"height_cm": "171"}),
    ]
    write_case_table(tmp_path / "cases.csv", rows)
    first, second = read_case_table(tmp_path / "cases.csv")
    assert (second.case, second.frame, second.spacing, second.base_first) == ("b", 12, (10.0, 1.5625, 1.5625), True)
    assert second.extra == {"height_cm": ""}
    assert (first.case, first.frame, first.base_first, first.extra) == ("a", None, None, {"height_cm": "171"})
    assert all(math.isnan(value) for value in first.spacing)


def test_the_header_starts_with_the_fixed_columns(tmp_path):
    write_case_table(tmp_path / "cases.csv", [CaseRow("a", "p1", extra={"weight_kg": "80"})])
    header = (tmp_path / "cases.csv").read_text().splitlines()[0]
    assert header == ",".join(COLUMNS) + ",weight_kg"


def test_a_table_without_subjects_is_refused(tmp_path):
    (tmp_path / "cases.csv").write_text("case,group\na,b\n")
    with pytest.raises(UsageError, match="expected the columns case and subject, got case, group"):
        read_case_table(tmp_path / "cases.csv")


def test_a_bad_cell_names_its_line(tmp_path):
    (tmp_path / "cases.csv").write_text("case,subject,frame\na,b,1\nc,d,one\n")
    with pytest.raises(UsageError, match=r"cases\.csv, line 3"):
        read_case_table(tmp_path / "cases.csv")


def test_a_case_stands_in_one_line_with_its_subject(tmp_path):
    (tmp_path / "cases.csv").write_text("case,subject\na,p1\nb,p1\na,p2\n")
    with pytest.raises(UsageError, match=r"cases\.csv, line 4: expected one line per case, got a of line 2"):
        read_case_table(tmp_path / "cases.csv")
    (tmp_path / "cases.csv").write_text("case,subject\na,\n")
    with pytest.raises(UsageError, match=r"cases\.csv, line 2: expected a case and its subject"):
        read_case_table(tmp_path / "cases.csv")


def test_phases_are_read_in_either_case(tmp_path):
    (tmp_path / "cases.csv").write_text("case,subject,phase\na,p1,ed\nb,p1, Es\n")
    assert [row.phase for row in read_case_table(tmp_path / "cases.csv")] == ["ED", "ES"]


def test_a_visit_is_a_subject_at_one_time_point():
    assert CaseRow("a_ED", "a").visit == "a"
    assert CaseRow("a_d7_ED", "a", extra={"time_point": "d7"}).visit == "a_d7"
