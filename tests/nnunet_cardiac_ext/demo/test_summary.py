"""The demo's last words say what the tables say."""

import math

import pytest

from nnunet_cardiac_ext.demo.summary import summarise

METRICS = """case,structure,region,metric,value,unit,convention
a,LV,all,dice,0.9,1,x
b,LV,all,dice,0.8,1,x
b,LV,apex,dice,nan,1,x
a,LV,all,hd,7,mm,x
a,RV,all,dice,0.5,1,x
"""
CLINICAL = """subject,lv_ef_percent_reference,lv_ef_percent_prediction,rv_ef_percent_reference,rv_ef_percent_prediction
p1,50,56,40,40
p2,60,59,nan,40
"""
TRUTH = "patient,lv_ef,rv_ef\np1,52,41\np2,60,42\n"


@pytest.fixture
def output(tmp_path):
    (tmp_path / "evaluation").mkdir()
    (tmp_path / "evaluation" / "metrics.csv").write_text(METRICS)
    (tmp_path / "evaluation" / "clinical.csv").write_text(CLINICAL)
    return tmp_path


def test_dice_is_the_mean_of_what_is_defined(output):
    summary = summarise(output, truth=None, seconds={})
    assert summary.dice == {("LV", "all"): pytest.approx(0.85), ("RV", "all"): 0.5}


def test_without_truth_the_reference_contours_count(output):
    lv, rv = summarise(output, truth=None, seconds={}).ejection_fractions.values()
    assert (lv.errors, lv.within_tolerance, lv.mean_absolute_error) == ({"p1": 6.0, "p2": -1.0}, 1, 3.5)
    assert (rv.errors, rv.subjects) == ({"p1": 0.0}, 2)


def test_phantoms_are_compared_with_their_analytic_truth(output):
    (output / "truth.csv").write_text(TRUTH)
    lv = summarise(output, truth=output / "truth.csv", seconds={}).ejection_fractions["LV"]
    assert (lv.errors, lv.truth) == ({"p1": 4.0, "p2": -1.0}, "the analytic truth")


def test_the_text_names_numbers_and_places(output):
    text = summarise(output, truth=None, seconds={"a": 30.0, "b": 12.0}).text()
    assert "LV        0.850" in text
    assert "1 of 2 subjects within 5 points of the reference contours, mean absolute error 3.5 points" in text
    assert str(output / "report.html") in text
    assert "42 s in all" in text
    assert math.isnan(float(text.splitlines()[4].split()[-1]))
