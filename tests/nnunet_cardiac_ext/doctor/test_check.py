import pytest

from nnunet_cardiac_ext.doctor.check import ok, problem, warning


@pytest.mark.parametrize(
    ("check", "line"),
    [
        (ok("disk"), "ok       disk"),
        (warning("few cores", "export X=2"), "warning  few cores  -> export X=2"),
        (problem("no folder", "mkdir x"), "problem  no folder  -> mkdir x"),
    ],
)
def test_a_finding_is_one_line_with_its_remedy(check, line):
    assert str(check) == line
