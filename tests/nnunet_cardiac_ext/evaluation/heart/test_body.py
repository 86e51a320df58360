import math

import pytest

from nnunet_cardiac_ext.case_table import CaseRow
from nnunet_cardiac_ext.evaluation.heart.body import Body, body_of


def row(**extra):
    return CaseRow("a", "p", extra=extra)


def test_surface_of_an_adult_and_a_child():
    assert Body(180, 80).surface_m2 == pytest.approx(2.0)
    assert Body(100, 16).surface_m2 == pytest.approx(2 / 3)


def test_columns_are_read_and_the_first_usable_value_counts():
    body = body_of([row(height_cm="", weight_kg="NA"), row(height_cm="170", weight_kg="70.5", heart_rate_bpm="60")])
    assert (body.height_cm, body.weight_kg, body.heart_rate_bpm) == (170, 70.5, 60)


@pytest.mark.parametrize("text", ["", "nan", "0", "-3", "unknown", "inf"])
def test_what_is_no_positive_number_is_unknown(text):
    body = body_of([row(height_cm=text, weight_kg="70")])
    assert math.isnan(body.surface_m2)
    assert body.missing("height_cm", "weight_kg") == "no height_cm"


def test_nothing_known():
    assert body_of([]).missing("height_cm", "heart_rate_bpm") == "no height_cm, no heart_rate_bpm"
