import os

import pytest
from helpers.label_stacks import write_study

from nnunet_cardiac_ext.errors import UsageError
from nnunet_cardiac_ext.evaluation import evaluate
from nnunet_cardiac_ext.evaluation.measure import measure
from nnunet_cardiac_ext.evaluation.reporting.sources import Given, of_evaluation, of_predictions


@pytest.fixture
def study(tmp_path):
    folders = write_study(tmp_path, subjects=1)
    evaluate(*folders, tmp_path / "out", workers=1, quiet=True)
    return tmp_path


def test_tables_beside_an_evaluation_are_taken_by_their_names(study):
    out = study / "out"
    found = of_evaluation(out, Given())
    assert found.images == study / "imagesTr"
    assert (found.measured, found.quality, found.comparison, found.classification) == ({}, None, None, None)
    measure(study / "pred", out / "measure_prediction", workers=1, quiet=True)
    for name in ("quality/quality.csv", "comparison/comparison.csv", "classification.csv"):
        (out / name).parent.mkdir(exist_ok=True)
        (out / name).touch()
    found = of_evaluation(out, Given())
    assert found.measured == {"prediction": out / "measure_prediction"}
    assert found.quality == out / "quality"
    assert found.comparison == out / "comparison"
    assert found.classification == out / "classification.csv"


def test_what_is_named_comes_first(study):
    for side in ("a", "b"):
        measure(study / "pred", study / side, workers=1, quiet=True)
    found = of_evaluation(study / "out", Given(measured=(study / "a", study / "b"), images=study / "pred"))
    assert found.measured == {"reference": study / "a", "prediction": study / "b"}
    assert found.images == study / "pred"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("images", "expected a folder with images, found none"),
        ("quality", r"that nnunet-cardiac quality wrote, found no quality\.csv"),
        ("comparison", r"that nnunet-cardiac compare wrote, found no comparison\.csv"),
        ("classification", "expected a csv, found none"),
        ("model", "expected an nnU-Net model folder, found none"),
    ],
)
def test_what_is_named_has_to_be_there(study, name, message):
    with pytest.raises(UsageError, match=message):
        of_evaluation(study / "out", Given(**{name: study / "none"}))


def test_predictions_are_measured_anew_only_where_they_are_newer(study):
    given = Given(prediction=study / "pred", images=study / "imagesTr")
    found = of_predictions(given, study / "page", quiet=True)
    assert found.case_rows["patient000_ED"].phase == "ED"
    facts = found.measured["prediction"] / "measure.json"
    before = facts.stat().st_mtime_ns
    of_predictions(given, study / "page", quiet=True)
    assert facts.stat().st_mtime_ns == before
    later = facts.stat().st_mtime + 60
    os.utime(study / "pred" / "patient000_ED.nii.gz", (later, later))
    of_predictions(given, study / "page", quiet=True)
    assert facts.stat().st_mtime_ns > before


def test_a_prediction_that_cannot_be_read_is_remarked(study):
    (study / "pred" / "patient000_ED.nii.gz").write_bytes(b"broken")
    found = of_predictions(Given(prediction=study / "pred"), study / "page", quiet=True)
    assert any("patient000_ED" in remark for remark in found.remarks)
