import math

import pytest

from nnunet_cardiac_ext.evaluation.heart.body import Body
from nnunet_cardiac_ext.evaluation.heart.numbers import SUBJECT_QUANTITIES, subject_numbers

DIASTOLE = {"LV": 150.0, "RV": 160.0, "MYO": 100.0}
SYSTOLE = {"LV": 60.0, "RV": 80.0, "MYO": 104.0}


def test_numbers_by_hand():
    found = subject_numbers(DIASTOLE, SYSTOLE, Body(180, 80, 70))  # 2 m2
    assert found.values == pytest.approx(
        {
            "body_surface": 2, "heart_rate": 70,
            "lv_edv": 150, "lv_esv": 60, "lv_sv": 90, "lv_ef": 60, "rv_edv": 160, "rv_esv": 80, "rv_sv": 80,
            "rv_ef": 50, "lv_mass": 105, "lv_co": 6.3, "rv_co": 5.6,
            "lv_edv_index": 75, "lv_esv_index": 30, "lv_sv_index": 45, "rv_edv_index": 80, "rv_esv_index": 40,
            "rv_sv_index": 40, "lv_mass_index": 52.5, "lv_co_index": 3.15, "rv_co_index": 2.8,
        }
    )  # fmt: skip
    assert found.reasons == {}
    assert found.reason == ""


def test_units_stand_in_the_headers():
    headers = {quantity.header for quantity in SUBJECT_QUANTITIES}
    assert headers >= {"lv_edv_ml", "lv_ef_percent", "lv_mass_g", "lv_co_l_per_min", "lv_edv_index_ml_per_m2"}
    assert headers >= {"lv_mass_index_g_per_m2", "lv_co_index_l_per_min_per_m2", "body_surface_m2"}
    assert "lv_ef_index_percent_per_m2" not in headers


def test_every_undefined_number_has_a_reason():
    found = subject_numbers(DIASTOLE, SYSTOLE, Body())
    assert {name for name, value in found.values.items() if math.isnan(value)} == found.reasons.keys()
    assert found.reasons["lv_co"] == "no heart_rate_bpm"
    assert found.reasons["lv_edv_index"] == "no height_cm, no weight_kg"
    assert found.reasons["lv_co_index"] == "no heart_rate_bpm, no height_cm, no weight_kg"
    assert "no heart_rate_bpm (heart_rate, lv_co, rv_co)" in found.reason


def test_absent_images_labels_and_volumes_are_told_apart():
    body = Body(180, 80, 70)
    no_systole = subject_numbers(DIASTOLE, None, body)
    assert no_systole.values["lv_edv"] == 150
    assert no_systole.reasons["lv_ef"] == "no ES image"
    assert "lv_mass" not in no_systole.reasons
    no_right = subject_numbers({"LV": 0.0, "MYO": 1.0}, {"LV": 0.0, "MYO": 1.0}, body)
    assert no_right.reasons["rv_edv_index"] == "no RV label"
    assert no_right.reasons["lv_ef"] == "EDV is 0"
    assert subject_numbers(None, SYSTOLE, body).reasons["lv_mass"] == "no ED image"
    assert subject_numbers({"LV": 1.0}, {"LV": 1.0}, body).reasons["lv_mass"] == "no MYO label"


def test_ejection_fraction_is_never_clipped():
    assert subject_numbers(SYSTOLE, DIASTOLE, Body()).values["lv_ef"] == pytest.approx(-150)
