import numpy as np

from inference_pipelines.presence_table import join_presence_tables, presence_rows, write_presence_table


def test_rows_go_by_the_slices_of_the_file_and_one_half_is_not_shown(tmp_path):
    rows = presence_rows("a", 3, np.array([1, 0]), ("RV", "LV"), np.array([[0.5, 0.9], [0.51, 1 / 3]]), threshold=0.5)
    assert [tuple(row) for row in rows] == [
        ("a", "3", "0", "RV", "0.51", "yes"), ("a", "3", "0", "LV", "0.333333", "no"),
        ("a", "3", "1", "RV", "0.5", "no"), ("a", "3", "1", "LV", "0.9", "yes"),
    ]  # fmt: skip
    write_presence_table(tmp_path / "one.csv", rows[:2])
    other = presence_rows("b", None, np.array([0]), ("RV",), np.array([[0.0]]), threshold=0.5)
    write_presence_table(tmp_path / "two.csv", other)
    join_presence_tables(tmp_path / "all.csv", [tmp_path / "one.csv", tmp_path / "two.csv"])
    assert (tmp_path / "all.csv").read_text().splitlines() == [
        "case,frame,slice,structure,probability,shown", "a,3,0,RV,0.51,yes", "a,3,0,LV,0.333333,no", "b,,0,RV,0,no",
    ]  # fmt: skip
