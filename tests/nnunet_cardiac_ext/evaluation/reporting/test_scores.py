import numpy as np
import pytest

from nnunet_cardiac_ext.evaluation import sections
from nnunet_cardiac_ext.evaluation.scoring import MetricRow
from nnunet_cardiac_ext.evaluation.tables import Evaluation


def found(dice):
    """An evaluation that holds the Dice of two structures by case."""
    rows = [
        MetricRow(case, structure, "all", metric, value, "1", "x", "" if np.isfinite(value) else "absent in prediction")
        for case, values in dice.items()
        for structure, value in zip(("RV", "LV"), values, strict=True)
        for metric in ("dice", "hd95")
    ]
    return Evaluation({"labels": {"RV": 1, "LV": 3}, "by": []}, rows, [], [], {}, {})


@pytest.mark.parametrize(
    ("value", "digits", "signed", "text"),
    [
        (0.876, 2, False, "0.88"),
        (-1.25, 1, False, "−1.2"),
        (3.14, 1, True, "+3.1"),
        (-0.04, 1, True, "0.0"),
        (0.04, 1, True, "0.0"),
        (float("nan"), 2, False, "–"),
    ],
)
def test_numbers_for_the_eye(value, digits, signed, text):
    assert sections.number(value, digits, signed=signed) == text


def test_cases_are_ranked_by_mean_dice_over_the_structures():
    evaluation = found({"a": (0.9, 0.9), "b": (0.1, 0.3), "c": (0.5, 0.7)})
    assert sections.best_median_worst(evaluation) == [("Best case", "a"), ("Median case", "c"), ("Worst case", "b")]
    assert [line["case"] for line in sections.worth_a_look(evaluation)] == ["b", "c", "a"]


def test_undefined_dice_is_left_out_of_the_mean_and_noted():
    nan = float("nan")
    lines = {line["case"]: line for line in sections.worth_a_look(found({"a": (nan, 0.8), "b": (nan, nan)}))}
    assert lines["a"]["mean"] == pytest.approx(0.8)
    assert lines["a"]["notes"] == ["RV absent in prediction"]
    assert np.isnan(lines["b"]["mean"])


def test_a_case_without_any_dice_is_worth_a_look_but_no_worst_case():
    nan = float("nan")
    evaluation = found({"a": (0.9, 0.9), "b": (nan, nan), "c": (0.5, 0.6), "d": (nan, 0.6)})
    assert sections.best_median_worst(evaluation) == [("Best case", "a"), ("Median case", "d"), ("Worst case", "c")]
    assert [line["case"] for line in sections.worth_a_look(evaluation)] == ["b", "c", "d", "a"]
    assert sections.best_median_worst(found({"b": (nan, nan)})) == [("Only case", "b")]


def test_few_cases_give_few_hearts():
    assert sections.best_median_worst(found({"a": (1, 1)})) == [("Only case", "a")]
    two = sections.best_median_worst(found({"a": (1, 1), "b": (0, 0)}))
    assert two == [("Best case", "a"), ("Worst case", "b")]


def test_ranking_is_cut_to_a_readable_length():
    many = {f"c{i:03d}": (i / 100, i / 100) for i in range(100)}
    assert len(sections.worth_a_look(found(many))) == sections.MOST_WORTH_A_LOOK
