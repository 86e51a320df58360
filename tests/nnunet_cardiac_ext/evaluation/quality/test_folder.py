import csv
import json

import numpy as np
import pytest
from helpers.drawn_hearts import SPACING, cine_stack, systolic_stack
from helpers.label_stacks import write_volume

from nnunet_cardiac_ext.errors import UsageError, WorkError
from nnunet_cardiac_ext.evaluation.quality import check_quality


@pytest.fixture
def study(tmp_path):
    """Two subjects with ED and ES; the second has a gap at ED."""
    lines = ["case,subject,phase,base_first"]
    for name in ("anna", "otto"):
        for phase, stack in (("ED", cine_stack()), ("ES", systolic_stack())):
            array = stack.array.copy()
            if (name, phase) == ("otto", "ED"):
                array[4] = 0
            write_volume(tmp_path / "labels" / f"{name}_{phase}.nii.gz", array, SPACING)
            lines.append(f"{name}_{phase},{name},{phase},true")
    (tmp_path / "cases.csv").write_text("\n".join(lines) + "\n")
    (tmp_path / "dataset.json").write_text(json.dumps({"labels": {"background": 0, "RV": 1, "MYO": 2, "LV": 3}}))
    return tmp_path


def run(study, **options):
    return check_quality(study / "labels", study / "out", **({"workers": 1, "quiet": True} | options))


def read(path):
    with path.open(newline="") as stream:
        return list(csv.DictReader(stream))


def test_the_spoiled_case_ranks_first_and_clean_ones_stay_listed(study):
    result = run(study)
    assert [row.case for row in result.ranking] == ["otto_ED", "anna_ED", "anna_ES", "otto_ES"]
    ranked, flags = read(study / "out" / "quality.csv"), read(study / "out" / "flags.csv")
    assert list(ranked[0]) == ["case", "subject", "score", "flags", "checks", "reasons"]
    assert list(flags[0]) == ["case", "check", "severity", "slice", "value", "threshold", "unit", "reason"]
    assert (ranked[0]["subject"], ranked[0]["checks"]) == ("otto", "gap")
    assert {(flag["check"], flag["slice"]) for flag in flags} == {("gap", "4")}
    assert len(flags) == 3
    assert not result.remarks


def test_phases_are_paired_by_the_case_table(study):
    table = study / "cases.csv"
    table.write_text(table.read_text().replace(",ED,", ",X,").replace(",ES,", ",ED,").replace(",X,", ",ES,"))
    flagged = {flag.case for flag in run(study).flags if flag.check == "es-larger"}
    assert flagged == {"anna_ED", "anna_ES", "otto_ED", "otto_ES"}


def test_phases_of_different_visits_are_no_pair(study):
    names = [f"{name}_{phase}" for name in ("anna", "otto") for phase in ("ED", "ES")]
    rows = [f"{name},one,{'ES' if name.endswith('ED') else 'ED'},{name[:4]}" for name in names]
    (study / "cases.csv").write_text("\n".join(["case,subject,phase,time_point", *rows]) + "\n")
    assert {flag.case for flag in run(study).flags if flag.check == "es-larger"} == set(names)
    (study / "cases.csv").write_text("\n".join(["case,subject,phase,visit", *rows]) + "\n")
    result = run(study)
    assert "es-larger" not in {flag.check for flag in result.flags}
    assert "the case table pairs no ED with an ES" in result.remarks[0]


def test_direction_comes_from_the_case_table(study):
    table = study / "cases.csv"
    table.write_text(table.read_text().replace("true", "false"))
    assert [flag.check for flag in run(study).flags].count("wrong-end") == 4


def test_labels_of_cine_are_not_taken_for_granted_in_silence(study):
    (study / "dataset.json").rename(study / "elsewhere.json")
    (remark,) = run(study).remarks
    assert "no dataset.json says what the labels are; taken for those of cine, 1 RV, 2 MYO, 3 LV" in remark
    assert run(study, labels={"RV": 1, "MYO": 2, "LV": 3}).remarks == []


def test_labels_are_looked_for_beside_the_case_table_too(study):
    (study / "data").mkdir()
    for name in ("cases.csv", "dataset.json"):
        (study / name).rename(study / "data" / name)
    (study / "data" / "dataset.json").write_text(json.dumps({"labels": {"background": 0, "MYO": 3, "LV": 2, "RV": 1}}))
    result = run(study, cases=study / "data" / "cases.csv")
    assert result.remarks == []
    assert any("LV without myocardium" in flag.reason for flag in result.flags)


def test_without_case_table_a_remark_says_what_was_left_out(study):
    (study / "cases.csv").unlink()
    assert "tells ED from ES; ejection fraction" in run(study).remarks[0]


def test_a_broken_file_fails_alone(study):
    (study / "labels" / "anna_ES.nii.gz").write_bytes(b"broken")
    result = run(study)
    assert list(result.failures) == ["anna_ES"]
    assert "anna_ES" not in {row.case for row in result.ranking}


def test_nothing_readable_is_a_failure(study):
    for path in (study / "labels").iterdir():
        path.write_bytes(b"broken")
    with pytest.raises(WorkError, match=r"no image could be checked; the first: .*cannot be read as an image"):
        run(study)
    assert not (study / "out").exists()


def test_an_empty_image_is_flagged_not_failed(study):
    write_volume(study / "labels" / "anna_ED.nii.gz", np.zeros((9, 96, 96), dtype=np.uint8), SPACING)
    result = run(study)
    assert {row.case: row.checks for row in result.ranking}["anna_ED"] == "absent slices-differ"


def test_wrong_use(study):
    with pytest.raises(UsageError, match="at least 1 process, got 0"):
        run(study, workers=0)
    with pytest.raises(UsageError, match="expected a folder with images"):
        check_quality(study / "nowhere", study / "out")


@pytest.mark.slow
def test_two_processes_find_the_same_as_one(study):
    run(study)
    one = (study / "out" / "flags.csv").read_bytes()
    run(study, workers=2)
    assert (study / "out" / "flags.csv").read_bytes() == one
