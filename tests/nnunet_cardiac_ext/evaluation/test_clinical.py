import numpy as np
import pytest

from nnunet_cardiac_ext.case_table import CaseRow
from nnunet_cardiac_ext.errors import UsageError
from nnunet_cardiac_ext.evaluation.clinical import (
    LV_MASS,
    case_numbers,
    clinical_numbers,
    clinical_table,
    myocardial_volume,
    phases_by_subject,
)
from nnunet_cardiac_ext.evaluation.scoring import MetricRow


def rows(case, reference, prediction):
    """Volume rows of one case from ml by structure."""
    sides = (("reference_volume", reference), ("predicted_volume", prediction))
    return [
        MetricRow(case, structure, "all", metric, value, "ml", "x", "")
        for metric, volumes in sides
        for structure, value in volumes.items()
    ]


def test_numbers_by_hand():
    found = clinical_numbers({"LV": 120.0, "RV": 150.0, "MYO": 100.0}, {"LV": 48.0, "RV": 90.0, "MYO": 104.0})
    assert found == pytest.approx(
        {
            "lv_edv": 120, "lv_esv": 48, "lv_sv": 72, "lv_ef": 60,
            "rv_edv": 150, "rv_esv": 90, "rv_sv": 60, "rv_ef": 40, "lv_mass": 105,
        }
    )  # fmt: skip


def test_ejection_fraction_without_diastolic_volume_is_nan():
    found = clinical_numbers({"LV": 0.0}, {"LV": 0.0})
    assert np.isnan(found["lv_ef"])
    assert found["lv_sv"] == 0


def test_ejection_fraction_is_not_clipped():
    assert clinical_numbers({"LV": 100.0}, {"LV": 110.0})["lv_ef"] == pytest.approx(-10)


def test_unknown_structure_is_nan():
    found = clinical_numbers({"LV": 100.0}, {"LV": 50.0})
    assert np.isnan(found["rv_ef"])
    assert np.isnan(found["lv_mass"])


def test_infarct_counts_as_myocardium():
    assert case_numbers({"MYO": 80.0, "INFARCT": 15.0, "NOREFLOW": 5.0})["lv_mass"] == pytest.approx(105)


def test_table_has_one_line_per_subject_with_three_columns_each():
    cases = [CaseRow("p1_b", "p1", phase="ES"), CaseRow("p1_a", "p1", phase="ED"), CaseRow("p1_c", "p1")]
    metrics = rows("p1_a", {"LV": 100.0}, {"LV": 110.0}) + rows("p1_b", {"LV": 50.0}, {"LV": 44.0})
    lines, header = clinical_table(metrics, cases)
    assert len(lines) == 1
    assert (lines[0]["ed_case"], lines[0]["es_case"]) == ("p1_a", "p1_b")
    assert lines[0]["lv_ef_percent_reference"] == pytest.approx(50)
    assert lines[0]["lv_ef_percent_prediction"] == pytest.approx(60)
    assert lines[0]["lv_ef_percent_difference"] == pytest.approx(10)
    assert header[3:6] == ["lv_edv_ml_reference", "lv_edv_ml_prediction", "lv_edv_ml_difference"]


def test_subject_without_scored_systole_keeps_its_diastole():
    cases = [CaseRow("a", "p1", phase="ED"), CaseRow("b", "p1", phase="ES")]
    lines, _ = clinical_table(rows("a", {"LV": 100.0}, {"LV": 90.0}), cases)
    assert lines[0]["lv_edv_ml_difference"] == pytest.approx(-10)
    assert np.isnan(lines[0]["lv_ef_percent_reference"])
    assert lines[0]["es_case"] == ""


def test_without_phases_there_is_one_line_per_case():
    lines, header = clinical_table(rows("a", {"LV": 100.0, "MYO": 100.0}, {"LV": 90.0, "MYO": 80.0}), [])
    assert lines[0]["case"] == "a"
    assert lines[0]["lv_volume_ml_difference"] == pytest.approx(-10)
    assert lines[0]["lv_mass_g_prediction"] == pytest.approx(84)
    assert header[0] == "case"


def test_lesions_of_lge_are_compared_and_absent_structures_have_no_column():
    reference = {"LV": 90.0, "MYO": 80.0, "INFARCT": 15.0, "NOREFLOW": 5.0}
    prediction = {"LV": 90.0, "MYO": 90.0, "INFARCT": 10.0, "NOREFLOW": 0.0}
    (line,), header = clinical_table(rows("a", reference, prediction), [])
    assert not [column for column in header if column.startswith("rv_")]
    assert line["infarct_mass_g_reference"] == pytest.approx(21.0)
    assert line["infarct_mass_g_difference"] == pytest.approx(-10.5)
    assert line["infarct_of_lv_mass_percent_reference"] == pytest.approx(20.0)
    assert line["infarct_of_lv_mass_percent_prediction"] == pytest.approx(10.0)
    assert line["noreflow_mass_g_difference"] == pytest.approx(-5.25)
    assert line["noreflow_of_lv_mass_percent_reference"] == pytest.approx(5.0)


def test_a_heart_of_myocardium_alone_has_its_mass_alone():
    cases = [CaseRow("a", "m1", phase="ED"), CaseRow("b", "m1", phase="ES")]
    _, header = clinical_table(rows("a", {"MYO": 0.1}, {"MYO": 0.1}) + rows("b", {"MYO": 0.1}, {"MYO": 0.1}), cases)
    assert header[3:] == ["lv_mass_g_reference", "lv_mass_g_prediction", "lv_mass_g_difference"]


def test_two_cases_of_one_phase_are_refused():
    cases = [CaseRow("a", "p1", phase="ED"), CaseRow("b", "p1", phase="ED")]
    with pytest.raises(UsageError, match=r"one ED case of p1, got a and b"):
        clinical_table(rows("a", {"LV": 1.0}, {"LV": 1.0}) + rows("b", {"LV": 1.0}, {"LV": 1.0}), cases)


def test_phases_by_subject_of_the_cases_that_are_there():
    cases = [CaseRow("b", "p1", phase="ES"), CaseRow("a", "p1", phase="ED"), CaseRow("c", "p2", phase="ED")]
    assert phases_by_subject(cases, {"a", "b"}) == {"p1": {"ED": "a", "ES": "b"}}


def test_volume_of_the_whole_myocardium():
    assert myocardial_volume({"MYO": 80.0, "INFARCT": 15.0, "LV": 100.0}) == 95
    assert np.isnan(myocardial_volume({"LV": 100.0}))


def test_columns_hold_the_unit():
    assert LV_MASS.header == "lv_mass_g"
    assert LV_MASS.column("difference") == "lv_mass_g_difference"


def test_an_animal_of_several_visits_has_a_heart_at_each():
    cases = [
        CaseRow(f"m_{day}_{phase}", "m", phase=phase, extra={"time_point": day})
        for day in ("d1", "d7")
        for phase in ("ED", "ES")
    ]
    found = phases_by_subject(cases, {case.case for case in cases})
    assert found == {f"m_{day}": {"ED": f"m_{day}_ED", "ES": f"m_{day}_ES"} for day in ("d1", "d7")}
