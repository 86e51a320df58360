import pytest

from nnunet_cardiac_ext.evaluation.reporting.words import count, difference_unit, number, significant, unit_name


@pytest.mark.parametrize(
    ("value", "digits", "signed", "text"),
    [
        (0.876, 2, False, "0.88"),
        (-1.25, 1, False, "−1.2"),
        (3.14, 1, True, "+3.1"),
        (-0.04, 1, True, "0.0"),
        (0.04, 1, True, "0.0"),
        (float("nan"), 2, False, "–"),
    ],
)
def test_numbers_for_the_eye(value, digits, signed, text):
    assert number(value, digits, signed=signed) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.00161, "0.00161"), (0.7657, "0.766"), (12345.6, "12346"), (-1.5, "−1.50"), (0, "0"), (2.5e-7, "2.50e−07"),
     (float("nan"), "–")],
)  # fmt: skip
def test_significant_digits(value, text):
    assert significant(value) == text


def test_counts_have_their_noun():
    assert count(1, "image") == "1 image"
    assert count(5000, "image") == "5\u202f000 images"
    assert count(2, "index", "indices") == "2 indices"


def test_units_as_people_write_them():
    assert (unit_name("percent"), unit_name("g_per_m2"), unit_name("new_unit")) == ("%", "g/m²", "new unit")
    assert (difference_unit("percent"), difference_unit("percent_of_lv_mass"), difference_unit("ml")) == (
        "points", "points", "ml",
    )  # fmt: skip
