import pytest

from nnunet_cardiac_ext.errors import UsageError
from nnunet_cardiac_ext.evaluation.comparison.models import ComparisonRow
from nnunet_cardiac_ext.evaluation.reporting.comparisons import MOST_TABLES, read_comparison
from nnunet_cardiac_ext.files import write_csv


def write(folder, structures, metric="dice", unit="1"):
    rows = []
    for structure in structures:
        start = (metric, structure, "all", unit, "nnunet-cardiac")
        rows.append(ComparisonRow(*start, "near", 5, 0, 0.9, 0.1, 0.9))
        rows.append(
            ComparisonRow(*start, "far", 5, 0, 0.8, 0.1, 0.8, "near", -0.1, -0.2, 0.0, "wilcoxon", 0.04, 0.08, "holm",
                          -0.6, "rank-biserial correlation", 5, 0, "")
        )  # fmt: skip
    write_csv(folder / "comparison.csv", (row._asdict() for row in rows), ComparisonRow._fields)
    return folder


def test_one_table_per_structure_with_the_test_in_words(tmp_path):
    found = read_comparison(write(tmp_path, ["LV", "RV"]))
    assert [(title, len(rows)) for title, _, rows in found.tables] == [("LV: Dice", 2), ("RV: Dice", 2)]
    assert found.test == "Wilcoxon signed-rank test, corrected by Holm. Effect: rank-biserial correlation."
    assert found.left_out == 0


def test_units_stand_in_the_title(tmp_path):
    found = read_comparison(write(tmp_path, ["LV"], "hd95", "mm"))
    assert found.tables[0][:2] == ("LV: HD95, mm", 2)


def test_too_many_tables_are_counted(tmp_path):
    found = read_comparison(write(tmp_path, [f"s{k}" for k in range(MOST_TABLES + 3)]))
    assert (len(found.tables), found.left_out) == (MOST_TABLES, 3)


def test_another_table_is_one_line(tmp_path):
    (tmp_path / "comparison.csv").write_text("a\n1\n")
    with pytest.raises(UsageError, match=r"comparison\.csv: expected the columns metric, structure"):
        read_comparison(tmp_path)
