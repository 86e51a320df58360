import csv
import json
import math

import numpy as np
import pytest
from helpers.label_stacks import heart, write_study, write_volume

from nnunet_cardiac_ext.errors import UsageError, WorkError
from nnunet_cardiac_ext.evaluation import evaluate, report

METRIC_COLUMNS = ["case", "structure", "region", "metric", "value", "unit", "convention", "reason"]
SUMMARY_COLUMNS = [
    "column", "group", "structure", "region", "metric", "unit", "convention",
    "n", "n_undefined", "mean", "sd", "median", "q1", "q3",
]  # fmt: skip


def read(path):
    with path.open(newline="") as stream:
        return list(csv.DictReader(stream))


def test_tables_have_fixed_columns(tmp_path):
    evaluate(*write_study(tmp_path), tmp_path / "out", workers=1, quiet=True)
    assert list(read(tmp_path / "out" / "metrics.csv")[0]) == METRIC_COLUMNS
    assert list(read(tmp_path / "out" / "summary.csv")[0]) == SUMMARY_COLUMNS
    clinical = list(read(tmp_path / "out" / "clinical.csv")[0])
    assert clinical[:4] == ["subject", "ed_case", "es_case", "lv_edv_ml_reference"]
    assert list(read(tmp_path / "out" / "profiles.csv")[0]) == ["case", "structure", *map(str, range(101))]


def test_numbers_of_a_case_are_those_of_its_masks(tmp_path):
    result = evaluate(*write_study(tmp_path, subjects=1), tmp_path / "out", workers=1, quiet=True)
    reference, prediction = heart() == 3, heart(shift=1) == 3
    expected = 2 * (reference & prediction).sum() / (reference.sum() + prediction.sum())
    found = [row for row in read(tmp_path / "out" / "metrics.csv") if row["case"] == "patient000_ED"]
    dice = {(row["structure"], row["region"]): row["value"] for row in found if row["metric"] == "dice"}
    assert float(dice["LV", "all"]) == pytest.approx(expected, abs=1e-15)
    volumes = [heart(slices=slices) == 3 for slices in (6, 5)]
    ml = [mask.sum() * 10 * 2 * 1 / 1000 for mask in volumes]
    clinical = read(tmp_path / "out" / "clinical.csv")[0]
    assert float(clinical["lv_edv_ml_reference"]) == pytest.approx(ml[0])
    assert float(clinical["lv_ef_percent_reference"]) == pytest.approx(100 * (ml[0] - ml[1]) / ml[0])
    both = [float(row["value"]) for row in read(tmp_path / "out" / "metrics.csv")
            if (row["structure"], row["region"], row["metric"]) == ("LV", "all", "dice")]  # fmt: skip
    assert result.mean("dice", "LV") == pytest.approx(np.mean(both))
    assert math.isnan(result.mean("dice", "LV", "nowhere"))


@pytest.mark.slow
def test_two_processes_write_the_same_bytes_as_one(tmp_path):
    folders = write_study(tmp_path)
    evaluate(*folders, tmp_path / "one", workers=1, quiet=True)
    evaluate(*folders, tmp_path / "two", workers=2, quiet=True)
    for name in ("metrics.csv", "summary.csv", "clinical.csv", "profiles.csv"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_summary_by_group(tmp_path):
    evaluate(*write_study(tmp_path), tmp_path / "out", by=["group", "phase"], workers=1, quiet=True)
    rows = read(tmp_path / "out" / "summary.csv")
    assert [*dict.fromkeys((row["column"], row["group"]) for row in rows)] == [
        ("", "all"), ("group", "HCM"), ("group", "NOR"), ("phase", "ED"), ("phase", "ES"),
    ]  # fmt: skip


def test_only_predicted_cases_are_scored_and_the_rest_is_listed(tmp_path):
    reference, prediction = write_study(tmp_path)
    (prediction / "patient001_ED.nii.gz").rename(prediction / "stranger.nii.gz")
    result = evaluate(reference, prediction, tmp_path / "out", workers=1, quiet=True)
    assert result.cases == ("patient000_ED", "patient000_ES", "patient001_ES")
    assert result.unpredicted == ("patient001_ED",)
    assert result.remarks == ["stranger: predicted, but there is no reference; left out"]
    assert not result.failures
    facts = json.loads((tmp_path / "out" / "evaluation.json").read_text())
    assert facts["unpredicted"] == ["patient001_ED"]
    clinical = {row["subject"]: row for row in read(tmp_path / "out" / "clinical.csv")}
    assert clinical["patient001"]["lv_ef_percent_prediction"] == "nan"


def test_wrong_shape_fails_that_case_alone(tmp_path):
    reference, prediction = write_study(tmp_path)
    write_volume(prediction / "patient000_ES.nii.gz", heart(slices=4))
    result = evaluate(reference, prediction, tmp_path / "out", workers=1, quiet=True)
    assert list(result.failures) == ["patient000_ES"]
    assert result.failures["patient000_ES"].endswith(
        "expected 5 x 24 x 24 voxels (slice, row, column) as in the reference, got 4 x 24 x 24"
    )
    assert len(result.cases) == 3


def test_other_spacing_is_remarked_and_the_reference_counts(tmp_path):
    reference, prediction = write_study(tmp_path, subjects=1)
    expected = evaluate(reference, prediction, tmp_path / "before", workers=1, quiet=True)
    write_volume(prediction / "patient000_ED.nii.gz", heart(shift=1), spacing=(1, 1, 1))
    result = evaluate(reference, prediction, tmp_path / "out", workers=1, quiet=True)
    assert "spacing 1 x 1 x 1 mm differs from the reference's 10 x 2 x 1 mm, which was used" in result.remarks[0]
    assert [row.value for row in result.metrics] == pytest.approx([row.value for row in expected.metrics], nan_ok=True)


def test_cases_without_a_line_in_the_case_table_are_remarked(tmp_path):
    reference, prediction = write_study(tmp_path)
    table = tmp_path / "cases.csv"
    table.write_text("".join(table.read_text().splitlines(keepends=True)[:3]))
    result = evaluate(reference, prediction, tmp_path / "out", workers=1, quiet=True)
    assert result.remarks == ["patient001_ED and 1 more: no line in the case table, so in no group and without a phase"]
    assert [row["subject"] for row in read(tmp_path / "out" / "clinical.csv")] == ["patient000"]


def test_an_interrupted_second_evaluation_is_not_taken_for_the_first(tmp_path, monkeypatch):
    folders = write_study(tmp_path, subjects=1)
    evaluate(*folders, tmp_path / "out", workers=1, quiet=True)

    def killed(path, *arguments):
        assert path.name == "metrics.csv"
        raise KeyboardInterrupt

    monkeypatch.setattr("nnunet_cardiac_ext.evaluation.folder.write_csv", killed)
    with pytest.raises(KeyboardInterrupt):
        evaluate(*folders, tmp_path / "out", workers=1, quiet=True)
    with pytest.raises(UsageError, match=r"evaluation\.json: cannot be read"):
        report(tmp_path / "out", quiet=True)


def test_nothing_is_written_when_no_case_can_be_scored(tmp_path):
    reference, prediction = write_study(tmp_path, subjects=1)
    for path in prediction.iterdir():
        path.write_bytes(b"broken")
    with pytest.raises(WorkError, match=r"no case could be scored; the first: .*cannot be read as an image"):
        evaluate(reference, prediction, tmp_path / "out", workers=1, quiet=True)
    assert not (tmp_path / "out").exists()


def test_unknown_column_is_refused_before_any_scoring(tmp_path):
    reference, prediction = write_study(tmp_path, subjects=1)
    (prediction / "patient000_ED.nii.gz").write_bytes(b"broken")
    with pytest.raises(UsageError, match="--by scanner: expected a column"):
        evaluate(reference, prediction, tmp_path / "out", by=["scanner"], workers=1, quiet=True)


def test_two_cases_of_one_phase_are_refused_before_any_scoring(tmp_path):
    reference, prediction = write_study(tmp_path, subjects=1)
    table = tmp_path / "cases.csv"
    table.write_text(table.read_text().replace(",ES,", ",ED,"))
    (prediction / "patient000_ED.nii.gz").write_bytes(b"broken")
    with pytest.raises(UsageError, match="expected one ED case of patient000, got patient000_ED and patient000_ES"):
        evaluate(reference, prediction, tmp_path / "out", workers=1, quiet=True)


def test_zero_workers_are_refused(tmp_path):
    with pytest.raises(UsageError, match="at least 1 process, got 0"):
        evaluate(*write_study(tmp_path, subjects=1), tmp_path / "out", workers=0, quiet=True)


def test_without_case_table_volumes_are_given_per_case(tmp_path):
    reference, prediction = write_study(tmp_path, subjects=1)
    (tmp_path / "cases.csv").unlink()
    evaluate(reference, prediction, tmp_path / "out", workers=1, quiet=True)
    rows = read(tmp_path / "out" / "clinical.csv")
    assert [row["case"] for row in rows] == ["patient000_ED", "patient000_ES"]
    expected = (heart() == 1).sum() * 20 / 1000
    assert float(rows[0]["rv_volume_ml_reference"]) == pytest.approx(expected)


@pytest.mark.real_data
def test_golden_table_of_the_mnms_organisers(real_data, tmp_path):
    source = real_data / "reference" / "mnms_predictions"
    for kind in ("gt", "pred"):
        (tmp_path / kind).mkdir()
        for path in source.glob(f"*_{kind}.nii.gz"):
            (tmp_path / kind / path.name.replace(f"_{kind}", "")).symlink_to(path)
    labels = {"LV": 1, "MYO": 2, "RV": 3}
    result = evaluate(tmp_path / "gt", tmp_path / "pred", tmp_path / "out", labels=labels, workers=1, quiet=True)
    found = {(row.case, row.structure, row.metric): row.value for row in result.metrics if row.region == "all"}
    names = {"Dice": "dice", "Jaccard": "jaccard", "Hausdorff": "hd", "ASSD": "assd"}
    golden = {
        (row["Name"].removesuffix("_gt"), structure, metric): float(row[f"{title} {structure}"])
        for row in read(real_data / "reference" / "mnms_metrics.csv")
        for title, metric in names.items()
        for structure in labels
    }
    assert len(golden) == 8 * 4 * 3
    assert {key: found[key] for key in golden} == pytest.approx(golden, rel=0, abs=1e-9)
