import pytest

from nnunet_cardiac_ext.evaluation.quality.check import Check, Measurement, Severity


def check(below=False):
    return Check("odd", "It is odd", lambda values: values, 5, "mm", Severity.WARNING, "by hand", below=below)


def test_values_beyond_the_threshold_are_flagged_with_a_reason():
    flags = list(check().flags("p1", [Measurement(5, "width"), Measurement(5.5, "width of it", 3)]))
    assert len(flags) == 1
    assert flags[0][:4] == ("p1", "odd", "warning", 3)
    assert flags[0].reason == "width of it in slice 3: 5.5 mm, expected at most 5"


def test_values_below_the_threshold_are_flagged_where_it_is_a_lower_limit():
    flags = list(check(below=True).flags("p1", [Measurement(5, "width"), Measurement(4, "width")]))
    assert [flag.reason for flag in flags] == ["width: 4 mm, expected at least 5"]


@pytest.mark.parametrize("below", [True, False])
def test_undefined_values_are_not_flagged(below):
    assert not list(check(below).flags("p1", [Measurement(float("nan"), "width")]))
