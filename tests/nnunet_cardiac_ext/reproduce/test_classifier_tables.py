import math

import pytest
from helpers.studies import study_in, table_named, write_regions, write_slices

from nnunet_cardiac_ext.errors import UsageError
from nnunet_cardiac_ext.regions import Region
from nnunet_cardiac_ext.reproduce.classifier_tables import regions, table2
from nnunet_cardiac_ext.reproduce.tables import beside

NONE, BASE, MIDDLE, APEX = Region
# Region of the reference, most probable one, in the order of the stack.
SLICES = [
    (NONE, NONE, NONE), (BASE, BASE, BASE), (MIDDLE, MIDDLE, MIDDLE), (MIDDLE, APEX, MIDDLE),
    (MIDDLE, MIDDLE, MIDDLE), (APEX, MIDDLE, MIDDLE), (NONE, APEX, NONE),
]  # fmt: skip


@pytest.fixture
def study(nnunet_root, tmp_path):
    (nnunet_root / "raw" / "Dataset027_ACDC").mkdir()

    def build(*models, **options):
        return study_in(tmp_path / "study", models=models, **options)

    return build


def row_of(table, **keys):
    (row,) = [row for row in table.rows if keys.items() <= row.items()]
    return row


def test_table_2_is_precision_and_recall_of_both_decodings(study):
    chosen = study("classifier_alexnet")
    write_regions(chosen, "classifier_alexnet", SLICES)
    table = table2(table_named(chosen, "table2"), chosen, "ACDC")
    assert [row["region"] for row in table.rows] == ["all", "non-cardiac", "base", "middle", "apex"]
    middle = row_of(table, region="middle")
    # Three slices, two of them found, one other slice taken for it.
    assert middle["slices"] == 3
    assert (middle["precision_percent"], middle["recall_percent"]) == (pytest.approx(200 / 3), pytest.approx(200 / 3))
    assert (middle["precision_percent_ordered"], middle["recall_percent_ordered"]) == (75, 100)
    every = row_of(table, region="all")
    assert every["slices"] == 7
    # Weighted by 2, 1, 3, 1 slices: (2 * 1 + 1 * 1 + 3 * 2/3 + 1 * 0) / 7 and (2 * 1/2 + 1 + 3 * 2/3 + 0) / 7.
    assert (every["precision_percent"], every["recall_percent"]) == (pytest.approx(500 / 7), pytest.approx(400 / 7))
    # No slice is left at the apex: (2 + 1 + 3 * 3/4 + 0) / 7 and (2 + 1 + 3 + 0) / 7.
    assert every["precision_percent_ordered"] == pytest.approx(525 / 7)
    assert every["recall_percent_ordered"] == pytest.approx(600 / 7)
    assert math.isnan(row_of(table, region="apex")["precision_percent_ordered"])


def test_slices_of_several_seeds_count_together_and_those_without_reference_not(study):
    chosen = study("classifier_alexnet", seeds=(1, 2))
    write_regions(chosen, "classifier_alexnet", [(BASE, BASE, BASE, None, MIDDLE), (None, APEX, APEX)], seed=1)
    write_regions(chosen, "classifier_alexnet", [(BASE, MIDDLE, BASE, None, MIDDLE)], seed=2)
    base = row_of(table2(table_named(chosen, "table2"), chosen, ""), region="base")
    assert (base["seeds"], base["slices"]) == (2, 2)
    assert [base[f"recall_percent{suffix}"] for suffix in ("", "_ordered", "_extent")] == [50, 100, 0]


def test_the_papers_classifiers_stand_beside_ours_whatever_the_data(study):
    chosen = study("classifier_alexnet")
    write_regions(chosen, "classifier_alexnet", SLICES)
    rows = beside(table2(table_named(chosen, "table2"), chosen, "ACDC"))
    assert rows[0]["paper_precision_percent"] == "87.54"
    assert rows[1]["paper_precision_percent"] == ""
    smoke = beside(table2(table_named(chosen, "table2"), chosen, ""))
    assert "paper_precision_percent" not in smoke[0]


def test_regions_and_the_dice_that_follows(study):
    chosen = study("cascade", "cascade-ordered", "cascade-blended")
    used = {
        "cascade": [(region, predicted, ordered, predicted) for region, predicted, ordered in SLICES],
        "cascade-ordered": [(region, predicted, ordered, ordered) for region, predicted, ordered in SLICES],
        "cascade-blended": SLICES,
    }
    for name, slices in used.items():
        write_regions(chosen, name, slices)
        write_slices(chosen, name, {("LV", "apex"): [0.5, 0.7], ("RV", "base"): ["nan"]})
    table = regions(table_named(chosen, "regions"), chosen, "ACDC")
    argmax, ordered, blended = table.rows
    assert (argmax["model"], argmax["slices"]) == ("cascade", 7)
    assert argmax["accuracy_percent"] == pytest.approx(400 / 7)
    assert ordered["accuracy_percent"] == pytest.approx(600 / 7)
    assert (argmax["recall_non-cardiac_percent"], ordered["recall_non-cardiac_percent"]) == (50, 100)
    # Base, middle, apex, middle, middle: no heart has the regions in this order; it may lack an apex.
    assert (argmax["stacks_in_order_percent"], ordered["stacks_in_order_percent"]) == (0, 100)
    assert (blended["accuracy_percent"], blended["stacks_in_order_percent"]) == ("", "")
    assert blended["LV_apex_dice"] == pytest.approx(60)
    assert math.isnan(blended["RV_base_dice"])


def test_a_study_without_classifiers_or_cascades_has_no_such_table(study):
    chosen = study("baseline")
    assert table2(table_named(chosen, "table2"), chosen, "ACDC") is None
    assert regions(table_named(chosen, "regions"), chosen, "ACDC") is None


def test_an_absent_region_table_is_named(study):
    chosen = study("classifier_alexnet")
    with pytest.raises(UsageError, match=r"classifier_alexnet/fold_0/validation/regions.csv: "):
        table2(table_named(chosen, "table2"), chosen, "ACDC")
