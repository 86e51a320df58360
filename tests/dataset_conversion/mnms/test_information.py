import pytest
from helpers.mnms_files import CSV_NAME, row, write_rows

from dataset_conversion.mnms.information import find_information, information_of


@pytest.fixture
def information(tmp_path):
    """What is read of A0B1C2 from a csv with the given rows."""

    def read(*rows, **options):
        write_rows(tmp_path / CSV_NAME, rows, **options)
        return information_of("A0B1C2", find_information([tmp_path]))

    return read


def test_the_official_columns_are_read(information):
    found = information(row("A0B1C2", vendor="B", centre="2", ed=24, es=9, group="HCM"))
    assert (found.ed, found.es, found.vendor, found.centre, found.group) == (24, 9, "Philips", "2", "HCM")
    assert found.extra == {
        "vendor_letter": "B", "sex": "F", "age": "41", "height_cm": "170", "weight_kg": "70.5",
    }  # fmt: skip
    assert found.notes == ()


def test_semicolons_a_byte_order_mark_and_numbers_like_floats_are_understood(information):
    found = information(
        row("A0B1C2", ed="24.0", es="9.0", centre="2.0", Age="41.0"), delimiter=";", encoding="utf-8-sig"
    )
    assert (found.ed, found.es, found.centre, found.extra["age"]) == (24, 9, "2", "41")


def test_a_subset_of_the_columns_will_do(information):
    found = information(row("A0B1C2", vendor="C"), columns=("External code", "Vendor", "Centre", "ED", "ES"))
    assert (found.vendor, found.extra["vendor_letter"], found.group) == ("GE", "C", "")


def test_letter_and_name_of_the_vendor_follow_from_each_other(information):
    assert information(row("A0B1C2", vendor="", VendorName="CANON")).extra["vendor_letter"] == "D"
    assert information(row("A0B1C2", vendor="D", VendorName="")).vendor == "Canon"
    assert information(row("A0B1C2", vendor="E", VendorName="")).vendor == "E"


@pytest.mark.parametrize(
    ("cell", "height"), [("1.76", "176"), ("1,76", "176"), ("176", "176"), ("0", ""), ("-1", ""), ("", ""), ("nan", "")]
)
def test_height_is_in_cm_whether_the_csv_has_metres_or_cm(information, cell, height):
    assert information(row("A0B1C2", Height=cell), delimiter=";").extra["height_cm"] == height


@pytest.mark.parametrize("cell", ["nine", "-1", "2.5", ""])
def test_a_frame_that_is_none_is_noted(information, cell):
    found = information(row("A0B1C2", ed=cell))
    assert (found.ed, found.es) == (None, 2)
    assert found.notes == (f"{CSV_NAME}: expected ED to be a frame number from 0, got {cell!r}",)


def test_a_missing_row_and_a_missing_csv_are_noted(information, tmp_path):
    assert information(row("Z9Z9Z9")).notes == (f"no row in {CSV_NAME}: vendor, centre and group unknown",)
    (tmp_path / "empty").mkdir()
    (note,) = information_of("A0B1C2", find_information([tmp_path / "empty"])).notes
    assert note == "no csv with the column External code: vendor, centre and group unknown"


def test_equal_rows_are_one_and_rows_that_differ_are_refused(information):
    assert information(row("A0B1C2"), row("A0B1C2")).ed == 0
    with pytest.raises(ValueError, match="expected one row of A0B1C2, got 2 that differ"):
        information(row("A0B1C2"), row("A0B1C2", ed=1))
