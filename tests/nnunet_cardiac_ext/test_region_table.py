"""regions.csv keeps every number, and names the line of what it cannot read."""

import math

import numpy as np
import pytest

from nnunet_cardiac_ext.errors import UsageError
from nnunet_cardiac_ext.region_table import COLUMNS, RegionRow, read_region_table, stacks_of, write_region_table
from nnunet_cardiac_ext.regions import Region

HEADER = "case,frame,slice,region,predicted,ordered,extent,used,p_non_cardiac,p_base,p_middle,p_apex"
GOOD = "a,,0,base,base,,,,0.1,0.7,0.1,0.1"


def written(tmp_path, *lines, header=HEADER):
    path = tmp_path / "regions.csv"
    path.write_text("\n".join([header, *lines]) + "\n")
    return path


def test_round_trip_keeps_every_field_and_digit(tmp_path):
    thirds = float(np.float32(1 / 3))
    rows = [
        RegionRow("b", 3, None, (0.1, 0.2, 1 / 3, 1e-12), Region.MIDDLE),
        RegionRow("a", 0, 11, (thirds, 0.0, 1.0, 1 - thirds), *(Region(k) for k in (0, 1, 3, 2, 1))),
    ]
    write_region_table(tmp_path / "regions.csv", rows)
    assert read_region_table(tmp_path / "regions.csv") == rows


def test_the_text_of_the_table(tmp_path):
    row = RegionRow("a", 4, None, (0.5, 0.25, 0.25, 0.0), Region.NON_CARDIAC, Region.APEX)
    write_region_table(tmp_path / "regions.csv", [row])
    assert (tmp_path / "regions.csv").read_text() == f"{HEADER}\na,,4,,non-cardiac,apex,,,0.5,0.25,0.25,0.0\n"
    assert ",".join(COLUMNS) == HEADER


def test_a_slice_that_was_not_classified_has_nan(tmp_path):
    write_region_table(tmp_path / "regions.csv", [RegionRow("a", 0, 2, (math.nan,) * 4, Region.NON_CARDIAC)])
    (row,) = read_region_table(tmp_path / "regions.csv")
    assert all(math.isnan(p) for p in row.probabilities)


def test_no_rows_leave_the_header(tmp_path):
    write_region_table(tmp_path / "regions.csv", [])
    assert (tmp_path / "regions.csv").read_text() == HEADER + "\n"
    assert read_region_table(tmp_path / "regions.csv") == []


def test_further_columns_are_passed_over(tmp_path):
    path = written(tmp_path, GOOD + ",Siemens", header=HEADER + ",vendor")
    assert read_region_table(path)[0].case == "a"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("a,,0,base,heart,,,,0,0,0,1", "expected non-cardiac, base, middle, apex or nothing as predicted, got 'heart'"),
        ("a,,0,1,base,,,,0,0,0,1", "or nothing as region, got '1'"),
        ("a,,0,,,,,,0,0,0,1", "expected a region as predicted, got an empty cell"),
        (",,0,,base,,,,0,0,0,1", "expected the name of a case, got an empty cell"),
        ("a,,-1,,base,,,,0,0,0,1", "expected a number from 0 as slice, got '-1'"),
        ("a,1.5,0,,base,,,,0,0,0,1", "expected a number from 0 as frame, got '1.5'"),
        ("a,,0,,base,,,,0,0,0,1.5", r"expected a probability from 0 to 1 \(or nan\) as p_apex, got '1.5'"),
        ("a,,0,,base,,,,half,0,0,0", "as p_non_cardiac, got 'half'"),
        ("a,,0,,base,,,,0,0", "as p_middle, got ''"),
        (GOOD, "expected one line per slice, got that of line 2 again"),
    ],
)
def test_a_bad_line_is_named(tmp_path, line, message):
    path = written(tmp_path, GOOD, line)
    with pytest.raises(UsageError, match=rf"regions\.csv, line 3: .*{message}"):
        read_region_table(path)


def test_the_same_slice_of_two_frames_are_two_slices(tmp_path):
    path = written(tmp_path, "a,0,0,,base,,,,0,1,0,0", "a,1,0,,base,,,,0,1,0,0", GOOD)
    assert [row.frame for row in read_region_table(path)] == [0, 1, None]


def test_another_table_is_refused(tmp_path):
    path = written(tmp_path, "a,0", header="case,slice")
    with pytest.raises(UsageError, match=f"expected the columns {HEADER.replace(',', ', ')}, found no frame, region"):
        read_region_table(path)
    with pytest.raises(UsageError, match=r"none\.csv: cannot be read"):
        read_region_table(tmp_path / "none.csv")


def test_stacks_are_sorted_by_slice():
    rows = [RegionRow(case, k, frame, (0, 1, 0, 0), Region.BASE) for case, frame, k in
            [("b", 0, 1), ("a", None, 10), ("b", 1, 0), ("a", None, 9), ("b", 0, 0)]]  # fmt: skip
    found = {key: [row.slice for row in stack] for key, stack in stacks_of(rows).items()}
    assert list(found.items()) == [(("b", 0), [0, 1]), (("a", None), [9, 10]), (("b", 1), [0])]
