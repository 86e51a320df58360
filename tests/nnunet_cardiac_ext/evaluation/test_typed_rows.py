import math
from typing import NamedTuple

import pytest

from nnunet_cardiac_ext.errors import UsageError
from nnunet_cardiac_ext.evaluation.typed_rows import read_typed_rows


class Row(NamedTuple):
    name: str
    count: int
    value: float


def write(path, text):
    path.write_text(text)
    return path


def test_cells_take_the_types_of_their_fields(tmp_path):
    first, second = read_typed_rows(Row, write(tmp_path / "t.csv", "name,count,value,more\na,2,0.1,x\nb,0,nan,y\n"))
    assert first == Row("a", 2, 0.1)
    assert (second.name, second.count) == ("b", 0)
    assert math.isnan(second.value)


def test_no_lines_are_no_rows(tmp_path):
    assert read_typed_rows(Row, write(tmp_path / "t.csv", "name,count,value\n")) == []


@pytest.mark.parametrize("text", ["name,count\na,2\n", "name,count,value\na,two,0.1\n", "name,count,value\na,2,\n"])
def test_missing_columns_and_other_types_are_one_line(tmp_path, text):
    with pytest.raises(UsageError, match=r"t\.csv: expected the columns name, count, value, stopped at"):
        read_typed_rows(Row, write(tmp_path / "t.csv", text))
