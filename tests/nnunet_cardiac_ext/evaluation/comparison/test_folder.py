import csv
import shutil

import numpy as np
import pytest
from helpers.label_stacks import write_study

from nnunet_cardiac_ext.errors import UsageError
from nnunet_cardiac_ext.evaluation import evaluate
from nnunet_cardiac_ext.evaluation.comparison.confidence import Bootstrap
from nnunet_cardiac_ext.evaluation.comparison.folder import Choice, compare
from nnunet_cardiac_ext.evaluation.comparison.models import ComparisonSettings
from nnunet_cardiac_ext.evaluation.tables import read_evaluation

SETTINGS = ComparisonSettings(bootstrap=Bootstrap(resamples=99))


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """Two models, one off by one pixel and one by two, on three subjects with ED and ES."""
    root = tmp_path_factory.mktemp("study")
    for name, shift in (("near", 1), ("far", 2)):
        reference, prediction = write_study(root, subjects=3, shift=shift)
        evaluate(reference, prediction, root / name, workers=1, quiet=True)
    return root


@pytest.fixture
def models(study, tmp_path):
    """A copy of the evaluations for tests that change them."""
    return [shutil.copytree(study / name, tmp_path / name) for name in ("near", "far")]


def run(folders, output, **options):
    return compare(folders, output, **({"settings": SETTINGS, "quiet": True} | options))


def rows_of(path):
    with path.open(newline="") as stream:
        return list(csv.DictReader(stream))


def test_differences_are_those_of_the_metrics(study, tmp_path):
    result = run([study / "near", study / "far"], tmp_path / "out")
    found = {(row.metric, row.structure): row for row in result.rows if row.sample == "far"}
    near, far = (read_evaluation(study / name) for name in ("near", "far"))
    for metric in ("dice", "hd95"):
        expected = np.mean([far.value(case, "LV", metric) - near.value(case, "LV", metric) for case in near.cases])
        assert found[metric, "LV"].difference == pytest.approx(expected)
    assert {structure for _, structure in found} == {"RV", "MYO", "LV"}
    written = rows_of(tmp_path / "out" / "comparison.csv")
    assert [row["sample"] for row in written] == ["near", "far"] * 6
    assert float(written[1]["p_corrected"]) >= float(written[1]["p"])


def test_page_names_test_definition_and_every_line(study, tmp_path):
    run([study / "near", study / "far"], tmp_path / "out", names=["old", "new"], choice=Choice(("dice",), ("LV",)))
    page = (tmp_path / "out" / "comparison.md").read_text()
    assert "Wilcoxon signed-rank test" in page
    assert "Definition: nnunet-cardiac." in page
    assert page.count("| old |") == page.count("| new |") == 1


def test_dependent_cases_are_remarked_unless_averaged(study, tmp_path):
    folders = [study / "near", study / "far"]
    assert "6 cases of 3 subjects" in run(folders, tmp_path / "out").remarks[0]
    by_subject = ComparisonSettings(unit="subject", bootstrap=SETTINGS.bootstrap)
    result = run(folders, tmp_path / "out", settings=by_subject)
    assert not result.remarks
    assert {row.n for row in result.rows} == {3}


def test_regions_of_one_model_against_its_middle(study, tmp_path):
    choice = Choice(metrics=("dice",), structures=("LV",), between="regions")
    result = run([study / "near"], tmp_path / "out", choice=choice, settings=ComparisonSettings("welch"))
    assert [row.sample for row in result.rows] == ["near, middle", "near, base", "near, apex"]
    assert [row.baseline for row in result.rows] == ["", "near, middle", "near, middle"]


def test_baseline_may_be_another_model(study, tmp_path):
    result = run([study / "near", study / "far"], tmp_path / "out", baseline="far")
    assert {row.baseline for row in result.rows if row.sample == "near"} == {"far"}


def test_cases_that_one_model_lacks_are_remarked(models, tmp_path):
    table = models[1] / "metrics.csv"
    lines = table.read_text().splitlines(keepends=True)
    table.write_text("".join(line for line in lines if not line.startswith("patient002_ES")))
    result = run(models, tmp_path / "out")
    assert result.remarks[0] == "far: 1 of 6 cases are missing; paired comparisons use the cases of both"
    assert {row.n_pairs for row in result.rows if row.baseline} == {5}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"baseline": "nobody"}, "--baseline: expected one of near, far, got 'nobody'"),
        ({"choice": Choice(metrics=("dica",))}, r"--metric: expected one of dice, .* \(near\), got 'dica'"),
        ({"choice": Choice(structures=("LA",))}, r"--structures: expected one of RV, MYO, LV \(near\), got 'LA'"),
        ({"choice": Choice(between="hearts")}, "--between: expected one of models, regions, got 'hearts'"),
        ({"choice": Choice(("hd95",), regions=("apex",))}, "nothing to compare"),
    ],
)
def test_wrong_use(study, tmp_path, options, message):
    with pytest.raises(UsageError, match=message):
        run([study / "near", study / "far"], tmp_path / "out", **options)


def test_one_model_cannot_be_compared_with_itself(study, tmp_path):
    with pytest.raises(UsageError, match="-i: expected at least 2 evaluations, got 1"):
        run([study / "near"], tmp_path / "out")
