from pathlib import Path

import pytest
from helpers.label_stacks import write_study

from nnunet_cardiac_ext.evaluation import evaluate
from nnunet_cardiac_ext.evaluation.reporting import sections
from nnunet_cardiac_ext.evaluation.reporting.cases import CaseLine
from nnunet_cardiac_ext.evaluation.reporting.sources import Given, Sources, of_evaluation


@pytest.fixture
def alone():
    cases = tuple(f"c{k:04d}" for k in range(1500))
    return Sources(cases, {"LV": 1}, Path(), None, None, {}, None, {}, None, None, None, None)


def test_of_many_cases_the_first_are_listed_and_the_rest_counted(alone):
    lines = [CaseLine(case) for case in alone.cases]
    found = sections.sections(alone, lines, [])
    assert len(found["worth_a_look"]) + len(found["listed"]) == sections.MOST_LISTED
    assert found["listed"][0].case == "c0012"
    assert found["unlisted"] == 500


def test_without_tables_there_are_no_sections(alone):
    found = sections.sections(alone, [CaseLine("a")], [])
    for name in ("overlap", "curves", "agreements", "numbers", "bullseyes", "quality", "comparison", "classification",
                 "trainings", "groups", "facts"):  # fmt: skip
        assert not found[name]
    assert found["cine"]["figures"] == []


def test_flagged_cases_are_ranked_and_checks_counted(tmp_path):
    folders = write_study(tmp_path, subjects=1)
    evaluate(*folders, tmp_path / "out", workers=1, quiet=True)
    (tmp_path / "out" / "quality").mkdir()
    rows = ["a,,3,1,holes,hole", "b,,13,2,gap holes,gap; hole", "c,,0,0,,"]
    text = "\n".join(["case,subject,score,flags,checks,reasons", *rows]) + "\n"
    (tmp_path / "out" / "quality" / "quality.csv").write_text(text)
    sources = of_evaluation(tmp_path / "out", Given())
    quality = sections.sections(sources, [CaseLine(case) for case in sources.cases], [])["quality"]
    assert (quality["cases"], quality["flagged"]) == (3, 2)
    assert [row.case for row in quality["rows"]] == ["b", "a"]
    assert [(check["name"], check["n"]) for check in quality["checks"]] == [("holes", 2), ("gap", 1)]
    assert quality["checks"][0]["meaning"] == "A hole in a cavity, or between cavity and wall"
