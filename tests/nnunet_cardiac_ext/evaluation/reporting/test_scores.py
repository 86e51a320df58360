import numpy as np

from nnunet_cardiac_ext.evaluation.reporting import scores
from nnunet_cardiac_ext.evaluation.summary import SummaryRow
from nnunet_cardiac_ext.evaluation.tables import Evaluation

LABELS = {"RV": 1, "LV": 3}


def evaluation(summary=(), profiles=None, by=()):
    return Evaluation({"labels": LABELS, "by": list(by)}, [], list(summary), [], profiles or {}, {})


def row(structure, region, metric, mean, *, column="", group="all"):
    return SummaryRow(column, group, structure, region, metric, "1", "x", 5, 1, mean, 0.1, mean, mean, mean)


def test_overlap_has_a_line_per_structure_with_dice_by_region_and_the_distances():
    regions = ("all", "base", "middle", "apex")
    rows = [row(s, r, "dice", k / 10) for s in LABELS for k, r in enumerate(regions)]
    rows += [row(s, "all", metric, 2.0) for s in LABELS for metric in ("hd95", "assd")]
    table = scores.overlap_table(evaluation(rows))
    assert [line["name"] for line in table] == ["RV", "LV"]
    assert [cell.mean for cell in table[1]["dice"]] == [0.0, 0.1, 0.2, 0.3]
    assert [cell.metric for cell in table[0]["distances"]] == ["hd95", "assd"]


def test_curves_leave_out_cases_without_a_profile_and_say_the_median():
    profiles = np.repeat([[0.2], [0.6], [0.7], [np.nan]], 101, axis=1)
    (curve,) = scores.curves(evaluation(profiles={"LV": profiles}))
    assert curve["n"] == 3
    assert "median of 3 cases: 0.60 at the base" in curve["figure"]


def test_groups_beyond_a_readable_number_are_counted():
    groups = [f"g{k:03d}" for k in range(scores.MOST_GROUPS + 7)]
    rows = [row(s, "all", m, 1.0, column="centre", group=g) for g in groups for s in LABELS for m in ("dice", "hd95")]
    (table,) = scores.group_tables(evaluation(rows, by=["centre"]))
    assert len(table["lines"]) == scores.MOST_GROUPS
    assert table["left_out"] == 7
    assert table["lines"][0]["n"] == 6
    assert [cell.structure for cell in table["lines"][0]["cells"]] == ["RV", "LV", "RV", "LV"]
