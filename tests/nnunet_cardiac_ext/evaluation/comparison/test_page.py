import pytest

from nnunet_cardiac_ext.evaluation.comparison.confidence import Bootstrap
from nnunet_cardiac_ext.evaluation.comparison.models import ComparisonSettings, Measured, compare_samples, corrected
from nnunet_cardiac_ext.evaluation.comparison.page import markdown, p_text


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.5, "0.500"), (0.0341, "0.034"), (0.0012, "0.0012"), (1e-9, "< 0.0001"), (float("nan"), "-")],
)
def test_p_values_as_papers_print_them(value, text):
    assert p_text(value) == text


def test_a_line_by_hand():
    settings = ComparisonSettings("paired-t", "none", bootstrap=Bootstrap(resamples=99))
    samples = {"A": {"x": 1.0, "y": 2.0, "z": 3.0}, "B": {"x": 2.0, "y": 4.0, "z": 6.0}}
    rows = compare_samples(Measured("hd95", "LV", "all", "mm", "ours"), samples, "A", {}, settings)
    page = markdown(corrected(rows, "none"), settings, ["mind the gap"])
    assert "- **Note:** mind the gap." in page
    assert "## hd95 (mm), LV, all" in page
    assert "| A | 3 (0) | 2 ± 1 | 2 | baseline | | | | |" in page
    assert "| B | 3 (0) | 4 ± 2 | 4 | +2 [" in page
    assert "| 0.074 | 0.074 | +2.00 | 3 (0) |" in page


@pytest.mark.parametrize(("method", "word"), [("bca", "BCa"), ("percentile", "percentile")])
def test_the_page_says_how_the_interval_was_drawn(method, word):
    settings = ComparisonSettings(bootstrap=Bootstrap(0.9, method, resamples=77, seed=5))
    page = markdown([], settings, [])
    assert f"with its 90 % interval ({word} bootstrap, 77 draws of subjects, seed 5)" in page


def test_a_missing_p_value_says_why():
    settings = ComparisonSettings("paired-t")
    measured = Measured("dice", "LV", "all", "1", "ours")
    rows = compare_samples(measured, {"A": {"x": 1.0}, "B": {"x": 1.0}}, "A", {}, settings)
    assert "- (fewer than two values)" in markdown(rows, settings, [])
