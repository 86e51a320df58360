import numpy as np
import pytest

from nnunet_cardiac_ext.case_table import CaseRow
from nnunet_cardiac_ext.errors import UsageError
from nnunet_cardiac_ext.evaluation.scoring import MetricRow
from nnunet_cardiac_ext.evaluation.summary import statistics, summarise


def dice(case, value):
    return MetricRow(case, "LV", "all", "dice", value, "1", "x", "")


def test_statistics_by_hand_leave_nan_out_and_count_it():
    found = statistics([1.0, float("nan"), 2.0, 6.0])
    assert (found.n, found.n_undefined, found.mean, found.median) == (3, 1, 3.0, 2.0)
    assert found.sd == pytest.approx(np.sqrt((4 + 1 + 9) / 2))
    assert (found.q1, found.q3) == (1.5, 4.0)


def test_statistics_of_one_value_have_no_spread_and_of_none_nothing():
    assert statistics([2.0]).mean == 2
    assert np.isnan(statistics([2.0]).sd)
    empty = statistics([float("nan")])
    assert (empty.n, empty.n_undefined) == (0, 1)
    assert np.isnan(empty.mean)


def test_groups_follow_a_column_of_the_case_table():
    cases = [CaseRow("a", "p1", group="HCM"), CaseRow("b", "p2", group="NOR"), CaseRow("c", "p3"), CaseRow("d", "p4")]
    found = summarise([dice("a", 0.2), dice("b", 0.4), dice("c", 0.9), dice("e", 0.5)], cases, ["group"])
    assert [(row.column, row.group, row.n, row.mean) for row in found] == [
        ("", "all", 4, 0.5),
        ("group", "HCM", 1, 0.2),
        ("group", "NOR", 1, 0.4),
    ]


def test_groups_may_come_from_an_extra_column():
    cases = [CaseRow("a", "p1", extra={"sex": "F"}), CaseRow("b", "p2", extra={"sex": "M"})]
    found = summarise([dice("a", 0.2), dice("b", 0.4)], cases, ["sex"])
    assert [row.group for row in found] == ["all", "F", "M"]


def test_unknown_column_lists_the_known_ones():
    with pytest.raises(UsageError, match=r"--by scaner: expected a column of cases.csv \(subject, phase"):
        summarise([], [CaseRow("a", "p1")], ["scaner"])


def test_groups_without_a_case_table_are_refused():
    with pytest.raises(UsageError, match=r"found none; name it with --cases"):
        summarise([], [], ["group"])
