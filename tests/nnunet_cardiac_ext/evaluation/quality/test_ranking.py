from nnunet_cardiac_ext.evaluation.quality.check import Flag
from nnunet_cardiac_ext.evaluation.quality.ranking import rank_cases


def flag(case, check, severity, value=2.0, reason=""):
    return Flag(case, check, severity, None, value, 1.0, "mm", reason or f"{check} {value:g}")


def test_each_check_counts_once_by_its_weight():
    errors = [flag("a", "gap", "error")] * 2
    flags = [*errors, flag("a", "holes", "warning"), flag("a", "no-taper", "notice")]
    (row,) = rank_cases([("a", "p1")], flags)
    assert (row.subject, row.score, row.flags) == ("p1", 10 + 3 + 1, 4)
    assert row.checks == "gap holes no-taper"


def test_the_reason_is_that_of_the_flag_farthest_beyond_the_threshold():
    (row,) = rank_cases([("a", "")], [flag("a", "gap", "error", value) for value in (2, 5, 3)])
    assert row.reasons == "gap 5"


def test_worst_first_then_by_flags_and_name_clean_cases_last():
    flags = [flag(case, "holes", "warning") for case in "bcc"] + [flag("d", "gap", "error")]
    ranked = rank_cases([(case, "") for case in "abcd"], flags)
    assert [row.case for row in ranked] == ["d", "c", "b", "a"]
    assert ranked[-1][2:] == (0, 0, "", "")
