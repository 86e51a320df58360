from pathlib import Path

import numpy as np
import pytest

from nnunet_cardiac_ext.errors import UsageError
from nnunet_cardiac_ext.evaluation.reporting.cases import (
    MOST_CHOSEN,
    MOST_FLAGGED,
    CaseLine,
    best_median_worst,
    case_lines,
    shown_cases,
)
from nnunet_cardiac_ext.evaluation.reporting.sources import Sources
from nnunet_cardiac_ext.evaluation.scoring import MetricRow
from nnunet_cardiac_ext.evaluation.tables import Evaluation

NAN = float("nan")
LABELS = {"RV": 1, "LV": 3}


def predictions(folder, header, *lines):
    """Predictions without a reference whose volumes stand in `volumes.csv`."""
    (folder / "volumes.csv").write_text("\n".join([header, *lines]) + "\n")
    measured = {"prediction": folder}
    return Sources(("a", "b"), LABELS, Path(), None, None, {}, None, measured, None, None, None, None)


def sources(dice, quality=None):
    """An evaluation that holds the Dice of two structures by case."""
    rows = [
        MetricRow(case, structure, "all", metric, value, "1", "x", "" if np.isfinite(value) else "absent in prediction")
        for case, values in dice.items()
        for structure, value in zip(LABELS, values, strict=True)
        for metric in ("dice", "hd95")
    ]
    found = Evaluation({"labels": LABELS, "by": []}, rows, [], [], {}, {})
    return Sources(tuple(dice), LABELS, Path(), Path(), None, {}, found, {}, quality, None, None, None)


def names(shown):
    return [(place, line.case) for place, line in shown]


def test_cases_are_ranked_by_mean_dice_over_the_structures():
    lines = case_lines(sources({"a": (0.9, 0.9), "b": (0.1, 0.3), "c": (0.5, 0.7)}))
    assert [line.case for line in lines] == ["b", "c", "a"]
    assert names(best_median_worst(lines)) == [("Best case", "a"), ("Median case", "c"), ("Worst case", "b")]


def test_undefined_dice_is_left_out_of_the_mean_and_noted():
    lines = {line.case: line for line in case_lines(sources({"a": (NAN, 0.8), "b": (NAN, NAN)}))}
    assert lines["a"].mean == pytest.approx(0.8)
    assert lines["a"].notes == ["RV absent in prediction"]
    assert np.isnan(lines["b"].mean)


def test_a_case_without_any_dice_is_worth_a_look_but_no_worst_case():
    lines = case_lines(sources({"a": (0.9, 0.9), "b": (NAN, NAN), "c": (0.5, 0.6), "d": (NAN, 0.6)}))
    assert [line.case for line in lines] == ["b", "c", "d", "a"]
    assert names(best_median_worst(lines)) == [("Best case", "a"), ("Median case", "d"), ("Worst case", "c")]
    assert names(best_median_worst(case_lines(sources({"b": (NAN, NAN)})))) == [("Only case", "b")]


def test_few_cases_give_few_hearts():
    assert names(shown_cases(case_lines(sources({"a": (1, 1)})), ())) == [("Only case", "a")]
    two = case_lines(sources({"a": (1, 1), "b": (0, 0)}))
    assert names(shown_cases(two, ())) == [("Best case", "a"), ("Worst case", "b")]


def test_flagged_cases_are_shown_too_each_once_and_never_too_many(tmp_path):
    header = "case,subject,score,flags,checks,reasons\n"
    flagged = [f"c{k:02d},,{k},1,holes gap,hole in LV; gap in RV" for k in range(20)]
    (tmp_path / "quality.csv").write_text(header + "\n".join(flagged) + "\n")
    lines = case_lines(sources({f"c{k:02d}": (k / 20, k / 20) for k in range(20)}, quality=tmp_path))
    shown = names(shown_cases(lines, ()))
    assert shown[:3] == [("Best case", "c19"), ("Median case", "c09"), ("Worst case", "c00")]
    assert shown[3:] == [("Flagged case", f"c{k}") for k in range(18, 18 - MOST_FLAGGED, -1)]
    worst = next(line for line in lines if line.case == "c05")
    assert (worst.checks, worst.reasons, worst.score) == (["holes", "gap"], ["hole in LV", "gap in RV"], 5)


def test_cases_can_be_chosen_by_name():
    lines = case_lines(sources({"a": (0.9, 0.9), "b": (0.1, 0.3)}))
    assert names(shown_cases(lines, ["b", "b"])) == [("Chosen case", "b")]
    with pytest.raises(UsageError, match=r"--cases: expected cases of this folder \(a, \.\.\.\), got 'z'"):
        shown_cases(lines, ["z"])
    with pytest.raises(UsageError, match=f"expected at most {MOST_CHOSEN} names, got 99; --all"):
        shown_cases(lines, ["a"] * 99)


def test_without_scores_the_flagged_come_first_else_the_first():
    flagged = [CaseLine("a", score=0), CaseLine("b", score=13)]
    assert names(shown_cases(flagged, ())) == [("Flagged case", "b")]
    assert names(shown_cases([CaseLine("a"), CaseLine("b")], ())) == [("Case", "a"), ("Case", "b")]


def test_predictions_show_their_volumes_a_cine_those_of_end_diastole(tmp_path):
    header = "case,frame,phase,lv_volume_ml,rv_volume_ml"
    lines = case_lines(predictions(tmp_path, header, "a,0,,90,80", "a,1,ED,99,", "a,2,ES,40,30", "b,0,,50,nan"))
    assert lines[0].volumes == {"LV": 99.0}
    assert lines[1].volumes["LV"] == 50.0


def test_volumes_of_another_table_are_one_line(tmp_path):
    with pytest.raises(UsageError, match=r"volumes\.csv: expected a table of nnunet-cardiac measure"):
        case_lines(predictions(tmp_path, "case,phase,lv_volume_ml", "a,,much"))
