import csv
import json
import math

import numpy as np
import pytest
from helpers.label_stacks import heart, write_study, write_volume

from nnunet_cardiac_ext.errors import UsageError, WorkError
from nnunet_cardiac_ext.evaluation import evaluate, report
from nnunet_cardiac_ext.evaluation.scoring_pool import score_files

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
    before = (tmp_path / "out" / "metrics.csv").read_bytes()
    monkeypatch.setattr("nnunet_cardiac_ext.evaluation.folder_tables.write_csv", interrupt)
    with pytest.raises(KeyboardInterrupt):
        evaluate(*folders, tmp_path / "out", labels={"LV": 3}, workers=1, quiet=True)
    assert (tmp_path / "out" / "metrics.csv").read_bytes() != before
    with pytest.raises(UsageError, match=r"evaluation\.json: cannot be read"):
        report(tmp_path / "out", quiet=True)


def interrupt(*_, **__):
    raise KeyboardInterrupt


class Scorer:
    """Scores as the real one does, counts, and stops before a given call as Ctrl-C would."""

    def __init__(self, monkeypatch, stop_before=None):
        self.scored, self._stop_before = [], stop_before
        self._real = score_files
        monkeypatch.setattr("nnunet_cardiac_ext.evaluation.scoring_pool.score_files", self)

    def __call__(self, case, *arguments):
        if len(self.scored) == self._stop_before:
            raise KeyboardInterrupt
        self.scored.append(case)
        return self._real(case, *arguments)


CASES = ["patient000_ED", "patient000_ES", "patient001_ED", "patient001_ES"]
TABLES = ("metrics.csv", "summary.csv", "clinical.csv", "profiles.csv", "slices.csv")


def stopped_after_two(tmp_path, monkeypatch, folders, **options):
    with monkeypatch.context() as patch:
        Scorer(patch, stop_before=2)
        with pytest.raises(KeyboardInterrupt):
            evaluate(*folders, tmp_path / "out", workers=1, quiet=True, **options)


def test_an_interrupted_evaluation_goes_on_where_it_stopped(tmp_path, monkeypatch):
    folders = write_study(tmp_path)
    evaluate(*folders, tmp_path / "expected", slices=True, workers=1, quiet=True)
    stopped_after_two(tmp_path, monkeypatch, folders, slices=True)
    assert [path.name for path in (tmp_path / "out").iterdir()] == [".evaluation"]
    scorer = Scorer(monkeypatch)
    result = evaluate(*folders, tmp_path / "out", slices=True, workers=1, quiet=True)
    assert scorer.scored == CASES[2:]
    assert result.cases == tuple(CASES)
    for name in TABLES:
        assert (tmp_path / "out" / name).read_bytes() == (tmp_path / "expected" / name).read_bytes()
    assert not (tmp_path / "out" / ".evaluation").exists()


def test_a_prediction_that_changed_meanwhile_is_scored_again(tmp_path, monkeypatch):
    folders = write_study(tmp_path)
    stopped_after_two(tmp_path, monkeypatch, folders)
    write_volume(folders[1] / f"{CASES[0]}.nii.gz", heart())
    scorer = Scorer(monkeypatch)
    result = evaluate(*folders, tmp_path / "out", workers=1, quiet=True)
    assert scorer.scored == [CASES[0], *CASES[2:]]
    wanted = ("LV", "all", "dice")
    dice = {row.case: row.value for row in result.metrics if (row.structure, row.region, row.metric) == wanted}
    assert dice[CASES[0]] == 1
    assert dice[CASES[1]] < 1


def test_other_settings_start_anew(tmp_path, monkeypatch):
    folders = write_study(tmp_path)
    stopped_after_two(tmp_path, monkeypatch, folders)
    scorer = Scorer(monkeypatch)
    evaluate(*folders, tmp_path / "out", scheme="thirds", workers=1, quiet=True)
    assert scorer.scored == CASES
    assert not (tmp_path / "out" / ".evaluation").exists()


def test_a_repaired_file_alone_is_scored_and_a_whole_evaluation_starts_anew(tmp_path, monkeypatch):
    folders = write_study(tmp_path)
    good = (folders[1] / f"{CASES[1]}.nii.gz").read_bytes()
    (folders[1] / f"{CASES[1]}.nii.gz").write_bytes(b"broken")
    assert list(evaluate(*folders, tmp_path / "out", workers=1, quiet=True).failures) == [CASES[1]]
    (folders[1] / f"{CASES[1]}.nii.gz").write_bytes(good)
    scorer = Scorer(monkeypatch)
    assert evaluate(*folders, tmp_path / "out", workers=1, quiet=True).cases == tuple(CASES)
    assert scorer.scored == [CASES[1]]
    evaluate(*folders, tmp_path / "out", workers=1, quiet=True)
    assert scorer.scored == [CASES[1], *CASES]


def test_structures_named_by_labels_are_scored_alone(tmp_path):
    folders = write_study(tmp_path, subjects=1)
    whole = evaluate(*folders, tmp_path / "whole", workers=1, quiet=True)
    result = evaluate(*folders, tmp_path / "out", labels={"LV": 3}, workers=1, quiet=True)
    assert result.remarks == ["label values 1, 2 are not named by --labels; they were taken for background"]
    assert {row.structure for row in result.metrics} == {"LV"}
    for metric in ("dice", "hd95", "specificity"):
        assert result.mean(metric, "LV") == whole.mean(metric, "LV")


def test_the_report_shows_what_was_scored_and_our_convention(tmp_path):
    folders = write_study(tmp_path, subjects=1)
    evaluate(*folders, tmp_path / "plain", labels={"LV": 3}, workers=1, quiet=True)
    both = ("nnunet-cardiac", "mnms")
    evaluate(*folders, tmp_path / "out", labels={"LV": 3}, conventions=both, workers=1, quiet=True)
    pages = [report(tmp_path / name, quiet=True).read_text(encoding="utf-8") for name in ("plain", "out")]
    assert "expected the labels" not in pages[0]
    tables = [page[page.index("<table") : page.index("</table>")] for page in pages]
    assert tables[0] == tables[1]


def test_a_report_without_our_convention_is_one_line(tmp_path):
    folders = write_study(tmp_path, subjects=1)
    evaluate(*folders, tmp_path / "out", conventions=("mnms",), workers=1, quiet=True)
    with pytest.raises(UsageError, match="by the convention nnunet-cardiac, found no assd, dice"):
        report(tmp_path / "out", quiet=True)


def test_conventions_scheme_and_choices_are_named_in_the_facts(tmp_path):
    folders = write_study(tmp_path, subjects=1)
    result = evaluate(
        *folders, tmp_path / "out", conventions=("nnunet-cardiac", "acdc"), metrics=("dice", "nsd"), scheme="thirds",
        nsd_tolerance=1, workers=1, quiet=True,
    )  # fmt: skip
    facts = json.loads((tmp_path / "out" / "evaluation.json").read_text())
    assert list(facts["conventions"]) == ["nnunet-cardiac", "acdc"]
    assert (facts["metrics"], facts["scheme"], facts["nsd_tolerance_mm"]) == (["dice", "nsd_1mm"], "thirds", 1)
    assert facts["command"].endswith(
        "--convention nnunet-cardiac acdc --metrics dice,nsd --scheme thirds --nsd-tolerance 1"
    )
    assert result.mean("dice", "LV", convention="acdc") == result.mean("dice", "LV")
    clinical = read(tmp_path / "out" / "clinical.csv")  # also without the volumes among the metrics
    assert float(clinical[0]["lv_edv_ml_reference"]) == pytest.approx((heart() == 3).sum() * 20 / 1000)


def test_slices_are_written_on_request_and_removed_when_they_are_old(tmp_path):
    folders = write_study(tmp_path, subjects=1)
    evaluate(*folders, tmp_path / "out", slices=True, workers=1, quiet=True)
    rows = read(tmp_path / "out" / "slices.csv")
    assert list(rows[0]) == [
        "case", "slice", "region", "third", "structure", "dice", "hd_mm", "reference_area_mm2", "predicted_area_mm2",
        "reason",
    ]  # fmt: skip
    assert len(rows) == (6 + 5) * 3
    evaluate(*folders, tmp_path / "out", workers=1, quiet=True)
    assert not (tmp_path / "out" / "slices.csv").exists()


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
