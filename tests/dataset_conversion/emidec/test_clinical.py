import pytest
from helpers.emidec_files import CLINICAL, write_clinical

from dataset_conversion.emidec.clinical import COLUMNS, read_clinical
from dataset_conversion.images import SourceError

AS_WRITTEN = {
    "sex": "M", "age": "65", "tobacco": "3", "overweight": "Y", "arterial_hypertension": "Y", "diabetes": "N",
    "family_history_cad": "N", "st_elevation": "Y", "troponin": "110", "killip_max": "1", "lvef_percent": "55",
    "nt_probnp": "36", "slice_distance_mm": "13",
}  # fmt: skip


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252", "utf-8", "utf-8-sig", "utf-16"])
def test_every_column_is_read_whatever_the_encoding(tmp_path, encoding):
    write_clinical(tmp_path / "Case P001.txt", encoding=encoding)
    assert read_clinical(tmp_path / "Case P001.txt") == AS_WRITTEN


def test_a_case_without_text_has_empty_columns():
    assert read_clinical(None) == dict.fromkeys(COLUMNS.values(), "")


@pytest.mark.parametrize(
    ("written", "read"),
    [("1.1", "1.1"), ("1,1", "1.1"), (" 110 ", "110"), ("10 mm", "10"), ("55 %", "55"), ("36 pg/mL", "36"),
     ("28.0", "28"), ("", ""), ("?", ""), ("NA", ""), ("-", ""), ("<0.01", "<0.01"), ("1 or 2", "1 or 2")],
)  # fmt: skip
def test_numbers_lose_their_unit_and_gaps_become_empty(tmp_path, written, read):
    write_clinical(tmp_path / "Case P001.txt", **{"Troponin ": written})
    assert read_clinical(tmp_path / "Case P001.txt")["troponin"] == read


def test_keys_are_known_by_their_letters(tmp_path):
    (tmp_path / "a.txt").write_bytes(b"FEVG\xa0: 40\nkillip  max:2\nECG(ST+) :N\nRemark : none of ours\nno colon\n")
    read = {key: value for key, value in read_clinical(tmp_path / "a.txt").items() if value}
    assert read == {"lvef_percent": "40", "killip_max": "2", "st_elevation": "N"}


def test_any_bytes_are_survived(tmp_path):
    (tmp_path / "a.txt").write_bytes(bytes(range(256)) + b"\r\nAge : 65\r\n")
    assert read_clinical(tmp_path / "a.txt")["age"] == "65"


def test_a_text_that_cannot_be_read_is_one_line(tmp_path):
    (tmp_path / "Case P001.txt").mkdir()
    with pytest.raises(SourceError, match=r"Case P001.txt: cannot be read \(Is a directory\)"):
        read_clinical(tmp_path / "Case P001.txt")


def test_the_columns_are_those_of_the_official_keys():
    assert len(COLUMNS) == len(CLINICAL)
