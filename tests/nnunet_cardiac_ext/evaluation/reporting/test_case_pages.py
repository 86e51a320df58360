import pytest
from helpers.label_stacks import write_study

from nnunet_cardiac_ext.errors import WorkError
from nnunet_cardiac_ext.evaluation.reporting import case_pages
from nnunet_cardiac_ext.evaluation.reporting.cases import CaseLine
from nnunet_cardiac_ext.evaluation.reporting.sources import Sources

LABELS = {"RV": 1, "MYO": 2, "LV": 3}


@pytest.fixture
def sources(tmp_path):
    _, prediction = write_study(tmp_path, subjects=2)
    cases = tuple(sorted(path.name.removesuffix(".nii.gz") for path in prediction.iterdir()))
    return Sources(cases, LABELS, prediction, None, None, {}, None, {}, None, None, None, None)


def write(tmp_path, sources):
    lines = [CaseLine(case) for case in sources.cases]
    return case_pages.write_case_pages(tmp_path / "report.html", sources, lines, title="T", quiet=True)


def test_pages_hold_all_cases_in_order_and_lead_to_each_other(tmp_path, sources, monkeypatch):
    monkeypatch.setattr(case_pages, "CASES_PER_PAGE", 3)
    pages = write(tmp_path, sources)
    assert [page["address"] for page in pages] == ["report_cases/cases_001.html", "report_cases/cases_002.html"]
    assert (pages[1]["first"], pages[1]["last"]) == (sources.cases[3], sources.cases[3])
    first, second = ((tmp_path / page["address"]).read_text("utf-8") for page in pages)
    assert [case for case in sources.cases if f"<h3>{case}</h3>" in first] == list(sources.cases[:3])
    assert 'href="cases_002.html">Next' in first
    assert 'href="cases_001.html">Previous' in second
    assert "Next</a>" not in second


def test_fewer_pages_replace_more(tmp_path, sources, monkeypatch):
    monkeypatch.setattr(case_pages, "CASES_PER_PAGE", 1)
    write(tmp_path, sources)
    monkeypatch.setattr(case_pages, "CASES_PER_PAGE", 9)
    write(tmp_path, sources)
    assert [path.name for path in (tmp_path / "report_cases").iterdir()] == ["cases_001.html"]


def test_interrupted_the_earlier_pages_stay_and_nothing_is_left_behind(tmp_path, sources, monkeypatch):
    write(tmp_path, sources)
    before = (tmp_path / "report_cases" / "cases_001.html").read_bytes()

    def interrupt(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(case_pages, "draw_heart", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write(tmp_path, sources)
    assert (tmp_path / "report_cases" / "cases_001.html").read_bytes() == before
    assert not list(tmp_path.glob(".*report_cases"))


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path, sources):
    (tmp_path / "file").touch()
    with pytest.raises(WorkError, match="report_cases: cannot be written"):
        case_pages.write_case_pages(
            tmp_path / "file" / "report.html", sources, [CaseLine(sources.cases[0])], title="T", quiet=True
        )
