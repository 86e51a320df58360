from nnunet_cardiac_ext.data import open_cases
from nnunet_cardiac_ext.data.open_cases import OpenCases


def test_as_many_cases_as_allowed_are_opened_once_and_all_others_each_time(monkeypatch):
    monkeypatch.setattr(open_cases, "KEPT_OPEN", 2)
    opened = []
    cases = OpenCases(lambda name: opened.append(name) or name.upper())
    assert [cases[name] for name in "abcabc"] == list("ABCABC")
    assert opened == ["a", "b", "c", "c"]
