import pytest
from jinja2 import UndefinedError

from nnunet_cardiac_ext.evaluation.reporting.render import render


def test_text_is_escaped_and_the_style_is_part_of_the_page():
    page = render(
        "cases.html.j2", title="a < b", hearts=[], structures=[], number=0, pages=[{}], report="r", has_reference=True
    )
    assert "<title>a &lt; b</title>" in page
    assert "prefers-color-scheme: dark" in page


def test_what_a_template_lacks_is_an_error_and_no_gap():
    with pytest.raises(UndefinedError):
        render("cases.html.j2", title="x")
