import json

import pytest

from nnunet_cardiac_ext.errors import UsageError
from nnunet_cardiac_ext.evaluation.comparison.inputs import check_comparable, read_models
from nnunet_cardiac_ext.evaluation.scoring import MetricRow
from nnunet_cardiac_ext.files import write_csv, write_json

OURS = "nnunet-cardiac"


def write_evaluation(folder, *, case="p1", volume=100.0, convention=OURS, metric="reference_volume", **facts):
    rows = [
        MetricRow(case, "LV", "all", metric, volume, "ml", convention, ""),
        MetricRow(case, "LV", "all", "dice", 0.9, "1", convention, ""),
    ]
    write_csv(folder / "metrics.csv", (row._asdict() for row in rows), MetricRow._fields)
    write_json(folder / "evaluation.json", {"reference": "/labels"} | facts)
    return folder


def check(tmp_path, **second):
    folders = [write_evaluation(tmp_path / "one"), write_evaluation(tmp_path / "two", **second)]
    check_comparable(read_models(folders, [], OURS))


def test_same_volumes_are_the_same_reference_wherever_it_lies(tmp_path):
    check(tmp_path, reference="/moved/labels", volume=100.0 * (1 + 1e-9))


@pytest.mark.parametrize(
    ("second", "message"),
    [
        ({"volume": 101.0}, "two: expected the reference of one, got another one: LV of p1 has 101 ml instead"),
        ({"case": "p2"}, "two: expected cases of one, got none of them"),
        ({"metric": "hd", "reference": "/other"}, "two: expected the reference of one, /labels, got /other"),
        ({"scheme": "thirds"}, "two: expected scheme None as in one, got thirds"),
        ({"convention": "acdc"}, r"two/metrics\.csv: expected the convention nnunet-cardiac, got acdc"),
    ],
)
def test_what_cannot_be_compared_is_refused(tmp_path, second, message):
    with pytest.raises(UsageError, match=message):
        check(tmp_path, **second)


def test_only_the_chosen_convention_is_read(tmp_path):
    folder = write_evaluation(tmp_path / "one", convention="mnms")
    assert len(read_models([folder], ["a"], "mnms")[0].rows) == 2


def test_subjects_come_from_the_case_table_where_it_is_there(tmp_path):
    table = tmp_path / "cases.csv"
    table.write_text("case,subject\np1,Anna\n")
    folders = [write_evaluation(tmp_path / name, case_table=str(table)) for name in ("one", "two")]
    assert read_models(folders, [], OURS)[1].subjects == {"p1": "Anna"}
    table.unlink()
    assert read_models(folders, [], OURS)[1].subjects == {}


def test_names_must_fit(tmp_path):
    folders = [write_evaluation(tmp_path / name) for name in ("one", "two")]
    assert [model.name for model in read_models(folders, [], OURS)] == ["one", "two"]
    with pytest.raises(UsageError, match="--names: expected 2 names, one per evaluation, got 1"):
        read_models(folders, ["a"], OURS)
    with pytest.raises(UsageError, match="--names: expected a name of its own for each evaluation, got a, a"):
        read_models(folders, ["a", "a"], OURS)


def test_a_folder_without_evaluation_is_named(tmp_path):
    with pytest.raises(UsageError, match=r"nowhere/evaluation\.json: cannot be read"):
        read_models([tmp_path / "nowhere"], [], OURS)
    folder = write_evaluation(tmp_path / "one")
    (folder / "evaluation.json").write_text(json.dumps([1]))
    with pytest.raises(UsageError, match="expected the facts of an evaluation"):
        read_models([folder], [], OURS)
