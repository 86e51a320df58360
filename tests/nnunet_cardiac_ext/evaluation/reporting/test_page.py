import re
from html.parser import HTMLParser

import pytest
from helpers.label_stacks import heart, write_study, write_volume

from nnunet_cardiac_ext.errors import UsageError
from nnunet_cardiac_ext.evaluation import evaluate, report
from nnunet_cardiac_ext.evaluation.metrics import METRICS

VOID = {"meta", "br", "img", "link", "input", "hr"}


class Page(HTMLParser):
    """Collects tags, attributes that could load something, and whether every tag is closed."""

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.links = [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self.links += [value for name, value in attrs if name in {"src", "href", "xlink:href", "srcset", "data"}]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    root = tmp_path_factory.mktemp("study")
    evaluate(*write_study(root, subjects=3), root / "out", by=["group"], workers=1, quiet=True)
    return root


@pytest.fixture(scope="module")
def page(study):
    return report(study / "out", title="Two hearts & more", quiet=True).read_text(encoding="utf-8")


def test_page_is_well_formed_and_loads_nothing_from_outside(page):
    parsed = Page(page)
    assert parsed.open == []
    assert parsed.links
    assert all(link.startswith(("data:", "#")) for link in parsed.links)
    assert not {"script", "link", "iframe", "img"} & {tag for tag, _ in parsed.tags}
    assert not re.search(r"@import|url\((?!#|\"#|'#)", page)


def test_page_says_what_was_evaluated(page):
    assert "<h1>Two hearts &amp; more</h1>" in page
    assert "3 subjects, 6 images" in page
    assert "nnunet-cardiac evaluate -ref" in page
    for metric in METRICS.values():
        assert metric.definition.split(".")[0].replace("&", "&amp;") in page


def test_page_shows_every_slice_of_three_cases_with_both_contours(page):
    slices = [attributes for tag, attributes in Page(page).tags if attributes.get("class") == "slice"]
    assert 3 * 5 <= len(slices) <= 3 * 6
    assert all("slice" in attributes["aria-label"] for attributes in slices)
    assert page.count('class="reference"') == page.count('class="predicted"') == 3 * len(slices)
    for place in ("Best case", "Median case", "Worst case"):
        assert place in page


def test_page_has_curves_agreement_groups_and_a_ranking(page):
    pictures = [found for tag, found in Page(page).tags if tag == "svg" and found.get("class") != "slice"]
    figures = [found["aria-label"] for found in pictures if "role" in found]
    assert sum("from base to apex" in label for label in figures) == 3
    assert sum("LV EF" in label for label in figures) == 2
    assert "By group" in page
    assert "Cases worth a look" in page
    assert page.count("patient00") > 6


def test_page_adapts_to_dark_screens_narrow_screens_and_paper(page):
    for rule in ("prefers-color-scheme: dark", "@media print", "max-width: 30rem", 'name="viewport"'):
        assert rule in page


def test_page_stays_small(page):
    assert len(page.encode()) < 1_500_000


def test_every_figure_has_ids_of_its_own(page):
    parsed = Page(page)
    ids = [attributes["id"] for _, attributes in parsed.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    references = [link[1:] for link in parsed.links if link.startswith("#")] + re.findall(r"url\(#([^)]*)\)", page)
    assert set(references) == set(ids)


def test_page_appears_where_it_is_asked_for(study, tmp_path):
    path = report(study / "out", output=tmp_path / "new" / "page.html", quiet=True)
    assert path == tmp_path / "new" / "page.html"
    assert path.is_file()


def test_page_of_one_case_without_images_phases_or_groups(tmp_path):
    reference, prediction = write_study(tmp_path, subjects=1)
    (tmp_path / "cases.csv").unlink()
    (prediction / "patient000_ES.nii.gz").unlink()
    for path in (tmp_path / "imagesTr").iterdir():
        path.unlink()
    (tmp_path / "imagesTr").rmdir()
    evaluate(reference, prediction, tmp_path / "out", workers=1, quiet=True)
    page = report(tmp_path / "out", quiet=True).read_text(encoding="utf-8")
    assert "Only case" in page
    assert "1 reference image has no prediction" in page
    assert "Volumes and ejection fraction" not in page
    assert "nan" not in re.sub(r"<[^>]*>|\s+", " ", page[page.index("<body") :])


def test_failures_and_missing_files_are_said_on_the_page(tmp_path):
    reference, prediction = write_study(tmp_path, subjects=1)
    (prediction / "patient000_ES.nii.gz").write_bytes(b"broken")
    evaluate(reference, prediction, tmp_path / "out", workers=1, quiet=True)
    (prediction / "patient000_ED.nii.gz").unlink()
    page = report(tmp_path / "out", quiet=True).read_text(encoding="utf-8")
    assert "1 image could not be scored" in page
    assert page.count("cannot be read as an image") == 2


def test_a_folder_that_is_no_evaluation_is_refused(tmp_path):
    with pytest.raises(UsageError, match=r"evaluation\.json: cannot be read"):
        report(tmp_path, quiet=True)


def test_spoiled_tables_and_absent_folders_are_one_line_errors(tmp_path):
    evaluate(*write_study(tmp_path, subjects=1), tmp_path / "out", workers=1, quiet=True)
    with pytest.raises(UsageError, match="expected a folder with images"):
        report(tmp_path / "out", images=tmp_path / "none", quiet=True)
    metrics = tmp_path / "out" / "metrics.csv"
    metrics.write_text(metrics.read_text().replace("unit", "units", 1))
    with pytest.raises(UsageError, match=r"metrics\.csv: expected the columns case, structure"):
        report(tmp_path / "out", quiet=True)
    (tmp_path / "out" / "evaluation.json").write_text("{}")
    with pytest.raises(UsageError, match=r"evaluation\.json: expected the keys by, command"):
        report(tmp_path / "out", quiet=True)


def test_image_of_another_shape_is_said_on_the_page(tmp_path):
    evaluate(*write_study(tmp_path, subjects=1), tmp_path / "out", workers=1, quiet=True)
    for path in (tmp_path / "imagesTr").iterdir():
        write_volume(path, heart(slices=3))
    page = report(tmp_path / "out", quiet=True).read_text(encoding="utf-8")
    assert page.count("as in the reference, got 3 x 24 x 24") == 2


def test_predictions_of_another_shape_than_those_evaluated_are_said_on_the_page(tmp_path):
    reference, prediction = write_study(tmp_path, subjects=1)
    evaluate(reference, prediction, tmp_path / "out", workers=1, quiet=True)
    for path in prediction.iterdir():
        write_volume(tmp_path / "other" / path.name, heart(slices=3))
    page = report(tmp_path / "out", prediction=tmp_path / "other", quiet=True).read_text(encoding="utf-8")
    assert page.count("as in the reference, got 3 x 24 x 24") == 2
