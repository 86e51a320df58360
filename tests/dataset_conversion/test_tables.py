import pytest

from dataset_conversion.tables import columns_of, number, read_table, tidy, whole_number
from nnunet_cardiac_ext.errors import UsageError


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "table.csv"

    def written(text, encoding="utf-8"):
        path.write_bytes(text.encode(encoding))
        return path

    return written


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_the_delimiter_is_found(table, delimiter):
    path = table("code,ED\nA,1\n".replace(",", delimiter))
    assert read_table(path) == [{"code": "A", "ed": "1"}]
    assert columns_of(path) == ["code", "ed"]


def test_byte_order_mark_index_column_spaces_and_blank_rows_are_dropped(table):
    path = table(',code , ED,,\r\n0, A ,1,,\r\n,,,,\r\n\r\n1,B,"2",,\r\n', "utf-8-sig")
    assert read_table(path) == [{"code": "A", "ed": "1"}, {"code": "B", "ed": "2"}]
    assert columns_of(path) == ["code", "ed"]


def test_cells_that_a_row_lacks_are_empty_and_those_too_many_are_dropped(table):
    assert read_table(table("a,b\n1\n1,2,3\n")) == [{"a": "1", "b": ""}, {"a": "1", "b": "2"}]


def test_quoted_cells_may_hold_the_delimiter_and_line_breaks(table):
    assert read_table(table('a,b\n"x, y","1\n2"\n')) == [{"a": "x, y", "b": "1\n2"}]


def test_letters_of_another_encoding_do_no_harm(table):
    (row,) = read_table(table("code,place\nA,Málaga\n", "latin-1"))
    assert row["code"] == "A"


def test_an_empty_file_has_no_rows_and_an_absent_one_is_wrong_use(table, tmp_path):
    assert read_table(table("")) == []
    assert columns_of(tmp_path / "absent") == []
    with pytest.raises(UsageError, match="absent: cannot be read"):
        read_table(tmp_path / "absent")


def test_numbers_may_have_a_decimal_comma_and_nan_is_none():
    assert [number(text) for text in ("1.76", "1,76", "-3", "nan", "", "x")] == [1.76, 1.76, -3, None, None, None]


def test_whole_numbers_may_look_like_floats():
    cells = ("7", "7.0", "0", "-1", "1.5", "", "nan", "²")
    assert [whole_number(text) for text in cells] == [7, 7, 0, None, None, None, None, None]


def test_tidy_shortens_numbers_and_keeps_text():
    assert [tidy(text) for text in ("28.0", "70.50", "nan", "unknown", "")] == ["28", "70.5", "", "unknown", ""]
