from nnunet_cardiac_ext.files import read_csv
from nnunet_cardiac_ext.recipes import RECIPES
from nnunet_cardiac_ext.reproduce.tables import Table, beside, write_table

TABLE1, FIGURE2 = (table for table in RECIPES["002"].tables if table.name in ("table1", "figure2"))
ROWS = [
    {"label": "LV", "region": "apex", "mean_percent": 77.125, "p": 0.0000123},
    {"label": "LV", "region": "?", "mean_percent": float("nan"), "p": 0.5},
]


def test_the_papers_numbers_stand_beside_ours():
    rows = beside(Table(TABLE1, ROWS, "ACDC"))
    assert rows[0] == ROWS[0] | {"paper_mean_percent": "82.86", "paper_sd_percent": "23.47", "paper_significant": "yes"}
    assert rows[1]["paper_mean_percent"] == ""


def test_another_data_set_has_no_numbers_beside_it():
    assert beside(Table(TABLE1, ROWS, "Mine")) == ROWS


def test_csv_and_markdown_say_the_same_and_define_it(tmp_path):
    text = write_table(Table(TABLE1, ROWS, "ACDC"), tmp_path)
    assert (tmp_path / "table1.md").read_text() == text
    assert "| LV | apex | 77.12 | 1.2e-05 | 82.86 | 23.47 | yes |" in text
    assert "| LV | ? | undefined | 0.5 |  |  |  |" in text
    assert TABLE1.definition in text
    assert "paper's numbers for ACDC" in text
    assert read_csv(tmp_path / "table1.csv")[0]["mean_percent"] == "77.125"


def test_a_figure_is_shown_and_its_numbers_are_kept(tmp_path):
    table = Table(FIGURE2, [{"model": "Baseline", "label": "LV", "position": 0}], figure=tmp_path / "figure2.png")
    assert "](figure2.png)" in write_table(table, tmp_path)
    assert read_csv(tmp_path / "figure2.csv")[0]["model"] == "Baseline"
